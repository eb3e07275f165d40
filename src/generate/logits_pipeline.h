// All that a line of logits goes through before a token is chosen, in the order that transformers has.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "generate/decoding_settings.h"
#include "generate/logits_filters.h"
#include "generate/token_history.h"

namespace gamut {

/// Where in its text a sequence is.
struct TextPlace {
  const TokenHistory& history;
  int64_t greatest_length = 0;           ///< tokens that it can have in the end
  std::span<const int64_t> chosen = {};  ///< what earlier groups of beams chose for this place
};

class LogitsPipeline {
 public:
  /// `ends` are the ids that end a text, none of which comes before `min_new_tokens` new tokens.
  LogitsPipeline(const DecodingSettings& settings, const std::vector<int64_t>& ends, int64_t min_new_tokens);

  const DecodingSettings& settings() const { return settings_; }
  /// Each id once.
  const std::vector<int64_t>& ends() const { return ends_; }

  /// Whether `process` would change anything here.
  bool changes(const TextPlace& place) const;
  /// Penalties, biases, and what is ruled out or forced. `line` f32 [V] changes in place.
  void process(std::span<float> line, const TextPlace& place) const;
  /// Temperature and filters, for tokens that are drawn.
  void filter(Candidates* candidates) const;

 private:
  bool is_end_early(const TextPlace& place) const;
  bool is_begin(const TextPlace& place) const;
  bool is_forced_begin(const TextPlace& place) const;
  bool is_forced_end(const TextPlace& place) const;
  void penalise(std::span<float> line, const TextPlace& place) const;

  DecodingSettings settings_;
  std::vector<int64_t> ends_;
  int64_t min_new_tokens_;
  bool changes_everywhere_;
};

}  // namespace gamut
