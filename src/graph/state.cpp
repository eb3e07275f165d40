#include "graph/state.h"

#include <algorithm>

#include "base/error.h"
#include "graph/op_schema.h"

namespace gamut {

std::string state_name(const Node& node) { return node.op->state == nullptr ? "" : node.attributes.s("state"); }

std::vector<StateSpec> find_states(const Graph& graph) {
  std::vector<StateSpec> states;
  for (const Node& node : graph.nodes()) {
    const std::string name = state_name(node);
    if (name.empty()) continue;
    if (std::ranges::count(states, name, &StateSpec::name) > 0) {
      fail(ErrorCode::kInternal, "{}: state {} is declared twice", node.label, name);
    }
    StateSpec spec = node.op->state(graph, node);
    spec.name = name;
    states.push_back(std::move(spec));
  }
  return states;
}

bool is_recurrent(const Graph& graph, const Node& node) {
  return node.op->state != nullptr && node.op->state(graph, node).kind == StateKind::kRecurrent;
}

}  // namespace gamut
