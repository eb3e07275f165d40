// Fuses what follows a matrix product or precedes a norm into it, so that the values in between never meet memory.
#pragma once

#include <functional>

#include "graph/graph.h"
#include "ops/activation.h"

namespace gamut {

/// activation(linear) and linear + residual become epilogues of the linear, x + y before a layer_norm its residual.
/// gated(linear, linear) of one x becomes two linears that follow each other, the first one's result the second's
/// factor. `can_apply` says which activations the backend applies in an epilogue.
Graph fuse_epilogues(const Graph& graph, const std::function<bool(ActivationKind)>& can_apply);

}  // namespace gamut
