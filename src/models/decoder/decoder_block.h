// One block of a decoder: what mixes tokens, what works on each of them, norms and residuals; and the pieces that parts
// of one architecture alone are made of.
#pragma once

#include "models/decoder/decoder_spec.h"

namespace gamut::decoder {

/// The norm of the spec with the weight below `s`.
Value norm(const DecoderContext& c, const Scope& s, Value x);
/// The same of that name below `s`; x itself where the name is empty.
Value norm_if(const DecoderContext& c, const Scope& s, const std::string& name, Value x);
/// x [..., in] -> [..., out] by the layer `s`, whose weight may lie transposed.
Value project(const DecoderContext& c, const Scope& s, Value x);
/// A tensor of a layer that has to have `rank` axes for what follows.
Value with_rank(const Scope& s, const char* name, Value tensor, int rank);
/// A tensor of a layer that has to be a line of `size` numbers.
Value with_size(const Scope& s, const char* name, Value tensor, const Extent& size);
/// x times a number; x itself for one.
Value scaled(Value x, double scale);
/// log(1 + e^x), without overflow.
Value softplus(Value x);

struct Qkv {
  Value q, k, v;  // [B,S,heads,head_dim]
};
/// Queries, keys and values of x [B,S,D], normed and rotated as spec and layer say.
Qkv project_qkv(const DecoderContext& c, const Scope& s, const DecoderLayer& layer, Value x);
/// What the queries of block `index` find, projected: [B,S,D].
Value attend(const DecoderContext& c, const Scope& s, const DecoderLayer& layer, int64_t index, const Qkv& y);

/// Block `index`: mixer and feed-forward, each added to what it read.
Value block(const DecoderContext& c, const Scope& s, int64_t index, Value x);

}  // namespace gamut::decoder
