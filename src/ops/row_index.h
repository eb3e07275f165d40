// row_index: the tensor form of Rows, for decompositions: each token's row, or its position in the row.
#pragma once

#include "graph/graph.h"
#include "graph/rows.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kRowIndex;

/// rows -> I64 [B,S]: the number of each token's row, -1 on padding.
Value row_numbers(const Rows& rows);
/// rows -> I64 [B,S]: each token's position in its row, 0 on padding.
Value row_positions(const Rows& rows);

}  // namespace gamut::op
