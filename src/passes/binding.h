// Matches the tensors of one run with the inputs of a graph: symbols get values, everything else is checked.
#pragma once

#include "graph/graph.h"

namespace gamut {

/// Symbol values from the dims of `inputs`. Throws Error{kInvalidArgument} when an input is missing or has another
/// dtype, rank or extent than declared, when two inputs disagree about a symbol, or when an assumption does not hold.
SymbolValues bind_symbols(const Graph& graph, const NamedTensors& inputs);

}  // namespace gamut
