// softmax over the last axis.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kSoftmax;

/// x [..., D] f32 -> [..., D]; each line sums to 1.
Value softmax(Value x);

}  // namespace gamut::op
