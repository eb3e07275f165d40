// sentence-embedding: one vector per text, pooled and normalised as the checkpoint says.
#include <nlohmann/json.hpp>

#include "tasks/support/embedding.h"
#include "tasks/support/request.h"
#include "tasks/task.h"

namespace gamut {
namespace {

class SentenceEmbeddingTask : public Task {
 public:
  SentenceEmbeddingTask(const ModelFolder& folder, const LoadOptions& options) : model_(folder, options) {}

  Json run(const Json& request, const TextCallback&) const override {
    const std::vector<std::string> texts = as_texts(request_inputs(request), "inputs");
    check_parameters(request, {"truncate"});
    return model_.embed(texts, bool_parameter(request, "truncate", true));
  }

 private:
  EmbeddingModel model_;
};

}  // namespace

extern const TaskEntry kSentenceEmbedding{
    .name = "sentence-embedding",
    .summary = "one vector per text",
    .request = R"({"inputs": ["a text", "another"]})",
    .result = "[[0.1, …], …]",
    .head_suffixes = {"Model"},
    .open = [](const ModelFolder& folder, const LoadOptions& options) -> std::unique_ptr<Task> {
      return std::make_unique<SentenceEmbeddingTask>(folder, options);
    }};

}  // namespace gamut
