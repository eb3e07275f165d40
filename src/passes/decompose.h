// Replaces composed operators by their decompositions where a backend does not run them directly.
#pragma once

#include <functional>

#include "graph/graph.h"

namespace gamut {

/// Decomposes until every composed node satisfies `keep`; core nodes stay whatever it says.
Graph decompose(const Graph& graph, const std::function<bool(const Node&)>& keep);

}  // namespace gamut
