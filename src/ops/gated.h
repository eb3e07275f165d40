// gated(activation): the activation of one half of a feed-forward layer times the other half.
#pragma once

#include "graph/graph.h"
#include "ops/activation.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kGated;

/// gate [..., D], up [..., D] -> activation(gate) * up.
Value gated(ActivationKind activation, Value gate, Value up);

}  // namespace gamut::op
