#include "generate/settings.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace gamut {
namespace {

constexpr IntRange kId{.min = 0};
constexpr IntRange kCount{.min = 0};

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
  constexpr Setting kNumbers[] = {{"num_beams", 1},       {"no_repeat_ngram_size", 0},
                                  {"penalty_alpha", 0},   {"encoder_repetition_penalty", 1},
                                  {"guidance_scale", 1},  {"encoder_no_repeat_ngram_size", 0},
                                  {"num_beam_groups", 1}, {"prompt_lookup_num_tokens", 0}};
  auto add = [&](const std::string& text) {
    settings->warnings.push_back(fmt::format("{}: {} is not followed", config.source(), text));
  };
  if (config.given("do_sample") && config.b_or("do_sample", false)) {
    settings->warnings.push_back(
        fmt::format("{}: do_sample is true; here the likeliest token is taken", config.source()));
  }
  for (const Setting& setting : kNumbers) {
    if (!config.given(setting.name) || !config.has(setting.name)) continue;
    const double value = config.num(setting.name);
    if (value != setting.neutral) add(fmt::format("{} {}", setting.name, value));
  }
  for (const char* name : {"suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "forced_bos_token_id",
                           "forced_eos_token_id", "force_words_ids", "sequence_bias", "constraints"}) {
    if (config.given(name) && config.has(name)) add(name);
  }
}

}  // namespace

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
  if (source.given("repetition_penalty")) {
    settings.repetition_penalty = source.num_or("repetition_penalty", 1, {.min = 1e-6, .max = 1e6});
  }
  warn(source, &settings);
  return settings;
}

}  // namespace gamut
