// Changes of a line of logits by what a sequence has already: penalties, biases, tokens ruled out or forced.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gamut/decoding.h"
#include "generate/token_history.h"

namespace gamut {

// Each takes a line of logits f32 [V] and changes it in place, as the processor of that name in transformers does. Ids
// that the line does not have are passed over.

/// Minus infinity for each id.
void rule_out(std::span<float> line, std::span<const int64_t> ids);
/// Zero for each id and minus infinity for all others.
void force(std::span<float> line, std::span<const int64_t> ids);

/// Adds the biases of all sequences whose ids but the last are how `tokens` end.
void add_sequence_bias(std::span<float> line, std::span<const int64_t> tokens, std::span<const SequenceBias> biases);
/// Divides positive logits of the tokens that are there by `penalty`, multiplies negative ones with it.
void penalise_repetition(std::span<float> line, const TokenHistory& history, double penalty);
/// Takes off frequency × (times among the new tokens), and presence where that is not zero, as OpenAI defines them.
void penalise_use(std::span<float> line, const TokenHistory& history, double frequency, double presence);
/// Takes off penalty × (times that the token is in `chosen`).
void penalise_chosen(std::span<float> line, std::span<const int64_t> chosen, double penalty);
/// Rules out what would make the last `size` tokens a group that is there already.
void rule_out_repeated_ngrams(std::span<float> line, std::span<const int64_t> tokens, int64_t size);
/// Rules out the last token of every sequence that the tokens would complete.
void rule_out_sequences(std::span<float> line, std::span<const int64_t> tokens,
                        std::span<const std::vector<int64_t>> sequences);
/// Raises the logits of the ends by |logit| × (factor^n - 1), where n counts the new tokens after the first `start`.
void favour_ends(std::span<float> line, std::span<const int64_t> ends, const LengthDecay& decay, int64_t made);
/// NaN becomes 0, infinity the largest number, minus infinity the lowest.
void remove_invalid_values(std::span<float> line);
/// Logarithms of probabilities: line - log(sum(exp(line))). A line in which all is ruled out stays as it is.
void log_softmax(std::span<float> line);

}  // namespace gamut
