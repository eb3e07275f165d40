// Greedy generation: prompts of different length in one call, each with its own end and its own errors.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <vector>

#include "gamut/error.h"
#include "runtime/session.h"

namespace gamut {

/// When and how one request ends.
struct GenerationLimits {
  int64_t max_new_tokens = 20;
  /// No stop id ends a request before it has so many new tokens.
  int64_t min_new_tokens = 0;
  /// Ids that end a request; the id itself is its last token.
  std::vector<int64_t> stop_ids;
  /// Logits of ids that are there already are divided by it, or multiplied where they are negative; 1: as they are.
  double repetition_penalty = 1;
  /// Longest prompt and its new tokens together; 0: as long as the program takes.
  int64_t context = 0;
};

enum class FinishReason {
  kLength,     // max_new_tokens or the context
  kStop,       // a stop id
  kCancelled,  // by the caller
  kError,      // see Generated::error
};

/// "length", "stop", "cancelled", "error".
const char* finish_reason_name(FinishReason reason);

/// What became of one prompt.
struct Generated {
  std::vector<int64_t> tokens;  ///< new ones, a stop id included
  FinishReason reason = FinishReason::kLength;
  std::optional<Error> error;
  std::vector<Tensor> logits;  ///< f32 [V] of each new token, when asked for
};

/// Called for every new token with the number of its prompt; false cancels the request.
using TokenCallback = std::function<bool(size_t prompt, int64_t token)>;

struct GenerationRequest {
  std::vector<std::vector<int64_t>> prompts;
  GenerationLimits limits;
  bool keep_logits = false;
  TokenCallback on_token;  // may be empty
};

/// Runs the prompts together, each step all that are not finished. A prompt that is empty, too long, has an id out of
/// range, finds no memory in the state or gets numbers that are not finite ends with an error of its own; the others go
/// on. `state` comes from Session::make_state; the sequences that it gets are gone afterwards.
std::vector<Generated> generate_greedy(const Session& session, State& state, const GenerationRequest& request);

}  // namespace gamut
