// Multi-head latent attention: keys and values of all heads are made of one short vector per token.
#pragma once

#include "models/decoder/decoder_spec.h"

namespace gamut::decoder {

/// Sizes by the names of DeepSeek's configs.
struct LatentAttention {
  int64_t heads = 0;
  int64_t kv_rank = 0;             // of the latent vector; queries have one where the checkpoint says so
  int64_t plain = 0, turning = 0;  // numbers of a head's query and key: first those that do not turn
  int64_t value = 0;               // numbers of a head's value
  bool has_query_latent = false;
  bool interleaved = true;
  double scale = 1;  // of scores
  Rope rope;
};

LatentAttention read_latent_attention(const DecoderSpec& spec, const Config& config);

/// The mixer of block `index`, whose tensors are below `s`, by the spec's rope "rope": x [B,S,D] -> [B,S,D].
Value latent_attention(const LatentAttention& a, const DecoderContext& c, const Scope& s, int64_t index, Value x);

}  // namespace gamut::decoder
