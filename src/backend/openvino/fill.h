// The tensors of a run that a model takes besides the bound ones: masks, places of rows, what states hold.
#pragma once

#include <vector>

#include "backend/openvino/interface.h"

namespace gamut::openvino {

/// What inputs are made from.
struct FillRun {
  NamedTensors bound;  ///< and the rows tables that are constants of the graph
  const SymbolValues& symbols;
  const StateRun& states;
  const std::vector<StateSpec>& specs;
};

/// Throws Error{kInvalidArgument} for rows outside the grid.
Tensor make_input(const ModelInput& input, const FillRun& run);

/// The state's rows in the grid: row n of the table and its tokens' first place.
struct RowPlace {
  int64_t start, length;
};
/// Line n of a rows table. Throws Error{kInvalidArgument} when it is outside a grid of `tokens`.
RowPlace row_place(const Tensor& rows, int64_t n, int64_t tokens);

}  // namespace gamut::openvino
