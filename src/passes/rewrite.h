// The one way in which passes change a graph: copy it node by node and record something else where wanted.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace gamut {

/// Records a replacement for `node` of the old graph into `out`, given its inputs there; nothing keeps the node.
using Replace = std::function<std::optional<Value>(Graph& out, const Node& node, std::span<const Value> inputs)>;

/// A copy of `graph` with replacements. Nodes that a replacement leaves without use stay; see remove_unused.
Graph rewrite(const Graph& graph, const Replace& replace);

/// A copy without nodes that no output needs. Inputs stay: they are the graph's interface.
Graph remove_unused(const Graph& graph);

/// How often each value is read by nodes and outputs.
std::vector<int> count_uses(const Graph& graph);

}  // namespace gamut
