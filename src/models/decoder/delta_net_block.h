// The parts of Qwen3-Next's blocks: a gated delta net, attention with a gate, and experts with a shared one.
#pragma once

#include "layers/experts.h"
#include "models/decoder/decoder_block.h"

namespace gamut::decoder {

/// Sizes of a gated delta net; `value_heads` is a multiple of `key_heads`.
struct DeltaNet {
  int64_t key_heads = 1, value_heads = 1, key_dim = 1, value_dim = 1;
};

/// The mixer "linear_attn" of block `index`: x [B,S,D] -> [B,S,D].
Value delta_net(const DecoderContext& c, const Scope& s, int64_t index, const DeltaNet& net, Value x);
/// The mixer "self_attn": attention whose result is gated by what "q_proj" gives besides the queries.
Value gated_attention(const DecoderContext& c, const Scope& s, int64_t index, Value x);
/// The feed-forward "mlp" with `count` experts and one that every token asks, weighed by a gate of its own.
Value shared_experts(const DecoderContext& c, const Scope& s, const layer::Router& router, int64_t count, Value x);

}  // namespace gamut::decoder
