// Weights that are no numbers: a task fails and says so, forward hands the raw values on.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "faults/model_folder.h"
#include "gamut/model.h"
#include "gamut/task.h"

namespace gamut::faults {
namespace {

namespace fs = std::filesystem;

class Numbers : public testing::TestWithParam<float> {
 protected:
  /// A model one of whose words has the value of this test; its id is 5, "a".
  fs::path folder_with(const std::string& head) const {
    write_model(folder_, head);
    NamedTensors tensors = read_tensors(folder_ / "model.safetensors");
    for (auto& [name, table] : tensors) {
      if (name.ends_with("word_embeddings.weight")) table.mutable_f32()[5 * table.dim(1)] = GetParam();
    }
    write_tensors(folder_ / "model.safetensors", tensors);
    return folder_;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_ = fs::temp_directory_path() / ("gamut-numbers-" + std::to_string(::getpid()));
};

template <typename Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return std::string(error_code_name(error.code())) + ": " + error.message();
  }
  return "";
}

TEST_P(Numbers, FailTheTextThatMeetsThem) {
  const auto embedder = SentenceEmbedder::open(folder_with("BertModel"));
  const std::vector<std::string> harmless{"b the."}, mixed{"b the.", "b a b"};
  const auto alone = embedder.embed(harmless);
  EXPECT_EQ(refusal([&] { embedder.embed(mixed); }),
            "invalid_file: text 1: the sentence embedding holds NaN or infinity, expected finite numbers");
  EXPECT_EQ(embedder.embed(harmless), alone);
}

TEST_P(Numbers, FailFillMask) {
  const auto pipeline = Pipeline::open(folder_with("BertForMaskedLM"), "fill-mask");
  const std::string answer = refusal([&] { pipeline.run(R"({"inputs": ["b [MASK]", "a [MASK]"]})"); });
  EXPECT_TRUE(answer.ends_with("the sum of the probabilities holds NaN or infinity, expected finite numbers"))
      << answer;
  EXPECT_TRUE(answer.starts_with("invalid_file: text ")) << answer;
}

TEST_P(Numbers, ComeOutOfForward) {
  const Model model = Model::open(folder_with("BertModel"));
  const std::vector<int64_t> ids{5, 6};
  const Tensor hidden =
      model.forward({{"input_ids", Tensor::from({2, 1}, std::span<const int64_t>(ids))}}).at("last_hidden_state");
  EXPECT_FALSE(std::isfinite(hidden.f32()[0]));
  EXPECT_TRUE(std::isfinite(hidden.f32()[static_cast<size_t>(hidden.dim(2))]));
}

INSTANTIATE_TEST_SUITE_P(All, Numbers,
                         testing::Values(std::numeric_limits<float>::quiet_NaN(),
                                         std::numeric_limits<float>::infinity(),
                                         -std::numeric_limits<float>::infinity()));

}  // namespace
}  // namespace gamut::faults
