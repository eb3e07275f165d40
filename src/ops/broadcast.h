// broadcast: extents of 1 repeated to a larger shape.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kBroadcast;

/// x -> `shape`; each axis of x, aligned at the end, is 1 or equal to that of `shape`.
Value broadcast(Value x, const Shape& shape);

}  // namespace gamut::op
