// Chooses the next token of a sequence from a line of logits: the likeliest, or one that is drawn.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gamut/decoding.h"
#include "generate/logits_pipeline.h"
#include "generate/random_stream.h"

namespace gamut {

/// The place of the largest number, the first of several.
int64_t argmax(std::span<const float> line);

/// A candidate drawn by its probability, where `uniform` is a random number in (0, 1): its id. There must be one.
int64_t draw(Candidates* candidates, double uniform);

/// Throws Error{kInvalidFile} that says after how many tokens the logits are NaN or infinite.
void require_finite(std::span<const float> line, int64_t length);

/// Of `token` and the `count` likeliest ones, by the logits as the model gives them.
TokenLogprobs logprobs_of(std::span<const float> line, int64_t token, size_t count);

/// Chooses tokens; memory for a line is kept from one to the next.
class TokenChoice {
 public:
  explicit TokenChoice(const LogitsPipeline& pipeline) : pipeline_(pipeline) {}

  /// The token for the place, from logits f32 [V]. Throws Error{kInvalidFile} for logits that are not finite and
  /// Error{kInvalidArgument} when all tokens are ruled out and one is to be drawn; without drawing the first is taken
  /// then, as transformers does.
  int64_t choose(std::span<const float> line, const TextPlace& place, const RandomStream& stream);

 private:
  const LogitsPipeline& pipeline_;
  std::vector<float> line_;
  Candidates candidates_;
};

}  // namespace gamut
