// transpose: the axes in another order.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kTranspose;

/// x -> the tensor whose axis i is axis `permutation[i]` of x.
Value transpose(Value x, const std::vector<int64_t>& permutation);

}  // namespace gamut::op
