#include "generate/settings.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/excerpt.h"
#include "base/json.h"

namespace gamut {
namespace {

constexpr IntRange kId{.min = 0};
constexpr IntRange kCount{.min = 0};
constexpr IntRange kAnyId{.min = INT32_MIN};  // -1 stands for no token in some files
constexpr size_t kMostIds = 65536;
constexpr double kLargestCount = 1e9;

/// An id or a list of them; none when the field is absent.
std::vector<int64_t> ids_of(const Config& config, const char* name) {
  if (!config.given(name) || !config.has(name)) return {};
  const Json& value = config.json().at(name);
  return value.is_array() ? config.ints(name, kId) : std::vector<int64_t>{config.i(name, kId)};
}

std::optional<int64_t> count_of(const Config& config, const char* name) {
  if (!config.given(name) || !config.has(name)) return std::nullopt;
  return config.i(name, kCount);
}

/// Settings that would change the tokens, with the value that changes nothing.
void warn(const Config& config, GenerationSettings* settings) {
  struct Setting {
    const char* name;
    double neutral;
  };
  constexpr Setting kNumbers[] = {{"penalty_alpha", 0},
                                  {"encoder_repetition_penalty", 1},
                                  {"guidance_scale", 1},
                                  {"encoder_no_repeat_ngram_size", 0}};
  auto add = [&](const std::string& text) {
    settings->warnings.push_back(fmt::format("{}: {} is not followed", config.source(), text));
  };
  for (const Setting& setting : kNumbers) {
    if (!config.given(setting.name) || !config.has(setting.name)) continue;
    const double value = config.num(setting.name);
    if (value != setting.neutral) add(fmt::format("{} {}", setting.name, value));
  }
  for (const char* name : {"force_words_ids", "constraints", "watermarking_config", "dola_layers", "max_time"}) {
    if (config.given(name) && config.has(name)) add(name);
  }
}

bool is_there(const Config& config, const char* name) { return config.given(name) && config.has(name); }

[[noreturn]] void refuse(const Config& config, const char* name, const char* expected) {
  fail(ErrorCode::kInvalidFile, "{}: {} is {}, expected {}", config.source(), name,
       excerpt(config.json().at(name).dump(-1, ' ', false, Json::error_handler_t::replace)), expected);
}

/// An array of arrays of ids, as JSON has it.
std::vector<int64_t> ids_in(const Json& json, const Config& config, const char* name, const char* expected) {
  if (!json.is_array() || json.empty() || json.size() > kMostIds) refuse(config, name, expected);
  std::vector<int64_t> ids;
  for (const Json& id : json) {
    if (!id.is_number_integer() || id < 0 || id > INT32_MAX) refuse(config, name, expected);
    ids.push_back(id.get<int64_t>());
  }
  return ids;
}

const Json& array_of(const Config& config, const char* name, const char* expected) {
  const Json& json = config.json().at(name);
  if (!json.is_array() || json.size() > kMostIds) refuse(config, name, expected);
  return json;
}

std::vector<std::vector<int64_t>> read_bad_words(const Config& config) {
  const char* const expected = "a list of lists of ids";
  std::vector<std::vector<int64_t>> words;
  for (const Json& ids : array_of(config, "bad_words_ids", expected)) {
    words.push_back(ids_in(ids, config, "bad_words_ids", expected));
  }
  return words;
}

std::vector<SequenceBias> read_biases(const Config& config) {
  const char* const expected = "a list of pairs, of a list of ids and a number";
  std::vector<SequenceBias> biases;
  for (const Json& pair : array_of(config, "sequence_bias", expected)) {
    if (!pair.is_array() || pair.size() != 2 || !pair[1].is_number()) refuse(config, "sequence_bias", expected);
    biases.push_back({ids_in(pair[0], config, "sequence_bias", expected), pair[1].get<double>()});
  }
  return biases;
}

EarlyStopping read_early_stopping(const Config& config) {
  const Json& json = config.json().at("early_stopping");
  if (json.is_boolean()) return json.get<bool>() ? EarlyStopping::kYes : EarlyStopping::kNo;
  if (json.is_string() && json == "never") return EarlyStopping::kNever;
  refuse(config, "early_stopping", "true, false or \"never\"");
}

void read_lists(const Config& config, DecodingOptions* options) {
  if (is_there(config, "sequence_bias")) options->sequence_bias = read_biases(config);
  if (is_there(config, "bad_words_ids")) options->bad_words_ids = read_bad_words(config);
  if (is_there(config, "early_stopping")) options->early_stopping = read_early_stopping(config);
  if (is_there(config, "suppress_tokens")) options->suppress_tokens = config.ints("suppress_tokens", kAnyId);
  if (is_there(config, "begin_suppress_tokens")) {
    options->begin_suppress_tokens = config.ints("begin_suppress_tokens", kAnyId);
  }
  if (is_there(config, "forced_eos_token_id")) options->forced_eos_token_id = ids_of(config, "forced_eos_token_id");
  if (is_there(config, "exponential_decay_length_penalty")) {
    const std::vector<double> pair = config.nums("exponential_decay_length_penalty");
    if (pair.size() != 2 || pair[0] != std::floor(pair[0]) || std::fabs(pair[0]) > kLargestCount) {
      refuse(config, "exponential_decay_length_penalty", "a number of tokens and a factor");
    }
    options->exponential_decay_length_penalty = {static_cast<int64_t>(pair[0]), pair[1]};
  }
}

}  // namespace

DecodingOptions read_decoding(const Config& config) {
  DecodingOptions options;
  auto number = [&](const char* name, std::optional<double>* to) {
    if (is_there(config, name)) *to = config.num(name);
  };
  auto integer = [&](const char* name, std::optional<int64_t>* to) {
    if (is_there(config, name)) *to = config.i(name, {.min = INT32_MIN});
  };
  auto boolean = [&](const char* name, std::optional<bool>* to) {
    if (is_there(config, name)) *to = config.b(name);
  };
  boolean("do_sample", &options.do_sample), boolean("renormalize_logits", &options.renormalize_logits);
  boolean("remove_invalid_values", &options.remove_invalid_values);
  number("temperature", &options.temperature), number("top_h", &options.top_h), number("top_p", &options.top_p);
  number("min_p", &options.min_p), number("typical_p", &options.typical_p);
  number("epsilon_cutoff", &options.epsilon_cutoff), number("eta_cutoff", &options.eta_cutoff);
  number("repetition_penalty", &options.repetition_penalty);
  number("frequency_penalty", &options.frequency_penalty), number("presence_penalty", &options.presence_penalty);
  number("diversity_penalty", &options.diversity_penalty), number("length_penalty", &options.length_penalty);
  integer("top_k", &options.top_k), integer("no_repeat_ngram_size", &options.no_repeat_ngram_size);
  integer("min_length", &options.min_length), integer("max_length", &options.max_length);
  integer("num_beams", &options.num_beams), integer("num_beam_groups", &options.num_beam_groups);
  integer("num_return_sequences", &options.num_return_sequences);
  integer("forced_bos_token_id", &options.forced_bos_token_id);
  read_lists(config, &options);
  return options;
}

GenerationSettings read_generation_settings(const std::filesystem::path& folder, const Config& config) {
  const std::filesystem::path path = folder / "generation_config.json";
  const bool has_own = std::filesystem::exists(path);
  const Config source = has_own ? Config::from_json(parse_json_file(path), path.string()) : config;
  GenerationSettings settings;
  settings.eos_ids = ids_of(source, "eos_token_id");
  if (settings.eos_ids.empty() && !has_own && config.has("eos_token_id")) {
    settings.eos_ids = {config.i("eos_token_id", kId)};
  }
  const std::vector<int64_t> padding = ids_of(source, "pad_token_id");
  if (!padding.empty()) settings.padding_id = padding.front();
  if (!has_own) return settings;
  settings.max_new_tokens = count_of(source, "max_new_tokens");
  settings.min_new_tokens = count_of(source, "min_new_tokens");
  settings.decoding = read_decoding(source);
  if (is_there(source, "stop_strings")) {
    settings.stop_strings = source.json().at("stop_strings").is_string()
                                ? std::vector<std::string>{source.s("stop_strings")}
                                : source.strings("stop_strings");
  }
  warn(source, &settings);
  return settings;
}

}  // namespace gamut
