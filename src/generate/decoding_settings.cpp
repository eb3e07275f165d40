#include "generate/decoding_settings.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "base/error.h"

namespace gamut {
namespace {

constexpr int64_t kTransformersTopK = 50;
constexpr int64_t kMostBeams = 1024, kMostSequences = 1024, kMostLogprobs = 1024;
/// Logits of one step over all beams of a prompt.
constexpr int64_t kMostBeamLogits = int64_t{1} << 28;
constexpr double kLargestBias = 1e30;

/// Inclusive bounds, of which `above` excludes the lower one and `below` the upper one.
struct Range {
  double min = 0, max = std::numeric_limits<double>::max();
  bool above = false, below = false;
};

void check_number(const char* name, double value, Range range) {
  const bool fits =
      (range.above ? value > range.min : value >= range.min) && (range.below ? value < range.max : value <= range.max);
  if (fits && std::isfinite(value)) return;
  const std::string low = fmt::format("{} {}", range.above ? "above" : "from", range.min);
  if (range.max == std::numeric_limits<double>::max()) {
    fail(ErrorCode::kInvalidArgument, "{}: {} is not a finite number {}", name, value, low);
  }
  fail(ErrorCode::kInvalidArgument, "{}: {} is not a number {} {} {}", name, value, low,
       range.below ? "and below" : "to", range.max);
}

void check_count(const char* name, int64_t value, int64_t min, int64_t max = std::numeric_limits<int64_t>::max()) {
  if (value >= min && value <= max) return;
  if (max == std::numeric_limits<int64_t>::max()) {
    fail(ErrorCode::kInvalidArgument, "{}: {} is not a number from {} on", name, value, min);
  }
  fail(ErrorCode::kInvalidArgument, "{}: {} is not a number from {} to {}", name, value, min, max);
}

void check_filters(const DecodingSettings& s) {
  if (s.temperature == 0) {
    fail_with_hint(ErrorCode::kInvalidArgument, "temperature: 0 is not a finite number above 0",
                   "Set do_sample to false (--greedy) for the likeliest token each time.");
  }
  check_number("temperature", s.temperature, {.min = 0, .above = true});
  if (s.top_h) check_number("top_h", *s.top_h, {.min = 0, .max = 1, .above = true});
  check_count("top_k", s.top_k, 0);
  check_number("top_p", s.top_p, {.max = 1});
  check_number("min_p", s.min_p, {.max = 1});
  check_number("typical_p", s.typical_p, {.max = 1, .above = true});
  check_number("epsilon_cutoff", s.epsilon_cutoff, {.max = 1, .below = true});
  check_number("eta_cutoff", s.eta_cutoff, {.max = 1, .below = true});
}

void check_biases(const DecodingSettings& s) {
  for (const SequenceBias& bias : s.sequence_bias) {
    if (bias.ids.empty()) fail(ErrorCode::kInvalidArgument, "sequence_bias: a sequence has no ids");
    const bool is_out = bias.bias == -std::numeric_limits<double>::infinity();
    if (!is_out) check_number("sequence_bias", bias.bias, {.min = -kLargestBias, .max = kLargestBias});
  }
  for (const std::vector<int64_t>& ids : s.bad_words_ids) {
    if (ids.empty()) fail(ErrorCode::kInvalidArgument, "bad_words_ids: a sequence has no ids");
  }
}

void check_processors(const DecodingSettings& s) {
  check_number("repetition_penalty", s.repetition_penalty, {.min = 0, .above = true});
  check_number("frequency_penalty", s.frequency_penalty, {.min = -2, .max = 2});
  check_number("presence_penalty", s.presence_penalty, {.min = -2, .max = 2});
  check_count("no_repeat_ngram_size", s.no_repeat_ngram_size, 0);
  check_count("min_length", s.min_length, 0);
  if (s.exponential_decay_length_penalty) {
    check_count("exponential_decay_length_penalty", s.exponential_decay_length_penalty->start, 0);
    check_number("exponential_decay_length_penalty", s.exponential_decay_length_penalty->factor,
                 {.min = 0, .above = true});
  }
  check_biases(s);
}

void check_beams(const DecodingSettings& s) {
  check_count("num_beams", s.num_beams, 1, kMostBeams);
  check_count("num_return_sequences", s.num_return_sequences, 1, kMostSequences);
  if (s.num_beams == 1) {
    if (s.do_sample || s.num_return_sequences == 1) return;
    fail_with_hint(ErrorCode::kInvalidArgument,
                   fmt::format("num_return_sequences: {} of one prompt would all be the same", s.num_return_sequences),
                   "Set do_sample to true, or num_beams to that number or more.");
  }
  check_count("num_return_sequences", s.num_return_sequences, 1, s.num_beams);
  check_count("num_beam_groups", s.num_beam_groups, 1, s.num_beams);
  check_number("length_penalty", s.length_penalty, {.min = -1000, .max = 1000});
  if (s.num_beam_groups == 1) return;
  if (s.num_beams % s.num_beam_groups != 0) {
    fail(ErrorCode::kInvalidArgument, "num_beam_groups: {} does not divide num_beams, {}", s.num_beam_groups,
         s.num_beams);
  }
  if (s.do_sample)
    fail(ErrorCode::kInvalidArgument, "num_beam_groups: {} with do_sample, expected 1", s.num_beam_groups);
  check_number("diversity_penalty", s.diversity_penalty, {.min = 0, .above = true});
}

void check_ids(const char* name, std::span<const int64_t> ids, int64_t vocabulary) {
  for (const int64_t id : ids) {
    if (id >= 0 && (vocabulary == 0 || id < vocabulary)) continue;
    fail(ErrorCode::kInvalidArgument, "{}: {} is outside [0, {})", name, id, vocabulary);
  }
}

/// A member of the options: the caller's, else the checkpoint's.
template <typename T>
std::optional<T> chosen(std::optional<T> DecodingOptions::*member, const DecodingOptions& options,
                        const DecodingOptions& checkpoint) {
  return options.*member ? options.*member : checkpoint.*member;
}

}  // namespace

DecodingSettings decide(const DecodingOptions& options, const DecodingOptions& checkpoint) {
  DecodingSettings s;
  auto take = [&]<typename T, typename U>(std::optional<T> DecodingOptions::*member, U* to) {
    if (std::optional<T> value = chosen(member, options, checkpoint)) *to = std::move(*value);
  };
  using Options = DecodingOptions;
  s.top_k = kTransformersTopK;
  take(&Options::do_sample, &s.do_sample), take(&Options::temperature, &s.temperature);
  take(&Options::top_h, &s.top_h), take(&Options::top_k, &s.top_k), take(&Options::top_p, &s.top_p);
  take(&Options::min_p, &s.min_p), take(&Options::typical_p, &s.typical_p);
  take(&Options::epsilon_cutoff, &s.epsilon_cutoff), take(&Options::eta_cutoff, &s.eta_cutoff);
  take(&Options::sequence_bias, &s.sequence_bias), take(&Options::repetition_penalty, &s.repetition_penalty);
  take(&Options::frequency_penalty, &s.frequency_penalty), take(&Options::presence_penalty, &s.presence_penalty);
  take(&Options::no_repeat_ngram_size, &s.no_repeat_ngram_size), take(&Options::bad_words_ids, &s.bad_words_ids);
  take(&Options::min_length, &s.min_length), take(&Options::forced_bos_token_id, &s.forced_bos_token_id);
  take(&Options::forced_eos_token_id, &s.forced_eos_token_id);
  take(&Options::remove_invalid_values, &s.remove_invalid_values);
  take(&Options::exponential_decay_length_penalty, &s.exponential_decay_length_penalty);
  take(&Options::suppress_tokens, &s.suppress_tokens);
  take(&Options::begin_suppress_tokens, &s.begin_suppress_tokens);
  take(&Options::renormalize_logits, &s.renormalize_logits);
  take(&Options::num_beams, &s.num_beams), take(&Options::num_beam_groups, &s.num_beam_groups);
  take(&Options::diversity_penalty, &s.diversity_penalty), take(&Options::length_penalty, &s.length_penalty);
  take(&Options::early_stopping, &s.early_stopping), take(&Options::num_return_sequences, &s.num_return_sequences);
  take(&Options::max_length, &s.max_length), take(&Options::logprobs, &s.logprobs);
  if (s.do_sample) check_filters(s);
  check_processors(s);
  check_beams(s);
  if (s.max_length) check_count("max_length", *s.max_length, 1);
  if (s.logprobs) check_count("logprobs", *s.logprobs, 0, kMostLogprobs);
  return s;
}

void check_vocabulary(const DecodingSettings& settings, int64_t vocabulary) {
  for (const SequenceBias& bias : settings.sequence_bias) check_ids("sequence_bias", bias.ids, vocabulary);
  for (const std::vector<int64_t>& ids : settings.bad_words_ids) check_ids("bad_words_ids", ids, vocabulary);
  if (const auto id = settings.forced_bos_token_id) check_ids("forced_bos_token_id", {&*id, 1}, vocabulary);
  check_ids("forced_eos_token_id", settings.forced_eos_token_id, vocabulary);
  if (settings.num_beams > 1 && settings.num_beams * vocabulary > kMostBeamLogits) {
    fail(ErrorCode::kResourceLimit, "num_beams: {} over a vocabulary of {} need more than {} MiB for one step",
         settings.num_beams, vocabulary, kMostBeamLogits / (1 << 20) * static_cast<int64_t>(sizeof(float)));
  }
}

}  // namespace gamut
