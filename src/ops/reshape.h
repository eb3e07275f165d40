// reshape: the same elements in row-major order under another shape.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kReshape;

/// x [...] -> `shape`, whose element count must equal that of x.
Value reshape(Value x, const Shape& shape);
/// x [..., H*D] -> [..., H, D]. The last extent must be a multiple of `head_dim`.
Value split_heads(Value x, int64_t head_dim);
/// x [..., H, D] -> [..., H*D].
Value merge_heads(Value x);

}  // namespace gamut::op
