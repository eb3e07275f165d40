// Options that several commands share.
#include <cstdlib>

#include "commands.h"

namespace gamut::cli {

namespace {

/// As other programs of the user's desktop do; nowhere when the environment says nothing.
std::filesystem::path default_cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache != nullptr && cache[0] == '/') return std::filesystem::path(cache) / "gamut" / "compiled";
  if (home != nullptr && home[0] == '/') return std::filesystem::path(home) / ".cache" / "gamut" / "compiled";
  return {};
}

}  // namespace

void add_json_option(Command& command, CommonOptions& common) {
  command.flag("--json", common.json, "Results and errors as JSON");
}

void add_load_options(Command& command, LoadOptions& options) {
  options.cache_folder = default_cache_folder();
  command.option("--backend", options.backend, "Where to run: cpu, openvino or reference")
      .option("--device", options.device,
              "Device of the backend; of openvino CPU, GPU, NPU or AUTO (default: its first)")
      .option("--precision", options.precision, "auto (the checkpoint's own), f32, bf16 or f16")
      .option("--cache-folder", options.cache_folder, "Where compiled models are kept; empty: nowhere")
      .option("--threads", options.threads, "Threads to use (0: all that the process may)", {.max = 1024})
      .option("--instruction-set", options.instruction_set, "baseline, avx2, avx512 or amx (default: the best)")
      .option("--head", options.head, "transformers class, as BertForMaskedLM (default: what config.json says)")
      .flag("--strict", options.strict, "Any unused tensor in the checkpoint is an error");
}

}  // namespace gamut::cli
