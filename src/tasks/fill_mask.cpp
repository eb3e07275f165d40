// fill-mask: the likeliest tokens for each mask token of a text.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/error.h"
#include "base/excerpt.h"
#include "tasks/support/finite.h"
#include "tasks/support/request.h"
#include "tasks/support/text_runner.h"
#include "tasks/task.h"

namespace gamut {

extern const TaskEntry kFillMask;

namespace {

class FillMaskTask : public Task {
 public:
  FillMaskTask(const ModelFolder& folder, const LoadOptions& options) : runner_(make_runner(folder, options)) {}

  Json run(const Json& request, const TextCallback&) const override {
    const Json& inputs = request_inputs(request);
    check_parameters(request, {"top_k", "targets", "truncate"});
    const std::vector<std::string> texts = as_texts(inputs, "inputs");
    const int64_t vocabulary = runner_.session().program().inputs.front().limit;
    const Wanted wanted{int_parameter(request, "top_k", 5, 1, vocabulary), target_ids(request)};
    Json results = Json::array();
    results.get_ref<Json::array_t&>().resize(texts.size());
    runner_.run(texts, bool_parameter(request, "truncate", false),
                [&](size_t index, const Encoding& encoding, const NamedTensors& outputs) {
                  results[index] = fill(index, encoding, outputs.at("logits"), wanted);
                });
    return inputs.is_string() ? results[0] : results;
  }

 private:
  struct Wanted {
    int64_t top_k;
    std::vector<int64_t> targets;  // the ids that answers are limited to; empty: all
  };

  static TextRunner make_runner(const ModelFolder& folder, const LoadOptions& options) {
    LoadOptions masked = options;
    masked.head = head_for(folder.architecture(), kFillMask);
    return TextRunner(folder, folder.compile(folder.record(masked).program, options), std::nullopt);
  }

  int64_t mask_id() const {
    const auto id = runner_.tokenizer().special_token_ids().mask;
    if (!id) fail(ErrorCode::kUnsupported, "fill-mask: the tokenizer defines no mask token");
    return *id;
  }

  /// Ids that the answers are limited to; empty: all.
  std::vector<int64_t> target_ids(const Json& request) const {
    const Json* targets = find_parameter(request, "targets");
    std::vector<int64_t> ids;
    if (targets == nullptr) return ids;
    for (const std::string& target : as_texts(*targets, "parameter targets")) {
      const auto id = runner_.tokenizer().token_to_id(target);
      if (!id)
        fail(ErrorCode::kInvalidArgument, "parameter targets: \"{}\" is not a token of the vocabulary",
             excerpt(target));
      if (std::ranges::count(ids, *id) == 0) ids.push_back(*id);
    }
    if (ids.empty()) fail(ErrorCode::kInvalidArgument, "parameter targets: expected at least one token");
    return ids;
  }

  /// One list of answers per mask; the list itself when there is only one mask, as the pipeline of transformers gives
  /// it.
  Json fill(size_t index, const Encoding& encoding, const Tensor& logits, const Wanted& wanted) const {
    std::vector<size_t> places;
    for (size_t i = 0; i < encoding.ids.size(); ++i) {
      if (encoding.ids[i] == mask_id()) places.push_back(i);
    }
    if (places.empty()) {
      fail(ErrorCode::kInvalidArgument, "text {} has no mask token; expected {} in it", index,
           runner_.tokenizer().id_to_token(mask_id()).value_or("one"));
    }
    Json all = Json::array();
    for (size_t place : places) {
      const int64_t width = logits.dim(1);
      const auto line = logits.f32().subspan(place * static_cast<size_t>(width), static_cast<size_t>(width));
      require_possible(line, index);
      all.push_back(answers(encoding, place, line, wanted, places.size() == 1));
    }
    return places.size() == 1 ? all[0] : all;
  }

  /// A word may be impossible (its score minus infinity); beyond that scores are numbers.
  static void require_possible(std::span<const float> logits, size_t text) {
    const float highest = *std::ranges::max_element(logits);
    double sum = 0;
    for (const float value : logits) sum += std::exp(static_cast<double>(value) - highest);
    const float total = static_cast<float>(sum);
    require_finite({&total, 1}, text, "the sum of the probabilities");
  }

  Json answers(const Encoding& encoding, size_t place, std::span<const float> logits, const Wanted& wanted,
               bool skip_special) const {
    const double highest = *std::ranges::max_element(logits);
    double sum = 0;
    for (float value : logits) sum += std::exp(value - highest);
    std::vector<int64_t> candidates = wanted.targets;
    if (candidates.empty()) {
      candidates.resize(logits.size());
      std::iota(candidates.begin(), candidates.end(), int64_t{0});
    }
    const int64_t top_k = std::min<int64_t>(wanted.top_k, static_cast<int64_t>(candidates.size()));
    std::ranges::partial_sort(candidates, candidates.begin() + top_k, [&](int64_t a, int64_t b) {
      return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
    });
    Json list = Json::array();
    for (int64_t i = 0; i < top_k; ++i) {
      const int64_t id = candidates[i];
      std::vector<int64_t> filled = encoding.ids;
      filled[place] = id;
      const std::vector<int64_t> alone{id};
      list.push_back({{"score", std::exp(logits[id] - highest) / sum},
                      {"token", id},
                      {"token_str", runner_.tokenizer().decode(alone, /*skip_special_tokens=*/false)},
                      {"sequence", runner_.tokenizer().decode(filled, skip_special)}});
    }
    return list;
  }

  TextRunner runner_;
};

}  // namespace

const TaskEntry kFillMask{
    .name = "fill-mask",
    .summary = "the likeliest tokens in place of the mask token of a text",
    .request = R"({"inputs": "Paris is the [MASK] of France.", "parameters": {"top_k": 5, "targets": ["capital"]}})",
    .result = R"([{"score", "token", "token_str", "sequence"}, …]; a list of those for several masks)",
    .head_suffixes = {"ForMaskedLM"},
    .open = [](const ModelFolder& folder, const LoadOptions& options) -> std::unique_ptr<Task> {
      return std::make_unique<FillMaskTask>(folder, options);
    }};

}  // namespace gamut
