#include "tasks/support/generation_parameters.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "config/config.h"
#include "generate/settings.h"
#include "tasks/support/request.h"

namespace gamut {
namespace {

/// Calls `visit(name, field)` for every option that has a JSON form.
template <typename Options, typename Visit>
void visit_options(Options& options, Visit visit) {
  visit("max_new_tokens", options.max_new_tokens);
  visit("min_new_tokens", options.min_new_tokens);
  visit("stop", options.stop);
  visit("stop_ids", options.stop_ids);
  visit("ignore_eos", options.ignore_eos);
  visit("add_special_tokens", options.add_special_tokens);
  visit("bad_words", options.bad_words);
  visit("seed", options.decoding.seed);
  visit("logprobs", options.decoding.logprobs);
}

/// The same for the settings that have the names and forms of generation_config.json.
template <typename Visit>
void visit_decoding(const DecodingOptions& d, Visit visit) {
  visit("do_sample", d.do_sample), visit("temperature", d.temperature), visit("top_h", d.top_h);
  visit("top_k", d.top_k), visit("top_p", d.top_p), visit("min_p", d.min_p), visit("typical_p", d.typical_p);
  visit("epsilon_cutoff", d.epsilon_cutoff), visit("eta_cutoff", d.eta_cutoff);
  visit("sequence_bias", d.sequence_bias), visit("repetition_penalty", d.repetition_penalty);
  visit("frequency_penalty", d.frequency_penalty), visit("presence_penalty", d.presence_penalty);
  visit("no_repeat_ngram_size", d.no_repeat_ngram_size), visit("bad_words_ids", d.bad_words_ids);
  visit("min_length", d.min_length), visit("forced_bos_token_id", d.forced_bos_token_id);
  visit("forced_eos_token_id", d.forced_eos_token_id), visit("remove_invalid_values", d.remove_invalid_values);
  visit("exponential_decay_length_penalty", d.exponential_decay_length_penalty);
  visit("suppress_tokens", d.suppress_tokens), visit("begin_suppress_tokens", d.begin_suppress_tokens);
  visit("renormalize_logits", d.renormalize_logits), visit("num_beams", d.num_beams);
  visit("num_beam_groups", d.num_beam_groups), visit("diversity_penalty", d.diversity_penalty);
  visit("length_penalty", d.length_penalty), visit("early_stopping", d.early_stopping);
  visit("num_return_sequences", d.num_return_sequences), visit("max_length", d.max_length);
}

template <typename T>
Json to_json(const T& value) {
  return value;
}
Json to_json(const std::vector<SequenceBias>& biases) {
  Json json = Json::array();
  // JSON has no infinity; this rules a token out as well.
  constexpr double kLeast = -1e30;
  for (const SequenceBias& one : biases) json.push_back({one.ids, std::max(one.bias, kLeast)});
  return json;
}
Json to_json(const LengthDecay& decay) { return {decay.start, decay.factor}; }
Json to_json(const EarlyStopping& stopping) {
  return stopping == EarlyStopping::kNever ? Json("never") : Json(stopping == EarlyStopping::kYes);
}

/// Sets fields from the members of a request's "parameters".
class Reader {
 public:
  explicit Reader(const Json& request) : request_(request) {}

  void operator()(const char* name, bool& field) const { field = bool_parameter(request_, name, field); }
  void operator()(const char* name, std::optional<uint64_t>& field) const {
    if (find_parameter(request_, name) != nullptr) {
      field = static_cast<uint64_t>(int_parameter(request_, name, 0, 0, INT64_MAX));
    }
  }
  void operator()(const char* name, std::optional<int64_t>& field) const {
    if (find_parameter(request_, name) != nullptr) field = int_parameter(request_, name, 0, 0, INT64_MAX);
  }
  void operator()(const char* name, std::vector<std::string>& field) const {
    const Json* value = find_parameter(request_, name);
    if (value != nullptr) field = as_texts(*value, fmt::format("parameter {}", name));
  }
  void operator()(const char* name, std::vector<int64_t>& field) const {
    const Json* value = find_parameter(request_, name);
    if (value == nullptr) return;
    if (!value->is_array()) fail(ErrorCode::kInvalidArgument, "parameter {}: expected an array of ids", name);
    for (const Json& id : *value) {
      if (!id.is_number_integer() || id < 0 || id > INT64_MAX) {
        fail(ErrorCode::kInvalidArgument, "parameter {}: expected an array of ids, integers from 0 on", name);
      }
      field.push_back(id.get<int64_t>());
    }
  }

 private:
  const Json& request_;
};

}  // namespace

std::vector<std::string> generation_parameter_names() {
  std::vector<std::string> names;
  const GenerateOptions options;
  visit_options(options, [&](const char* name, const auto&) { names.emplace_back(name); });
  visit_decoding(options.decoding, [&](const char* name, const auto&) { names.emplace_back(name); });
  return names;
}

GenerateOptions read_generation_parameters(const Json& request) {
  GenerateOptions options;
  const Json* const parameters = request.contains("parameters") ? &request["parameters"] : nullptr;
  try {
    if (parameters != nullptr && parameters->is_object()) {
      options.decoding = read_decoding(Config::from_json(*parameters, "parameters"));
    }
  } catch (const Error& error) {
    throw Error(ErrorCode::kInvalidArgument, error.message(), error.hint());
  }
  visit_options(options, Reader(request));
  return options;
}

Json write_generation_parameters(const GenerateOptions& options) {
  const GenerateOptions defaults;
  Json all = Json::object(), initial = Json::object();
  auto write_to = [](Json& to) {
    return [&to](const char* name, const auto& field) {
      if constexpr (requires { field.has_value(); }) {
        to[name] = field ? Json(*field) : Json(nullptr);
      } else {
        to[name] = field;
      }
    };
  };
  visit_options(options, write_to(all));
  visit_options(defaults, write_to(initial));
  Json changed = Json::object();
  for (const auto& [name, value] : all.items()) {
    if (value != initial[name]) changed[name] = value;
  }
  visit_decoding(options.decoding, [&](const char* name, const auto& field) {
    if (field) changed[name] = to_json(*field);
  });
  return changed;
}

}  // namespace gamut
