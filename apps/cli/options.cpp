// Options that several commands share.
#include "commands.h"

namespace gamut::cli {

void add_json_option(Command& command, CommonOptions& common) {
  command.flag("--json", common.json, "Results and errors as JSON");
}

void add_load_options(Command& command, LoadOptions& options) {
  command.option("--backend", options.backend, "Where to run")
      .option("--precision", options.precision, "auto or f32")
      .option("--threads", options.threads, "Threads to use (0: all that the process may)", {.max = 1024})
      .option("--instruction-set", options.instruction_set, "baseline, avx2, avx512 or amx (default: the best)")
      .option("--head", options.head, "transformers class, as BertForMaskedLM (default: what config.json says)")
      .flag("--strict", options.strict, "Any unused tensor in the checkpoint is an error");
}

}  // namespace gamut::cli
