#include <cmath>
#include <nlohmann/json.hpp>

#include "api/api_testing.h"
#include "gamut/task.h"

namespace gamut {
namespace {

using test::expect_part;
using test::refusal;
using test::TinyFolder;

Json run(const Pipeline& pipeline, const Json& request) { return Json::parse(pipeline.run(request.dump())); }

std::string failure(const Pipeline& pipeline, const std::string& request) {
  return refusal([&] { pipeline.run(request); });
}

TEST(FillMask, GivesTheLikeliestTokensInOrderOfTheirScore) {
  const TinyFolder folder("BertForMaskedLM");
  const Pipeline pipeline = Pipeline::open(folder.path());
  EXPECT_EQ(pipeline.task(), "fill-mask");
  const Json answers = run(pipeline, {{"inputs", "Paris is the [MASK] of France."}});
  ASSERT_EQ(answers.size(), 5u);
  for (size_t i = 0; i < answers.size(); ++i) {
    const Json& answer = answers[i];
    EXPECT_LE(answer["score"], answers[i == 0 ? 0 : i - 1]["score"]);
    const int64_t token = answer["token"];
    EXPECT_EQ(answer["token_str"], test::kTinyVocabulary[token]);
    if (token > 4 && answer["token_str"] != "##s") {
      EXPECT_EQ(answer["sequence"], "paris is the " + answer["token_str"].get<std::string>() + " of france.");
    }
  }
  const Json all = run(pipeline, {{"inputs", "the [MASK]"}, {"parameters", {{"top_k", test::kTinyVocabularySize}}}});
  double sum = 0;
  for (const Json& answer : all) sum += answer["score"].get<double>();
  EXPECT_NEAR(sum, 1, 1e-6) << "scores are probabilities";
}

TEST(FillMask, TopKAndTargetsLimitTheAnswers) {
  const TinyFolder folder("BertForMaskedLM");
  const Pipeline pipeline = Pipeline::open(folder.path());
  const char* const text = "paris is the [MASK] .";
  EXPECT_EQ(run(pipeline, {{"inputs", text}, {"parameters", {{"top_k", 2}}}}).size(), 2u);
  const Json targets =
      run(pipeline, {{"inputs", text}, {"parameters", {{"targets", {"city", "cat", "city"}}, {"top_k", 3}}}});
  ASSERT_EQ(targets.size(), 2u) << "each target once";
  EXPECT_NE(targets[0]["token_str"], targets[1]["token_str"]);
  for (const Json& answer : targets) EXPECT_TRUE(answer["token_str"] == "city" || answer["token_str"] == "cat");
  const Json all = run(pipeline, {{"inputs", text}, {"parameters", {{"top_k", 22}}}});
  for (const Json& answer : all) {
    if (answer["token"] != targets[0]["token"]) continue;
    EXPECT_EQ(answer["score"], targets[0]["score"]) << "targets keep their share of all tokens";
  }
}

TEST(FillMask, SeveralMasksHaveAListEach) {
  const TinyFolder folder("BertForMaskedLM");
  const Pipeline pipeline = Pipeline::open(folder.path());
  const Json both = run(pipeline, {{"inputs", "the [MASK] sat on the [MASK]"}});
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].size(), 5u);
  EXPECT_TRUE(both[0][0].contains("token_str"));
  const Json texts = run(pipeline, {{"inputs", {"the [MASK]", "a [MASK] sat [MASK]"}}});
  ASSERT_EQ(texts.size(), 2u);
  EXPECT_TRUE(texts[0][0].is_object());
  EXPECT_TRUE(texts[1][0].is_array());
  EXPECT_EQ(run(pipeline, {{"inputs", {"the [MASK]"}}})[0], run(pipeline, {{"inputs", "the [MASK]"}}));
  EXPECT_EQ(run(pipeline, {{"inputs", Json::array()}}), Json::array());
}

TEST(FillMask, SaysWhatIsWrongWithARequest) {
  const TinyFolder folder("BertForMaskedLM");
  const Pipeline pipeline = Pipeline::open(folder.path());
  expect_part(failure(pipeline, R"({"inputs": "no mask"})"),
              "invalid_argument: text 0 has no mask token; expected [MASK]");
  expect_part(failure(pipeline, R"({"inputs": ["a [MASK]", "b"]})"), "text 1 has no mask token");
  expect_part(failure(pipeline, R"({"inputs": "[MASK]", "parameters": {"topk": 3}})"), "parameter \"topk\" is unknown");
  expect_part(failure(pipeline, R"({"inputs": "[MASK]", "parameters": {"top_k": 0}})"),
              "parameter top_k: 0, expected an integer from 1 to 22");
  expect_part(failure(pipeline, R"({"inputs": "[MASK]", "parameters": {"top_k": 23}})"), "parameter top_k: 23");
  expect_part(failure(pipeline, R"({"inputs": "[MASK]", "parameters": {"targets": ["zebra"]}})"),
              "\"zebra\" is not a token");
  expect_part(failure(pipeline, R"({"inputs": "[MASK]", "parameters": {"targets": []}})"),
              "expected at least one token");
  expect_part(failure(pipeline, R"({"inputs": "[MASK]"} x)"), "invalid_argument: request");
  expect_part(failure(pipeline, R"({"inputs": "[MASK]", "inputs": "a"})"), "invalid_argument: request");
  expect_part(failure(pipeline, ""), "invalid_argument: ");
  expect_part(failure(pipeline, "[]"), "expected an object with \"inputs\"");
}

TEST(FillMask, LongTextsAreAnErrorUnlessCut) {
  const TinyFolder folder("BertForMaskedLM");
  const Pipeline pipeline = Pipeline::open(folder.path());
  std::string text = "[MASK]";
  for (int i = 0; i < 50; ++i) text += " cat";
  expect_part(failure(pipeline, Json{{"inputs", text}}.dump()), "text 0 has 53 tokens, the model takes at most 32");
  EXPECT_EQ(run(pipeline, {{"inputs", text}, {"parameters", {{"truncate", true}}}}).size(), 5u);
}

TEST(FeatureExtraction, GivesAVectorForEveryToken) {
  const TinyFolder folder;
  const Pipeline pipeline = Pipeline::open(folder.path());
  EXPECT_EQ(pipeline.task(), "feature-extraction");
  const Json one = run(pipeline, {{"inputs", "the cat"}});
  ASSERT_EQ(one.size(), 1u) << "a batch axis of one";
  ASSERT_EQ(one[0].size(), 4u) << "[CLS] the cat [SEP]";
  EXPECT_EQ(one[0][0].size(), static_cast<size_t>(test::kTinyWidth));
  const Json several = run(pipeline, {{"inputs", {"the cat", "", "a dog sat on the mat ."}}});
  ASSERT_EQ(several.size(), 3u);
  EXPECT_EQ(several[1][0].size(), 2u);
  EXPECT_EQ(several[2][0].size(), 9u);
  for (size_t t = 0; t < 4; ++t) {
    for (size_t i = 0; i < one[0][t].size(); ++i) {
      EXPECT_NEAR(several[0][0][t][i].get<double>(), one[0][t][i].get<double>(), 2e-6);
    }
  }
  expect_part(failure(pipeline, R"({"inputs": {"a": 1}})"), "inputs: ");
}

TEST(FeatureExtraction, WorksOnTheBaseOfAnyHead) {
  const TinyFolder head("BertForMaskedLM"), base;
  const Json request{{"inputs", "the cat"}};
  const Json a = run(Pipeline::open(head.path(), "feature-extraction"), request);
  EXPECT_EQ(a, run(Pipeline::open(base.path()), request)) << "the tensors of the base are the same";
}

TEST(SentenceSimilarity, ComparesAsTheFolderSays) {
  const TinyFolder folder;
  const Json request{
      {"inputs", {{"source_sentence", "the cat sat"}, {"sentences", {"the cat sat", "paris is a city", ""}}}}};
  const SentenceEmbedder embedder = SentenceEmbedder::open(folder.path());
  const std::vector<std::string> texts{"the cat sat", "paris is a city", ""};
  const auto vectors = embedder.embed(texts);
  auto similarity = [&](const std::string& kind, size_t n) {
    double dot = 0, aa = 0, bb = 0, squares = 0, absolutes = 0;
    for (size_t i = 0; i < vectors[0].size(); ++i) {
      const double x = vectors[0][i], y = vectors[n][i];
      dot += x * y, aa += x * x, bb += y * y, squares += (x - y) * (x - y), absolutes += std::fabs(x - y);
    }
    if (kind == "dot") return dot;
    if (kind == "euclidean") return -std::sqrt(squares);
    if (kind == "manhattan") return -absolutes;
    return dot / std::sqrt(aa * bb);
  };
  for (const char* kind : {"cosine", "dot", "euclidean", "manhattan"}) {
    folder.write("config_sentence_transformers.json", Json{{"similarity_fn_name", kind}});
    const Json scores = run(Pipeline::open(folder.path(), "sentence-similarity"), request);
    ASSERT_EQ(scores.size(), 3u);
    for (size_t n = 0; n < 3; ++n) EXPECT_NEAR(scores[n].get<double>(), similarity(kind, n), 2e-5) << kind << n;
  }
  folder.write("config_sentence_transformers.json", Json{{"similarity_fn_name", "telepathy"}});
  expect_part(refusal([&] { Pipeline::open(folder.path(), "sentence-similarity"); }),
              "similarity \"telepathy\" is not supported");
}

TEST(SentenceSimilarity, SaysWhatIsWrongWithARequest) {
  const TinyFolder folder;
  const Pipeline pipeline = Pipeline::open(folder.path(), "sentence-similarity");
  for (const char* inputs :
       {"\"a\"", "[]", "{}", R"({"source_sentence": "a"})", R"({"source_sentence": 5, "sentences": []})",
        R"({"source_sentence": "a", "sentences": [], "more": 1})"}) {
    expect_part(failure(pipeline, std::string(R"({"inputs": )") + inputs + "}"),
                "invalid_argument: inputs: expected an object");
  }
  expect_part(failure(pipeline, R"({"inputs": {"source_sentence": "a", "sentences": [1]}})"),
              "inputs.sentences: 1, expected a string");
  EXPECT_EQ(run(pipeline, {{"inputs", {{"source_sentence", "a"}, {"sentences", Json::array()}}}}), Json::array());
}

TEST(SentenceEmbeddingTask, IsTheDefaultOfASentenceTransformersFolder) {
  const TinyFolder folder;
  folder.pool({{"pooling_mode_mean_tokens", true}}, true);
  const Pipeline pipeline = Pipeline::open(folder.path());
  EXPECT_EQ(pipeline.task(), "sentence-embedding");
  const Json vectors = run(pipeline, {{"inputs", {"the cat", ""}}});
  ASSERT_EQ(vectors.size(), 2u);
  EXPECT_EQ(vectors[0].size(), static_cast<size_t>(test::kTinyWidth));
  expect_part(failure(pipeline, R"({"inputs": "a", "parameters": {"top_k": 1}})"),
              "parameter \"top_k\" is unknown; expected some of: truncate");
}

TEST(Tasks, AreChosenByTheHeadUnlessAskedFor) {
  EXPECT_FALSE(tasks().empty());
  for (const TaskInfo& task : tasks()) {
    EXPECT_FALSE(task.summary.empty()) << task.name;
    EXPECT_TRUE(Json::accept(task.request)) << task.name;
  }
  const TinyFolder classifier("BertForTokenClassification"), masked("BertForMaskedLM");
  expect_part(refusal([&] { Pipeline::open(classifier.path()); }),
              "unsupported: there is no task for BertForTokenClassification yet");
  EXPECT_EQ(Pipeline::open(classifier.path(), "feature-extraction").task(), "feature-extraction");
  expect_part(refusal([&] { Pipeline::open(classifier.path(), "fill-mask"); }), "cls.predictions");
  expect_part(refusal([&] { Pipeline::open(masked.path(), "juggling"); }),
              "unsupported: task \"juggling\" is unknown; expected one of: ");
  EXPECT_EQ(Pipeline::open(masked.path(), "", {.head = "BertModel"}).task(), "feature-extraction");
}

TEST(FillMask, NeedsATokenizerWithAMask) {
  const TinyFolder folder("BertForMaskedLM");
  folder.remove("vocab.txt");
  expect_part(refusal([&] { Pipeline::open(folder.path()); }), "not_found: ");
}

}  // namespace
}  // namespace gamut
