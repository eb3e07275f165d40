// What a Generator holds: the model, its tokenizer and what its files say about generation.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gamut/generate.h"
#include "gamut/tokenizer.h"
#include "generate/generator.h"
#include "generate/settings.h"
#include "runtime/session.h"

namespace gamut {

struct Generator::State {
  Session session;
  std::optional<Tokenizer> tokenizer;
  GenerationSettings settings;
  int64_t context;  ///< longest prompt and its new tokens together; 0: unlimited
  size_t state_bytes;

  /// Bytes for the states of one call.
  size_t budget() const;
  /// What options and files ask for together. Throws Error{kInvalidArgument} for a range that is none.
  GenerationLimits limits(const GenerateOptions& options) const;
  /// All that options and files ask for together; drawn tokens get seeds. Throws Error{kInvalidArgument}.
  GenerationRequest request(std::vector<std::vector<int64_t>> prompts, const GenerateOptions& options) const;
  DecodingOptions with_bad_words(const GenerateOptions& options) const;
  /// Runs prompts with `run`, which gets the request that options and files make, and turns what comes into texts.
  using Run = std::function<std::vector<Generated>(GenerationRequest request)>;
  std::vector<GeneratedText> generate(const std::vector<std::vector<int64_t>>& prompts, const GenerateOptions& options,
                                      const TextCallback& on_text, const Run& run) const;
  /// The ids of a prompt. Throws Error{kNotFound} when the folder has no tokenizer files.
  std::vector<int64_t> encode(const std::string& text, const GenerateOptions& options) const;
};

}  // namespace gamut
