#include "passes/fold.h"

#include <algorithm>

#include "graph/op_schema.h"
#include "passes/rewrite.h"

namespace gamut {
namespace {

bool is_leaf(const Node& node) { return node.op == &kInput || node.op == &kWeight || node.op == &kConstant; }

/// Which values depend on weights and constants only.
std::vector<bool> find_static(const Graph& graph, const std::function<bool(const Node&)>& keep) {
  std::vector<bool> is_static(graph.value_count(), false);
  for (const Node& node : graph.nodes()) {
    bool known = node.op == &kWeight || node.op == &kConstant;
    if (!node.inputs.empty()) {
      known = std::ranges::all_of(node.inputs, [&](int input) { return input < 0 || is_static[input]; });
      if (keep && known) known = !keep(node);
    }
    for (int output : node.outputs) {
      const Shape& shape = graph.info(output).shape;
      known = known && std::ranges::all_of(shape, [](const Extent& extent) { return extent.is_constant(); });
    }
    for (int output : node.outputs) is_static[output] = known;
  }
  return is_static;
}

/// Copies the expression that makes `value` into a graph of its own.
Graph extract(const Graph& graph, int value) {
  Graph out(graph.name() + ".folded");
  std::map<int, Value> mapped;
  std::function<Value(int)> visit = [&](int id) -> Value {
    if (auto found = mapped.find(id); found != mapped.end()) return found->second;
    const Node& node = graph.producer(id);
    std::vector<Value> inputs;
    for (int input : node.inputs) inputs.push_back(input < 0 ? Value{} : visit(input));
    LabelScope label(out, node.label);
    return mapped[id] = out.add_like(node, inputs);
  };
  out.set_output("value", visit(value));
  return out;
}

}  // namespace

Folded fold_weights(const Graph& graph, const std::function<bool(const Node&)>& keep) {
  const std::vector<bool> is_static = find_static(graph, keep);
  // Only what a node that is not folded, or an output, reads becomes a weight; the rest lives inside expressions.
  std::vector<bool> wanted(graph.value_count(), false);
  for (const Node& node : graph.nodes()) {
    if (is_static[node.outputs[0]]) continue;
    for (int input : node.inputs) {
      if (input >= 0) wanted[input] = true;
    }
  }
  for (const auto& [name, value] : graph.outputs()) wanted[value] = true;

  Folded folded;
  folded.graph = rewrite(graph, [&](Graph& out, const Node& node, std::span<const Value>) -> std::optional<Value> {
    const int value = node.outputs[0];
    if (is_leaf(node) || !is_static[value] || !wanted[value]) return std::nullopt;
    const std::string name = fmt::format("folded.{}", folded.expressions.size());
    folded.expressions.emplace(name, extract(graph, value));
    return out.weight(name, graph.info(value).dtype, evaluate(graph.info(value).shape, {}));
  });
  folded.graph = remove_unused(folded.graph);
  return folded;
}

}  // namespace gamut
