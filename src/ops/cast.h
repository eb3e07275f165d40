// cast: the same numbers in another dtype of the graph (F32, I64, BOOL).
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kCast;

/// x [...] -> [...] of `dtype`. F32 to I64 truncates towards zero; to BOOL is "not zero".
Value cast(Value x, DType dtype);

}  // namespace gamut::op
