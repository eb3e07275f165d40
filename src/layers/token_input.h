// Inputs of a program that tokens have: ids, positions, types, and numbers that follow from a position.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "graph/program.h"

namespace gamut {

/// Declares the I64 input [B,S] of `program` and its `graph`.
Value add_token_input(Program& program, Graph& graph, const Rows& rows, ProgramInput declared);

/// Numbers of each token that follow from where it stands.
struct TokenNumbers {
  int64_t width = 1;
  /// Writes the `width` numbers of a token from its position (of position_ids) and its place in its sequence.
  std::function<void(int64_t position, int64_t place, std::span<float> numbers)> write;
};
/// Declares them as the F32 input `name` [B,S,width] of `program`, which has position_ids, and its `graph`.
Value add_token_numbers(Program& program, Graph& graph, const TokenNumbers& numbers, const std::string& name);

}  // namespace gamut
