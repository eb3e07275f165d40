#include "passes/decompose.h"

#include <algorithm>

#include "graph/op_schema.h"
#include "passes/rewrite.h"

namespace gamut {

Graph decompose(const Graph& graph, const std::function<bool(const Node&)>& keep) {
  auto stays = [&](const Node& node) { return node.op->op_class == OpClass::kCore || keep(node); };
  const Replace replace = [&](Graph& out, const Node& node, std::span<const Value> inputs) -> std::optional<Value> {
    if (stays(node)) return std::nullopt;
    return node.op->decompose(out, node, inputs);
  };
  // A decomposition may itself use composed operators; each round removes one level.
  Graph result = rewrite(graph, replace);
  while (!std::ranges::all_of(result.nodes(), stays)) result = rewrite(result, replace);
  return remove_unused(result);
}

}  // namespace gamut
