#include "graph/verifier.h"

#include <set>

#include "graph/op_schema.h"
#include "graph/rows.h"

namespace gamut {
namespace {

[[noreturn]] void broken(const Graph& graph, const Node& node, const std::string& what) {
  fail(ErrorCode::kInternal, "graph {}: node {} ({}): {}", graph.name(), node.op->name, node.label, what);
}

/// Runs every shape rule again on a copy and compares.
void verify_shapes(const Graph& graph) {
  Graph copy(graph.name());
  std::vector<Value> mapped(graph.value_count());
  for (const Node& node : graph.nodes()) {
    std::vector<Value> inputs;
    for (int input : node.inputs) inputs.push_back(input < 0 ? Value{} : mapped[input]);
    Value first = copy.add_like(node, inputs);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      Value again{&copy, first.id + static_cast<int>(i)};
      mapped[node.outputs[i]] = again;
      const ValueInfo& stored = graph.info(node.outputs[i]);
      if (again.dtype() != stored.dtype || again.shape() != stored.shape) {
        broken(graph, node,
               fmt::format("its shape rule gives {}, stored is {}", to_string(again.shape()), to_string(stored.shape)));
      }
    }
  }
}

bool mentions_tokens(const Extent& e) { return e.mentions(kBatch) || e.mentions(kSequence); }

}  // namespace

void verify(const Graph& graph) {
  std::vector<bool> defined(graph.value_count(), false);
  std::set<std::string> names;
  for (const Node& node : graph.nodes()) {
    for (int input : node.inputs) {
      if (input >= graph.value_count() || (input >= 0 && !defined[input])) {
        broken(graph, node, fmt::format("input %{} is not defined before", input));
      }
    }
    if (node.outputs.empty()) broken(graph, node, "no outputs");
    for (int output : node.outputs) {
      if (output < 0 || output >= graph.value_count() || defined[output]) {
        broken(graph, node, fmt::format("output %{} is out of range or defined twice", output));
      }
      defined[output] = true;
    }
    if (node.op == &kInput || node.op == &kWeight) {
      if (!names.insert(std::string(node.op->name) + " " + node.attributes.s("name")).second) {
        broken(graph, node, "name \"" + node.attributes.s("name") + "\" is used twice");
      }
    }
  }
  std::set<std::string> outputs;
  for (const auto& [name, value] : graph.outputs()) {
    if (value < 0 || value >= graph.value_count() || !defined[value] || !outputs.insert(name).second) {
      fail(ErrorCode::kInternal, "graph {}: output \"{}\" is undefined or declared twice", graph.name(), name);
    }
  }
  if (graph.outputs().empty()) fail(ErrorCode::kInternal, "graph {}: no outputs", graph.name());
  verify_shapes(graph);
}

std::string why_not_packable(const Graph& graph) {
  for (const Assumption& a : graph.assumptions()) {
    if (mentions_tokens(a.a) || mentions_tokens(a.b)) {
      return fmt::format("{} must equal {} ({})", a.a.to_string(), a.b.to_string(), a.reason);
    }
  }
  const Extent batch = Extent::symbol(kBatch), sequence = Extent::symbol(kSequence);
  std::vector<bool> is_token(graph.value_count(), false);
  for (const Node& node : graph.nodes()) {
    bool touches = false;
    for (int output : node.outputs) {
      const Shape& shape = graph.info(output).shape;
      is_token[output] = shape.size() >= 2 && shape[0] == batch && shape[1] == sequence;
      touches |= is_token[output];
      for (size_t axis = is_token[output] ? 2 : 0; axis < shape.size(); ++axis) {
        if (mentions_tokens(shape[axis])) {
          return fmt::format("{} ({}) has shape {}", node.op->name, node.label, to_string(shape));
        }
      }
    }
    for (int input : node.inputs) touches |= input >= 0 && is_token[input];
    if (touches && node.op != &kInput && (node.op->keeps_tokens == nullptr || !node.op->keeps_tokens(graph, node))) {
      return fmt::format("{} ({}) mixes tokens", node.op->name, node.label);
    }
  }
  return "";
}

}  // namespace gamut
