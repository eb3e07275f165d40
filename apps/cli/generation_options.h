// Options of text generation that generate, run and chat share.
#pragma once

#include <string_view>

#include "command.h"
#include "gamut/generate.h"

namespace gamut::cli {

/// What the command line says about generation.
struct GenerationArguments {
  GenerateOptions options;
  bool greedy = false;
  size_t state_mib = 0;  ///< memory for keys and values; 0: half of what is left

  size_t state_bytes() const { return state_mib << 20; }
};

/// Adds --max-new-tokens, --min-new-tokens, --stop, --stop-ids, --ignore-eos, --greedy and --state-memory.
void add_generation_options(Command& command, GenerationArguments& arguments);

/// Prints what generation_config.json asks for and this build does not do, unless that was asked for with --greedy.
void print_warnings(const Generator& generator, const GenerationArguments& arguments);

/// Shows a piece of text at once; false when standard output takes no more.
bool write_piece(std::string_view piece);

}  // namespace gamut::cli
