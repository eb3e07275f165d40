// How the next token is chosen: the settings of generation_config.json under the names that transformers gives them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gamut {

/// A bias that is added to the logit of the last token of `ids` wherever the tokens before it stand already.
struct SequenceBias {
  std::vector<int64_t> ids;
  double bias = 0;  ///< minus infinity rules the token out
};

/// From `start` new tokens on, ends of text become likelier by the power of `factor`.
struct LengthDecay {
  int64_t start = 0;
  double factor = 1;
};

/// When a beam search has enough.
enum class EarlyStopping {
  kNo,     // when the best running beam, at its present length, is no better than the worst finished one
  kYes,    // as soon as there are num_beams finished ones
  kNever,  // when no running beam can become better than the worst finished one
};

/// What is absent is as the checkpoint's generation_config.json says, else as the comment. Values that cannot be are
/// refused with Error{kInvalidArgument} that names the setting, the value and what is expected.
struct DecodingOptions {
  std::optional<bool> do_sample;  ///< draw the token, else take the likeliest; false

  // Filters, in this order and only where tokens are drawn.
  std::optional<double> temperature;     ///< > 0; 1
  std::optional<double> top_h;           ///< in (0,1]: entropy of what is kept, of 100 tokens; off
  std::optional<int64_t> top_k;          ///< so many likeliest tokens, 0: all; 50
  std::optional<double> top_p;           ///< in [0,1]: likeliest tokens that have this probability together; 1
  std::optional<double> min_p;           ///< in [0,1]: tokens at least so likely, as a share of the likeliest; off
  std::optional<double> typical_p;       ///< in (0,1]: the tokens nearest to the entropy that have it together; 1
  std::optional<double> epsilon_cutoff;  ///< in [0,1): tokens at least so likely; 0
  std::optional<double> eta_cutoff;      ///< in [0,1): the same with a limit that falls with the entropy; 0

  // Changes of logits, in this order.
  std::optional<std::vector<SequenceBias>> sequence_bias;
  std::optional<double> repetition_penalty;     ///< > 0, of tokens of the prompt and new ones; 1
  std::optional<double> frequency_penalty;      ///< in [-2,2], for each time that a token is among the new ones; 0
  std::optional<double> presence_penalty;       ///< in [-2,2], once if it is among the new ones; 0
  std::optional<int64_t> no_repeat_ngram_size;  ///< no group of so many tokens twice, 0: any; 0
  std::optional<std::vector<std::vector<int64_t>>> bad_words_ids;
  std::optional<int64_t> min_length;           ///< no end of text before so many tokens, the prompt's included; 0
  std::optional<int64_t> forced_bos_token_id;  ///< follows a prompt of one token
  std::optional<std::vector<int64_t>> forced_eos_token_id;  ///< the last token at the greatest length
  std::optional<bool> remove_invalid_values;                ///< NaN counts as 0, infinity as the largest number; false
  std::optional<LengthDecay> exponential_decay_length_penalty;
  std::optional<std::vector<int64_t>> suppress_tokens;
  std::optional<std::vector<int64_t>> begin_suppress_tokens;  ///< ruled out as the first new token
  std::optional<bool> renormalize_logits;                     ///< logarithms of probabilities at the end; false

  // Beams.
  std::optional<int64_t> num_beams;             ///< 1: none
  std::optional<int64_t> num_beam_groups;       ///< groups that divide num_beams evenly and search for other texts; 1
  std::optional<double> diversity_penalty;      ///< > 0 with groups: for each earlier group that chose the token
  std::optional<double> length_penalty;         ///< a score is divided by the number of new tokens to this power; 1
  std::optional<EarlyStopping> early_stopping;  ///< kNo
  std::optional<int64_t> num_return_sequences;  ///< texts for each prompt; 1

  std::optional<int64_t> max_length;  ///< tokens of prompt and text together; max_new_tokens comes first

  /// The stream of random numbers; absent: one that nobody has seen. A prompt with a seed gets the same text whatever
  /// runs beside it.
  std::optional<uint64_t> seed;
  /// Logarithms of probabilities of each new token and of so many likeliest ones; absent: none.
  std::optional<int64_t> logprobs;
};

/// A token and the logarithm of the probability that the model gives it.
struct TokenLogprob {
  int64_t id = 0;
  float logprob = 0;
};

/// Of one new token: its own, and the likeliest ones, best first.
struct TokenLogprobs {
  float logprob = 0;
  std::vector<TokenLogprob> top;
};

}  // namespace gamut
