#include "passes/rewrite.h"

#include "graph/op_schema.h"

namespace gamut {
namespace {

/// Copies the nodes that `keep` admits.
Graph copy(const Graph& graph, const Replace& replace, const std::vector<bool>* keep) {
  Graph out(graph.name());
  std::vector<Value> mapped(graph.value_count());
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    if (keep != nullptr && !(*keep)[n]) continue;
    const Node& node = graph.nodes()[n];
    std::vector<Value> inputs;
    for (int input : node.inputs) inputs.push_back(input < 0 ? Value{} : mapped[input]);
    LabelScope label(out, node.label);
    std::optional<Value> replaced = replace ? replace(out, node, inputs) : std::nullopt;
    const Value first = replaced ? *replaced : out.add_like(node, inputs);
    for (size_t i = 0; i < node.outputs.size(); ++i) mapped[node.outputs[i]] = {&out, first.id + static_cast<int>(i)};
  }
  for (const Assumption& a : graph.assumptions()) out.require_equal(a.a, a.b, a.reason);
  for (const auto& [name, value] : graph.outputs()) out.set_output(name, mapped[value]);
  return out;
}

}  // namespace

Graph rewrite(const Graph& graph, const Replace& replace) { return copy(graph, replace, nullptr); }

Graph remove_unused(const Graph& graph) {
  std::vector<bool> keep(graph.nodes().size(), false);
  for (const auto& [name, value] : graph.outputs()) keep[graph.producer_index(value)] = true;
  for (size_t n = keep.size(); n-- > 0;) {
    const Node& node = graph.nodes()[n];
    if (node.op == &kInput) keep[n] = true;
    if (!keep[n]) continue;
    for (int input : node.inputs) {
      if (input >= 0) keep[graph.producer_index(input)] = true;
    }
  }
  return copy(graph, nullptr, &keep);
}

std::vector<int> count_uses(const Graph& graph) {
  std::vector<int> uses(graph.value_count(), 0);
  for (const Node& node : graph.nodes()) {
    for (int input : node.inputs) {
      if (input >= 0) ++uses[input];
    }
  }
  for (const auto& [name, value] : graph.outputs()) ++uses[value];
  return uses;
}

}  // namespace gamut
