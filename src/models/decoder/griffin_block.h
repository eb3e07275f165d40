// Griffin's recurrent block: a causal convolution and a gated linear recurrence (RG-LRU) beside a gate.
#pragma once

#include "models/decoder/decoder_block.h"

namespace gamut::decoder {

/// The mixer "temporal_block" of block `index`: x [B,S,D] -> [B,S,D].
Value griffin(const DecoderContext& c, const Scope& s, int64_t index, Value x);

}  // namespace gamut::decoder
