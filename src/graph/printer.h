// A readable dump of a graph, and a short digest of it.
#pragma once

#include <cstdint>
#include <string>

#include "graph/graph.h"

namespace gamut {

/// One line per node: `%5 = linear(%3, %w1, %w2) {…} : f32[B,S,768]  # encoder.layer.0.output.dense`.
std::string print(const Graph& graph);

/// 16 hexadecimal digits of a hash over the dump: changes when the recording changes.
std::string digest(const Graph& graph);

}  // namespace gamut
