// Options that several commands share.
#include "commands.h"

namespace gamut::cli {

void add_json_option(CLI::App& command, CommonOptions& common) {
  command.add_flag("--json", common.json, "Results and errors as JSON");
}

void add_load_options(CLI::App& command, LoadOptions& options) {
  command.add_option("--backend", options.backend, "Where to run")->capture_default_str();
  command.add_option("--precision", options.precision, "auto or f32")->capture_default_str();
  command.add_option("--threads", options.threads, "Threads to use (0: all that the process may)")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  command.add_option("--instruction-set", options.instruction_set, "baseline, avx2 or avx512 (default: the best)");
  command.add_option("--head", options.head, "transformers class, as BertForMaskedLM (default: what config.json says)");
  command.add_flag("--strict", options.strict, "Any unused tensor in the checkpoint is an error");
}

}  // namespace gamut::cli
