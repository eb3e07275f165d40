// Plain loops for the recurrent operators, whose tokens go on from what the tokens before them in their row left.
#pragma once

#include <span>
#include <vector>

#include "backend/host_ops.h"

namespace gamut {

/// One row in the token grid, and its state's numbers: read as what came before the row, then written. Null: the row
/// starts from zeros and leaves nothing behind.
struct RecurrentRow {
  int64_t start = 0, length = 0;
  float* state = nullptr;
};

/// True when run_recurrent_op knows the operator.
bool is_recurrent_op(const OpSchema* op);

/// The rows of a table I64 [N,2], all starting from zeros. Throws Error{kInvalidArgument} for one outside `tokens`.
std::vector<RecurrentRow> recurrent_rows(const HostTensor& table, int64_t tokens);

/// Runs `node` over rows; padding becomes zeros.
void run_recurrent_op(const Node& node, std::span<const HostTensor> inputs, const HostTensor& output,
                      std::span<const RecurrentRow> rows);

}  // namespace gamut
