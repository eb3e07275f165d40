// rms_norm: x / sqrt(mean(x²) + eps) over the last axis, times a weight.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kRmsNorm;

/// x [..., D], weight [D] or absent -> [..., D].
Value rms_norm(Value x, Value weight, double eps);

}  // namespace gamut::op
