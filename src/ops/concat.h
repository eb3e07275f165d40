// concat: tensors joined along one axis.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kConcat;

/// Parts of equal rank and dtype, equal but for `axis` -> one tensor.
Value concat(const std::vector<Value>& parts, int64_t axis);

}  // namespace gamut::op
