// select: one of two values by a condition, element by element.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kSelect;

/// condition BOOL, a and b of one dtype, all shapes broadcasting -> condition ? a : b.
Value select(Value condition, Value a, Value b);

}  // namespace gamut::op
