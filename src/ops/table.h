// All operators, in a table that CMake makes from this folder's files.
#pragma once

#include <span>

#include "graph/op_schema.h"

namespace gamut::op {

/// Every operator but the leaves (input, weight, constant).
std::span<const OpSchema* const> table();

}  // namespace gamut::op
