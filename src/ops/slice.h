// slice: a contiguous part of one axis.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kSlice;

/// x -> the entries [begin, begin+length) of `axis` (counted from the end when negative).
Value slice(Value x, int64_t axis, const Extent& begin, const Extent& length);

}  // namespace gamut::op
