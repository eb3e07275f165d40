// Takes computations on weights out of the graph: they run once, when a backend loads the weight they make.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "graph/graph.h"

namespace gamut {

/// A graph without arithmetic on weights, and what each new weight is made of.
struct Folded {
  Graph graph;
  /// By the name of a new weight ("folded.0"): a graph of weights and constants with the one output "value".
  std::map<std::string, Graph> expressions;
};

/// Replaces every largest expression over weights and constants, of constant shape, by a weight of its own. Nodes that
/// `keep` wants, which are no leaves, stay in the graph, and so does what is computed from them.
Folded fold_weights(const Graph& graph, const std::function<bool(const Node&)>& keep = nullptr);

}  // namespace gamut
