// top_k_mask: which entries of a line are among its greatest, as numbers to multiply by.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kTopKMask;

/// x [..., N] f32 -> [..., N]: 1 for the k greatest of each line, 0 for the others. Of equal entries the first count as
/// greater; NaN is always 1. N is constant and at least k.
Value top_k_mask(Value x, int64_t k);

}  // namespace gamut::op
