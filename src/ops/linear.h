// linear: a matrix product with weights stored [out,in], and its epilogue.
#pragma once

#include "graph/graph.h"
#include "ops/activation.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kLinear;

/// What happens to each product before it is written: + bias, then the activation, then + residual or * factor.
struct LinearOptions {
  Value bias;  // [out]
  ActivationKind activation = ActivationKind::kIdentity;
  Value residual;  // [..., out]
  Value factor;    // [..., out]; not beside a residual
};

/// x [..., in], weight [out, in] -> [..., out]: activation(x · weightᵀ + bias) + residual, or * factor.
Value linear(Value x, Value weight, const LinearOptions& options = {});

}  // namespace gamut::op
