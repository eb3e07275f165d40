// feature-extraction: the base model's vector for every token of a text.
#include <nlohmann/json.hpp>

#include "tasks/support/request.h"
#include "tasks/support/text_runner.h"
#include "tasks/task.h"

namespace gamut {
namespace {

class FeatureExtractionTask : public Task {
 public:
  FeatureExtractionTask(const ModelFolder& folder, const LoadOptions& options)
      : runner_(make_runner(folder, options)) {}

  Json run(const Json& request, const TextCallback&) const override {
    const Json& inputs = request_inputs(request);
    check_parameters(request, {"truncate"});
    const std::vector<std::string> texts = as_texts(inputs, "inputs");
    Json results = Json::array();
    results.get_ref<Json::array_t&>().resize(texts.size());
    runner_.run(texts, bool_parameter(request, "truncate", false),
                [&](size_t index, const Encoding&, const NamedTensors& outputs) {
                  const Tensor& hidden = outputs.at("last_hidden_state");
                  const auto values = hidden.f32();
                  const int64_t width = hidden.dim(1);
                  Json tokens = Json::array();
                  for (int64_t t = 0; t < hidden.dim(0); ++t) {
                    tokens.push_back(std::vector<float>(values.begin() + t * width, values.begin() + (t + 1) * width));
                  }
                  results[index] =
                      Json::array({std::move(tokens)});  // the pipeline's form has a batch axis of one for each text
                });
    return inputs.is_string() ? results[0] : results;
  }

 private:
  static TextRunner make_runner(const ModelFolder& folder, const LoadOptions& options) {
    LoadOptions base = options;
    base.head = folder.architecture().heads.front();
    return TextRunner(folder, folder.compile(folder.record(base).program, options), std::nullopt);
  }

  TextRunner runner_;
};

}  // namespace

extern const TaskEntry kFeatureExtraction{
    .name = "feature-extraction",
    .summary = "a vector for every token of a text",
    .request = R"({"inputs": "a text", "parameters": {"truncate": true}})",
    .result = "[[[0.1, …], …]]: [1, tokens, width] for a text, a list of those for a list",
    .head_suffixes = {"Model"},
    .open = [](const ModelFolder& folder, const LoadOptions& options) -> std::unique_ptr<Task> {
      return std::make_unique<FeatureExtractionTask>(folder, options);
    }};

}  // namespace gamut
