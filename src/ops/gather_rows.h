// gather_rows: lines of a table by index; an embedding look-up.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kGatherRows;

/// table [V, ...], ids I64 [...] -> [ids..., table's rest]. An id outside [0, V) is an error of the run.
Value gather_rows(Value table, Value ids);

}  // namespace gamut::op
