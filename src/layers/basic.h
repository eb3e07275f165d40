// The layers that nearly every model has: linear, layer norm, embedding.
#pragma once

#include "graph/graph.h"
#include "layers/scope.h"

namespace gamut::layer {

/// x [..., in] -> [..., out] with `weight` [out, in] and, when the checkpoint has it, `bias` [out].
Value linear(const Scope& s, Value x);
/// x [..., D] -> [..., D] with `weight` and `bias`, each when the checkpoint has it.
Value layer_norm(const Scope& s, Value x, double eps);
/// x [..., D] -> [..., D] with `weight` [D], plus one when the checkpoint holds it so.
Value rms_norm(const Scope& s, Value x, double eps, bool plus_one = false);
/// ids I64 [...] -> [..., D], lines of `weight` [V, D].
Value embedding(const Scope& s, Value ids);

}  // namespace gamut::layer
