// cast: the same numbers in another dtype of the graph (F32, I64, BOOL).
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kCast;

/// x [...] -> [...] of `dtype`. F32 to I64 truncates towards zero; what no I64 holds becomes the nearest that one does,
/// and NaN becomes 0. To BOOL is "not zero", which NaN is.
Value cast(Value x, DType dtype);

}  // namespace gamut::op
