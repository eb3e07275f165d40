// Options of text generation that generate, run and chat share.
#pragma once

#include <string_view>

#include "command.h"
#include "gamut/generate.h"

namespace gamut::cli {

/// What the command line says about generation.
struct GenerationArguments {
  GenerateOptions options;
  bool greedy = false, do_sample = false, renormalize_logits = false;
  std::vector<std::string> logit_bias;  ///< "ID:BIAS"
  std::vector<int64_t> suppress_tokens, begin_suppress_tokens;
  std::string early_stopping;
  size_t state_mib = 0;  ///< memory for keys and values; 0: half of what is left

  size_t state_bytes() const { return state_mib << 20; }
  /// All of it as the library takes it. A setting of how tokens are drawn means that they are, --greedy that they are
  /// not. Throws Error{kInvalidArgument} for a bias that is none.
  GenerateOptions resolved() const;
};

/// Adds --max-new-tokens, --stop, --greedy and so on, and every setting of DecodingOptions under its name.
void add_generation_options(Command& command, GenerationArguments& arguments);

/// Prints what generation_config.json asks for and this build does not do.
void print_warnings(const Generator& generator, const GenerationArguments& arguments);

/// Shows a piece of text at once; false when standard output takes no more.
bool write_piece(std::string_view piece);

}  // namespace gamut::cli
