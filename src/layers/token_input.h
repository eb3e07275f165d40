// Inputs of a program with one integer per token: ids, positions, types.
#pragma once

#include <string>

#include "graph/program.h"

namespace gamut {

/// Declares the I64 input `name` [B,S] of `program` and its `graph`; see ProgramInput for `limit` and `fill`.
Value add_token_input(Program& program, Graph& graph, const Rows& rows, const std::string& name, int64_t limit,
                      HostFunction fill);

}  // namespace gamut
