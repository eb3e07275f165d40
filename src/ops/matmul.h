// matmul: a batch of matrix products.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kMatmul;

/// a [...,M,K], b [...,K,N] (or [...,N,K] with `transpose_b`), leading axes broadcasting -> [...,M,N].
Value matmul(Value a, Value b, bool transpose_b = false);

}  // namespace gamut::op
