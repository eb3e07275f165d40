// Generation: prompts of different length in one call, each with its own end and its own errors.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <vector>

#include "gamut/decoding.h"
#include "gamut/error.h"
#include "generate/decoding_settings.h"
#include "runtime/session.h"

namespace gamut {

/// When and how one request ends.
struct GenerationLimits {
  int64_t max_new_tokens = 20;
  /// No stop id ends a request before it has so many new tokens.
  int64_t min_new_tokens = 0;
  /// Ids that end a request; the id itself is its last token.
  std::vector<int64_t> stop_ids;
  /// Longest prompt and its new tokens together, as the request wants it: a longer prompt is an error; 0: any.
  int64_t max_length = 0;
  /// Longest prompt and its new tokens together that the model has learned; 0: as long as the program takes.
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
  int64_t computed = 0;        ///< tokens of the prompt that went through the program: not those of another's sequence
  int64_t snapshot = -1;       ///< GoOn::snapshot_at: the sequence, when it came so far
  std::vector<Tensor> logits;  ///< f32 [V] of each new token, as the model gives them, when asked for
  std::vector<TokenLogprobs> logprobs;  ///< of each new token, when asked for
  std::optional<float> score;           ///< of beams: sum of the scores of the new tokens / count ^ length_penalty
};

/// Called for every new token with the number of its result; false cancels that one.
using TokenCallback = std::function<bool(size_t result, int64_t token)>;

/// A prompt that goes on from what an earlier call has left in the state.
struct GoOn {
  int64_t sequence = -1;    ///< holds first tokens of the prompt, not all; it stays, with all tokens that were computed
  int64_t snapshot_at = 0;  ///< a fork of it with so many tokens is wanted, if it has fewer; 0: none
  /// Asked when there is no memory: true when some was freed and another try makes sense. May be empty.
  std::function<bool()> make_room;
};

struct GenerationRequest {
  std::vector<std::vector<int64_t>> prompts;
  GenerationLimits limits;
  DecodingSettings decoding;
  /// The seed of each prompt; empty: 0 for all. Results of one prompt draw from streams of their own.
  std::vector<uint64_t> seeds;
  bool keep_logits = false;
  TokenCallback on_token;              // may be empty; with beams it gets the tokens when all are there
  std::optional<GoOn> go_on;           // of a request with one prompt and one result
  std::function<bool()> is_cancelled;  // asked before every step; true cancels all that is left; may be empty
};

/// Runs the prompts: all that are not finished in one step, with beams one prompt after the other. A prompt has
/// decoding.num_return_sequences results, one after the other, the best first with beams. A prompt that is empty, too
/// long, has an id out of range, finds no memory in the state or gets numbers that are not finite ends with an error of
/// its own; the others go on. Prompts that begin alike share what is computed of that (prefixes.h), not with beams.
/// `state` comes from Session::make_state; the sequences that it gets are gone afterwards, those of GoOn apart. Throws
/// Error{kInvalidArgument} for settings that name ids which the model does not have.
std::vector<Generated> generate_tokens(const Session& session, State& state, const GenerationRequest& request);

}  // namespace gamut
