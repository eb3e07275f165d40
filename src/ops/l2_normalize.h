// l2_normalize: each line of the last axis to length 1.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kL2Normalize;

/// x [..., D] -> x / max(|x|, eps), as torch.nn.functional.normalize.
Value l2_normalize(Value x, double eps = 1e-12);

}  // namespace gamut::op
