#include <atomic>
#include <cmath>
#include <thread>

#include "api/api_testing.h"
#include "gamut/task.h"
#include "gamut/tokenizer.h"

namespace gamut {
namespace {

using test::expect_part;
using test::refusal;
using test::TinyFolder;

constexpr int64_t kWidth = test::kTinyWidth;

std::vector<float> embed_one(const SentenceEmbedder& embedder, const std::string& text) {
  const std::vector<std::string> texts{text};
  return embedder.embed(texts).at(0);
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b, double tolerance = 1e-5) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << "at " << i;
}

/// The model's hidden state for a text, [tokens][width].
std::vector<std::vector<float>> hidden_of(const TinyFolder& folder, const std::string& text) {
  const Encoding encoding = Tokenizer::open(folder.path()).encode(text);
  const int64_t count = static_cast<int64_t>(encoding.ids.size());
  const Model model = Model::open(folder.path());
  const Tensor hidden = model.forward({{"input_ids", Tensor::from({1, count}, std::span<const int64_t>(encoding.ids))}})
                            .at("last_hidden_state");
  std::vector<std::vector<float>> tokens;
  for (int64_t t = 0; t < count; ++t) {
    tokens.emplace_back(hidden.f32().begin() + t * kWidth, hidden.f32().begin() + (t + 1) * kWidth);
  }
  return tokens;
}

/// Pooling written out over the hidden state.
std::vector<float> pooled(const std::vector<std::vector<float>>& tokens, const std::string& mode) {
  if (mode == "cls") return tokens.front();
  if (mode == "lasttoken") return tokens.back();
  std::vector<float> result(tokens[0].size());
  for (size_t i = 0; i < result.size(); ++i) {
    double sum = 0, highest = tokens[0][i];
    for (const auto& token : tokens) sum += token[i], highest = std::max<double>(highest, token[i]);
    const double count = static_cast<double>(tokens.size());
    result[i] = static_cast<float>(mode == "max" ? highest : mode == "mean" ? sum / count : sum / std::sqrt(count));
  }
  return result;
}

double length_of(const std::vector<float>& v) {
  double squares = 0;
  for (float x : v) squares += static_cast<double>(x) * x;
  return std::sqrt(squares);
}

const char* const kText = "the cat sat on the mat.";

TEST(SentenceEmbedder, PoolsAsModulesJsonSays) {
  const TinyFolder folder;
  const auto hidden = hidden_of(folder, kText);
  ASSERT_EQ(hidden.size(), 9u);
  const std::pair<const char*, const char*> modes[] = {{"pooling_mode_cls_token", "cls"},
                                                       {"pooling_mode_mean_tokens", "mean"},
                                                       {"pooling_mode_max_tokens", "max"},
                                                       {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt"},
                                                       {"pooling_mode_lasttoken", "lasttoken"}};
  for (const auto& [flag, mode] : modes) {
    for (bool normalize : {false, true}) {
      SCOPED_TRACE(mode);
      folder.pool({{"word_embedding_dimension", kWidth}, {flag, true}}, normalize);
      const SentenceEmbedder embedder = SentenceEmbedder::open(folder.path());
      EXPECT_EQ(embedder.dimension(), kWidth);
      std::vector<float> expected = pooled(hidden, mode);
      const double length = normalize ? length_of(expected) : 1;
      for (float& value : expected) value = static_cast<float>(value / length);
      expect_near(embed_one(embedder, kText), expected);
    }
  }
}

TEST(SentenceEmbedder, JoinsSeveralPoolings) {
  const TinyFolder folder;
  const auto hidden = hidden_of(folder, kText);
  folder.pool(
      {{"pooling_mode_mean_tokens", true}, {"pooling_mode_cls_token", true}, {"pooling_mode_max_tokens", true}});
  const SentenceEmbedder embedder = SentenceEmbedder::open(folder.path());
  EXPECT_EQ(embedder.dimension(), 3 * kWidth);
  std::vector<float> expected;
  for (const char* mode : {"cls", "max", "mean"}) {
    const std::vector<float> part = pooled(hidden, mode);
    expected.insert(expected.end(), part.begin(), part.end());
  }
  expect_near(embed_one(embedder, kText), expected);
}

TEST(SentenceEmbedder, TakesTheMeanWithoutModules) {
  const TinyFolder folder;
  expect_near(embed_one(SentenceEmbedder::open(folder.path()), kText), pooled(hidden_of(folder, kText), "mean"));
}

TEST(SentenceEmbedder, CutsTextsAtTheLimitOfTheModelOrTheShorterOneOfItsFolder) {
  const TinyFolder folder;
  std::string text;
  for (int i = 0; i < 100; ++i) text += "cat ";
  auto cats = [](int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += "cat ";
    return all;
  };
  expect_near(embed_one(SentenceEmbedder::open(folder.path()), text), pooled(hidden_of(folder, cats(30)), "mean"));
  folder.write("sentence_bert_config.json", Json{{"max_seq_length", 10}, {"do_lower_case", false}});
  expect_near(embed_one(SentenceEmbedder::open(folder.path()), text), pooled(hidden_of(folder, cats(8)), "mean"));
  folder.write("sentence_bert_config.json", Json{{"max_seq_length", 5000}});
  expect_near(embed_one(SentenceEmbedder::open(folder.path()), text), pooled(hidden_of(folder, cats(30)), "mean"));
}

TEST(SentenceEmbedder, EmptyAndStrangeTextsHaveEmbeddings) {
  const TinyFolder folder;
  const SentenceEmbedder embedder = SentenceEmbedder::open(folder.path());
  EXPECT_TRUE(embedder.embed({}).empty());
  const std::vector<float> empty = embed_one(embedder, "");
  expect_near(empty, pooled(hidden_of(folder, ""), "mean"));
  expect_near(embed_one(embedder, " \t\n"), empty);
  for (const std::string& text : {std::string("\xff\xfe"), std::string("\0a", 2), std::string(1 << 20, 'x')}) {
    EXPECT_TRUE(std::isfinite(length_of(embed_one(embedder, text))));
  }
}

TEST(SentenceEmbedder, ManyRaggedTextsEqualThoseOneByOneInOrder) {
  const TinyFolder folder;
  folder.pool({{"pooling_mode_mean_tokens", true}}, /*normalize=*/true);
  const SentenceEmbedder embedder = SentenceEmbedder::open(folder.path());
  const char* words[] = {"paris", "is", "the", "capital", "of", "france", "cats", "sat", "on", "dog"};
  std::vector<std::string> texts;
  for (size_t i = 0; i < 1000; ++i) {
    std::string text;
    for (size_t n = 0; n < (i * 7) % 29; ++n) text += std::string(words[(i * 3 + n * n) % std::size(words)]) + " ";
    texts.push_back(text);
  }
  const auto together = embedder.embed(texts);
  ASSERT_EQ(together.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    SCOPED_TRACE(i);
    ASSERT_NO_FATAL_FAILURE(expect_near(together[i], embed_one(embedder, texts[i]), 2e-6));
  }
}

TEST(SentenceEmbedder, ConcurrentCallersGetTheSame) {
  const TinyFolder folder;
  const SentenceEmbedder embedder = SentenceEmbedder::open(folder.path(), {.threads = 2});
  const std::vector<std::string> texts{"the cat", "paris is the capital of france.", ""};
  const auto expected = embedder.embed(texts);
  std::atomic<int> different{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 10; ++repeat) different += embedder.embed(texts) == expected ? 0 : 1;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(different.load(), 0);
}

TEST(SentenceEmbedder, PutsTheDefaultPromptInFront) {
  const TinyFolder folder;
  const std::vector<float> expected = embed_one(SentenceEmbedder::open(folder.path()), "the dog sat");
  folder.write("config_sentence_transformers.json",
               Json{{"prompts", {{"query", "the "}}}, {"default_prompt_name", "query"}});
  expect_near(embed_one(SentenceEmbedder::open(folder.path()), "dog sat"), expected, 0);
}

TEST(SentenceEmbedder, RefusesModulesAndPoolingsThatItDoesNotHave) {
  const TinyFolder folder;
  auto open = [&] { return refusal([&] { SentenceEmbedder::open(folder.path()); }); };
  folder.pool({{"pooling_mode_weightedmean_tokens", true}});
  expect_part(open(), "unsupported: ");
  expect_part(open(), "pooling \"weightedmean\" is not supported; expected cls, max, mean, mean_sqrt or lasttoken");
  folder.pool({{"pooling_mode_cls_token", false}});
  expect_part(open(), "no pooling mode is set");
  folder.pool({{"pooling_mode_cls_token", "yes"}});
  expect_part(open(), "pooling_mode_cls_token is \"yes\", expected true or false");
  folder.pool(Json::array());
  expect_part(open(), "1_Pooling/config.json: expected an object");
  folder.remove("1_Pooling/config.json");
  expect_part(open(), "not_found: ");
  folder.write("modules.json", Json::array({{{"path", "2_Dense"}, {"type", "sentence_transformers.models.Dense"}}}));
  expect_part(open(), "unsupported: ");
  expect_part(open(), "module Dense is not supported here");
  folder.write("modules.json",
               Json::array({{{"path", "../elsewhere"}, {"type", "sentence_transformers.models.Pooling"}}}));
  EXPECT_NE(open(), "no error");
  folder.write("modules.json", Json::array({5}));
  expect_part(open(), "a module without a type");
  folder.write("modules.json", std::string("[{"));
  expect_part(open(), "invalid_file: ");
  const Json transformer{{"path", ""}, {"type", "sentence_transformers.models.Transformer"}};
  for (const Json& unpooled : {Json::array(), Json::array({transformer})}) {
    folder.write("modules.json", unpooled);
    expect_part(open(), "invalid_file: ");
    expect_part(open(), "modules.json: no Pooling among the modules");
  }
  folder.write("sentence_bert_config.json", Json{{"max_seq_length", 0}});
  expect_part(open(), "max_seq_length is 0, expected an integer from 1");
}

}  // namespace
}  // namespace gamut
