// Options that several commands share.
#include <filesystem>

#include "cache_folder.h"
#include "commands.h"

namespace gamut::cli {

namespace {

/// Nowhere when the environment says nothing.
std::filesystem::path compiled_folder() {
  const std::filesystem::path cache = cache_folder();
  return cache.empty() ? cache : cache / "compiled";
}

}  // namespace

void add_json_option(Command& command, CommonOptions& common) {
  command.flag("--json", common.json, "Results and errors as JSON");
}

void add_load_options(Command& command, LoadOptions& options) {
  options.cache_folder = compiled_folder();
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
