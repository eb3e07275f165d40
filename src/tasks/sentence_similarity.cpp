// sentence-similarity: how close each sentence is to a source sentence.
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tasks/support/embedding.h"
#include "tasks/support/request.h"
#include "tasks/task.h"

namespace gamut {
namespace {

/// As sentence-transformers defines its four similarities; the distances are negated, so that larger is closer.
double similarity(const std::string& kind, const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0, aa = 0, bb = 0, squares = 0, absolutes = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    dot += x * y, aa += x * x, bb += y * y;
    squares += (x - y) * (x - y), absolutes += std::fabs(x - y);
  }
  if (kind == "dot") return dot;
  if (kind == "euclidean") return -std::sqrt(squares);
  if (kind == "manhattan") return -absolutes;
  const double lengths = std::sqrt(aa) * std::sqrt(bb);
  return lengths == 0 ? 0 : dot / lengths;
}

class SentenceSimilarityTask : public Task {
 public:
  SentenceSimilarityTask(const ModelFolder& folder, const LoadOptions& options) : model_(folder, options) {}

  Json run(const Json& request, const TextCallback&) const override {
    const Json& inputs = request_inputs(request);
    check_parameters(request, {"truncate"});
    if (!inputs.is_object() || !inputs.contains("source_sentence") || !inputs.contains("sentences") ||
        inputs.size() != 2 || !inputs["source_sentence"].is_string()) {
      fail(ErrorCode::kInvalidArgument,
           "inputs: expected an object with \"source_sentence\" (a string) and \"sentences\"");
    }
    std::vector<std::string> texts = as_texts(inputs["sentences"], "inputs.sentences");
    texts.push_back(inputs["source_sentence"].get<std::string>());
    const std::vector<std::vector<float>> embeddings = model_.embed(texts, bool_parameter(request, "truncate", true));
    Json scores = Json::array();
    for (size_t i = 0; i + 1 < embeddings.size(); ++i) {
      scores.push_back(similarity(model_.similarity(), embeddings.back(), embeddings[i]));
    }
    return scores;
  }

 private:
  EmbeddingModel model_;
};

}  // namespace

extern const TaskEntry kSentenceSimilarity{
    .name = "sentence-similarity",
    .summary = "how close each sentence is to a source sentence",
    .request = R"({"inputs": {"source_sentence": "a text", "sentences": ["another", "a third"]}})",
    .result = "[0.83, 0.12]",
    .head_suffixes = {"Model"},
    .open = [](const ModelFolder& folder, const LoadOptions& options) -> std::unique_ptr<Task> {
      return std::make_unique<SentenceSimilarityTask>(folder, options);
    }};

}  // namespace gamut
