// RWKV's two parts of a block, which see a token and the one before it.
#pragma once

#include "models/decoder/decoder_block.h"

namespace gamut::decoder {

/// Norm "ln1" and time mixing "attention" of block `index`: x [B,S,D] -> [B,S,D].
Value rwkv_time_mix(const DecoderContext& c, const Scope& s, int64_t index, Value x, double eps);
/// Norm "ln2" and channel mixing "feed_forward".
Value rwkv_channel_mix(const DecoderContext& c, const Scope& s, int64_t index, Value x, double eps);

}  // namespace gamut::decoder
