// layer_norm: each line of the last axis to mean 0 and variance 1, then scaled and shifted.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kLayerNorm;

/// x [..., D], weight [D], bias [D], residual [..., D] (the last three optional) -> [..., D]:
/// y = (z - mean(z)) / sqrt(var(z) + eps) * weight + bias with z = x + residual; var is the biased variance.
Value layer_norm(Value x, Value weight, Value bias, double eps, Value residual = {});

}  // namespace gamut::op
