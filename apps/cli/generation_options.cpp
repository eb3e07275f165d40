#include "generation_options.h"

#include <cstdio>

namespace gamut::cli {

void add_generation_options(Command& command, GenerationArguments& arguments) {
  GenerateOptions& options = arguments.options;
  command
      .option("--max-new-tokens", options.max_new_tokens,
              "At most so many tokens (default: generation_config.json's, else 256)")
      .option("--min-new-tokens", options.min_new_tokens, "No end of text before so many tokens")
      .texts("--stop", options.stop, "A string that ends the text; may be given several times")
      .numbers("--stop-ids", options.stop_ids, "Ids that end the text, besides the checkpoint's own")
      .flag("--ignore-eos", options.ignore_eos, "The checkpoint's end-of-text ids end nothing")
      .flag("--greedy", arguments.greedy, "The likeliest token each time (the only way so far)")
      .option("--state-memory", arguments.state_mib, "MiB for keys and values (0: half of what is left)",
              {.max = int64_t{1} << 30});
}

void print_warnings(const Generator& generator, const GenerationArguments& arguments) {
  if (arguments.greedy) return;
  for (const std::string& warning : generator.warnings()) std::fprintf(stderr, "gamut: %s\n", warning.c_str());
}

bool write_piece(std::string_view piece) {
  return std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size() && std::fflush(stdout) == 0;
}

}  // namespace gamut::cli
