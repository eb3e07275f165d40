// iota: 0, 1, 2 … as a tensor.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kIota;

/// -> I64 [count].
Value iota(Graph& graph, const Extent& count);

}  // namespace gamut::op
