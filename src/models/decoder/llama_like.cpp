// Rows of the decoder family that descend from Llama: how each model type differs from it.
#include "models/decoder/decoder_family.h"

namespace gamut {
namespace {

/// A window where `use_sliding_window` is on, in the layers from `max_window_layers` on.
void qwen_window(DecoderSpec& spec, const Config& config) {
  if (!config.b_or("use_sliding_window", false)) return;
  const int64_t first = config.i_or("max_window_layers", 0, {.min = 0});
  slide(spec, config, [first](int64_t i) { return i >= first; });
}

void everywhere(DecoderSpec& spec, const Config& config) {
  slide(spec, config, [](int64_t) { return true; });
}

const DecoderRow kRows[] = {
    {"llama", decoder_heads("Llama")},
    {"mistral", decoder_heads("Mistral"), everywhere},
    {"qwen2", decoder_heads("Qwen2"), qwen_window},
    {"qwen3", decoder_heads("Qwen3"), qwen_window},
};

std::vector<Architecture> rows() {
  std::vector<Architecture> all;
  for (const DecoderRow& row : kRows) all.push_back(make_decoder(row));
  return all;
}

}  // namespace

extern const ArchitectureFamily kLlamaLike;
const ArchitectureFamily kLlamaLike{rows};

}  // namespace gamut
