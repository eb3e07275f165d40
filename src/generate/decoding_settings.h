// The settings of generation with every value decided: what the caller says, else the checkpoint, else transformers.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gamut/decoding.h"

namespace gamut {

/// As DecodingOptions; values that change nothing stand for what is off.
struct DecodingSettings {
  bool do_sample = false;
  double temperature = 1;
  std::optional<double> top_h;
  int64_t top_k = 0;
  double top_p = 1;
  double min_p = 0;
  double typical_p = 1;
  double epsilon_cutoff = 0;
  double eta_cutoff = 0;

  std::vector<SequenceBias> sequence_bias;
  double repetition_penalty = 1;
  double frequency_penalty = 0;
  double presence_penalty = 0;
  int64_t no_repeat_ngram_size = 0;
  std::vector<std::vector<int64_t>> bad_words_ids;
  int64_t min_length = 0;
  std::optional<int64_t> forced_bos_token_id;
  std::vector<int64_t> forced_eos_token_id;
  bool remove_invalid_values = false;
  std::optional<LengthDecay> exponential_decay_length_penalty;
  std::vector<int64_t> suppress_tokens;
  std::vector<int64_t> begin_suppress_tokens;
  bool renormalize_logits = false;

  int64_t num_beams = 1;
  int64_t num_beam_groups = 1;
  double diversity_penalty = 0;
  double length_penalty = 1;
  EarlyStopping early_stopping = EarlyStopping::kNo;
  int64_t num_return_sequences = 1;
  std::optional<int64_t> max_length;
  std::optional<int64_t> logprobs;
};

/// The options, with what they leave open from the checkpoint. Throws Error{kInvalidArgument} for values that cannot
/// be, of those that are in force: filters count only where tokens are drawn, groups only where there are several
/// beams.
DecodingSettings decide(const DecodingOptions& options, const DecodingOptions& checkpoint);

/// Throws Error{kInvalidArgument} for ids that a vocabulary of this size (0: unknown) does not have, and
/// Error{kResourceLimit} for more beams over it than memory should be spent on.
void check_vocabulary(const DecodingSettings& settings, int64_t vocabulary);

}  // namespace gamut
