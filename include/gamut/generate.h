// Text generation: prompts in, text out as it is made, with the settings that the checkpoint's own files give.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gamut/decoding.h"
#include "gamut/model.h"

namespace gamut {

struct GenerateOptions {
  std::optional<int64_t>
      max_new_tokens;  ///< absent: generation_config.json's, else 256, as the pipeline of transformers
  std::optional<int64_t> min_new_tokens;  ///< absent: generation_config.json's, else 0
  std::vector<std::string> stop;          ///< strings that end a text; they are not part of it
  std::vector<int64_t> stop_ids;          ///< ids that end it, besides the eos_token_id of the checkpoint
  bool ignore_eos = false;                ///< the checkpoint's eos_token_id ends nothing
  bool add_special_tokens = true;         ///< of the tokenizer, to prompts; not for text that a chat template made
  /// Asked before every step; true ends all prompts that are not finished, as "cancelled". May be empty.
  std::function<bool()> is_cancelled;
  std::vector<std::string> bad_words;  ///< texts that do not come, at the begin of a text or behind a space
  DecodingOptions decoding;            ///< how tokens are chosen
};

/// What became of one prompt.
struct GeneratedText {
  std::string text;           ///< what the new tokens say, special tokens and a stop string left out
  std::vector<int64_t> ids;   ///< the new tokens
  std::string finish_reason;  ///< "stop", "length", "cancelled" or "error"
  int64_t prompt_tokens = 0;
  std::optional<Error> error;           ///< of this prompt alone
  std::vector<TokenLogprobs> logprobs;  ///< of each new token, with DecodingOptions::logprobs
  std::optional<float> score;           ///< with beams: what they are ranked by
  std::optional<uint64_t> seed;         ///< where tokens were drawn: the seed that draws them again
};

/// Called with each piece of text of result number `result` as soon as it is settled, with beams when all is; false
/// cancels that result.
using TextCallback = std::function<bool(size_t result, std::string_view piece)>;

/// The options that are not as they are by default, as the JSON "parameters" of the task text-generation.
std::string generation_parameters(const GenerateOptions& options);

/// A language model ready to generate. Copies share one state; every method
/// may be called from several threads at once.
class Generator {
 public:
  /// Opens a folder with config.json, weights and tokenizer files. `state_bytes` bounds the memory for keys and values
  /// of a call; 0: half of what the machine has left. Throws what Model::open throws, and Error{kUnsupported} for a
  /// model that does not generate.
  static Generator open(const std::filesystem::path& folder, const LoadOptions& options = {}, size_t state_bytes = 0);

  /// All prompts together, num_return_sequences results for each, one prompt after the other. A prompt that cannot run
  /// has its own error; the others go on. Throws Error{kInvalidArgument} for options that cannot be.
  std::vector<GeneratedText> generate(const std::vector<std::string>& prompts, const GenerateOptions& options = {},
                                      const TextCallback& on_text = {}) const;
  /// The same for prompts as ids; `text` needs a tokenizer and is empty without one.
  std::vector<GeneratedText> generate_ids(const std::vector<std::vector<int64_t>>& prompts,
                                          const GenerateOptions& options = {}, const TextCallback& on_text = {}) const;
  /// Raw tensors: input_ids [B,S] and attention_mask (all 1 when absent) to `sequences` I64 [R,S+N], the prompts with
  /// their padding and then N new tokens, `logits` F32 [R,N,V], and with beams `sequences_scores` F32 [R]; R is B times
  /// num_return_sequences. A row that ends earlier goes on with the padding id and zeros. Throws the first error of any
  /// row.
  NamedTensors generate_raw(const NamedTensors& inputs, const GenerateOptions& options = {}) const;

  /// How many texts options and checkpoint ask for: results of one prompt. Throws as `generate`.
  int64_t texts_per_prompt(const GenerateOptions& options) const;

  /// What it computes in, as the device says: "f32", "bf16", "f16".
  std::string precision() const;
  /// Token ids are below this.
  int64_t vocabulary() const;

  /// What generation_config.json asks for and this build does not do, one sentence each.
  const std::vector<std::string>& warnings() const;

  struct State;

 private:
  friend class Conversation;
  explicit Generator(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace gamut
