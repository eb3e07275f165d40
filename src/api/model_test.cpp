#include "gamut/model.h"

#include <algorithm>

#include "api/api_testing.h"

namespace gamut {
namespace {

using test::expect_part;
using test::refusal;
using test::TinyFolder;

Tensor some_ids() { return Tensor::from({1, 3}, std::span<const int64_t>(std::vector<int64_t>{2, 5, 3})); }

TEST(Model, OpensAndRunsAFolder) {
  const TinyFolder folder;
  const Model model = Model::open(folder.path());
  EXPECT_EQ(model.head(), "BertModel");
  EXPECT_EQ(model.input_names(), (std::vector<std::string>{"input_ids", "token_type_ids", "position_ids"}));
  EXPECT_EQ(model.input_limit("input_ids"), test::kTinyVocabularySize);
  EXPECT_EQ(model.max_length(), test::kTinyPositions);
  expect_part(refusal([&] { model.input_limit("pixel_values"); }), "input pixel_values is unknown to BertModel");
  const NamedTensors outputs = model.forward({{"input_ids", some_ids()}});
  EXPECT_EQ(outputs.at("last_hidden_state").dims(), (Dims{1, 3, test::kTinyWidth}));
}

TEST(Model, GivesTheSameOnEveryBackend) {
  const TinyFolder folder("BertForTokenClassification");
  const Tensor expected = Model::open(folder.path()).forward({{"input_ids", some_ids()}}).at("logits");
  for (const std::string& backend : backends()) {
    const Tensor actual =
        Model::open(folder.path(), {.backend = backend}).forward({{"input_ids", some_ids()}}).at("logits");
    for (size_t i = 0; i < expected.f32().size(); ++i) EXPECT_NEAR(actual.f32()[i], expected.f32()[i], 1e-5) << backend;
  }
}

TEST(Model, SaysWhatIsWrongWithOptions) {
  const TinyFolder folder;
  auto open = [&](const LoadOptions& options) { return refusal([&] { Model::open(folder.path(), options); }); };
  expect_part(open({.backend = "abacus"}), "unsupported: backend \"abacus\" is unknown; available: cpu");
  expect_part(open({.precision = "int3"}), "unsupported: precision \"int3\" is not available");
  expect_part(open({.instruction_set = "mmx"}), "instruction set \"mmx\" is unknown");
  expect_part(open({.head = "GptModel"}), "head \"GptModel\" is unknown for model type bert");
  EXPECT_EQ(open({.precision = "f32", .threads = 1, .strict = true}), "no error");
}

TEST(Model, SaysWhatIsWrongWithAFolder) {
  const TinyFolder folder;
  auto open = [&] { return refusal([&] { Model::open(folder.path()); }); };
  expect_part(refusal([&] { Model::open(folder.path() / "nowhere"); }), "not_found: ");
  expect_part(refusal([&] { Model::open(folder.path() / "config.json"); }), "not_found: ");
  folder.write("model.safetensors", std::string("\x08\0\0\0\0\0\0\0{}", 10));
  expect_part(open(), "invalid_file: ");
  folder.remove("model.safetensors");
  expect_part(open(), "not_found: ");
  Json config = test::tiny_bert_config();
  config["model_type"] = "perceptron";
  folder.write("config.json", config);
  expect_part(open(), "unsupported: model type \"perceptron\"");
  folder.write("config.json", std::string("{"));
  expect_part(open(), "invalid_file: ");
  folder.remove("config.json");
  expect_part(open(), "not_found: ");
}

TEST(Inspect, DescribesAFolder) {
  const TinyFolder folder("BertForMaskedLM");
  NamedTensors tensors = test::tiny_bert_tensors("BertForMaskedLM");
  int64_t parameters = 0;
  for (const auto& [name, tensor] : tensors) parameters += tensor.count();
  tensors["spare"] = Tensor::allocate(DType::kF16, {4});
  write_tensors(folder.path() / "model.safetensors", tensors);
  const ModelInfo info = inspect(folder.path());
  EXPECT_EQ(info.model_type, "bert");
  EXPECT_EQ(info.head, "BertForMaskedLM");
  EXPECT_EQ(info.heads.front(), "BertModel");
  EXPECT_EQ(info.default_task, "fill-mask");
  EXPECT_TRUE(std::ranges::count(info.tasks, "sentence-embedding") == 1);
  EXPECT_EQ(info.parameters, parameters + 4);
  EXPECT_EQ(info.file_bytes, parameters * 4 + 8);
  EXPECT_EQ(info.dtypes.at("F16"), 1);
  EXPECT_EQ(info.dtypes.at("F32"), static_cast<int64_t>(tensors.size()) - 1);
  EXPECT_EQ(info.max_length, test::kTinyPositions);
  EXPECT_EQ(info.vocabulary, test::kTinyVocabularySize);
  EXPECT_TRUE(info.packs_rows);
  EXPECT_EQ(info.memory_tokens, test::kTinyPositions);
  EXPECT_GT(info.memory_bytes.at("f32"), parameters * 4);
  EXPECT_GT(info.memory_bytes.at("bf16"), parameters * 2);
  EXPECT_LT(info.memory_bytes.at("bf16"), info.memory_bytes.at("f32"));
  EXPECT_GT(info.available_bytes, 0);
  EXPECT_EQ(info.unused_tensors, std::vector<std::string>{"spare"});
  expect_part(refusal([&] { inspect(folder.path(), {.strict = true}); }), "1 tensors are not used by the model: spare");
}

TEST(Inspect, AHeadWithoutATaskHasNoDefault) {
  const TinyFolder folder("BertForQuestionAnswering");
  EXPECT_EQ(inspect(folder.path()).default_task, "");
  EXPECT_EQ(inspect(folder.path(), {.head = "BertModel"}).default_task, "feature-extraction");
}

TEST(DumpGraphs, PrintsTheRecording) {
  const TinyFolder folder;
  const std::string dump = dump_graphs(folder.path());
  EXPECT_EQ(dump.substr(0, 14), "graph encode {");
  expect_part(dump, "# bert.encoder.layer.1.attention");
  expect_part(dump, "output \"last_hidden_state\"");
}

TEST(SupportedModels, ComeWithEvidence) {
  const std::vector<SupportedModel> models = supported_models();
  ASSERT_FALSE(models.empty());
  for (const SupportedModel& model : models) {
    EXPECT_GT(model.cases, 0) << model.model_type << " " << model.head;
    EXPECT_FALSE(model.errors.empty()) << model.model_type << " " << model.head;
  }
  const auto bert = std::ranges::find_if(models, [](const SupportedModel& m) { return m.head == "BertForMaskedLM"; });
  ASSERT_NE(bert, models.end());
  EXPECT_EQ(bert->tasks, std::vector<std::string>{"fill-mask"});
}

}  // namespace
}  // namespace gamut
