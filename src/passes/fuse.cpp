#include "passes/fuse.h"

#include "graph/op_schema.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/gated.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "passes/rewrite.h"

namespace gamut {
namespace {

/// One round of fusion over a graph. Values of the new graph that are results of linears or adds with a single use are
/// remembered, since their consumers may absorb them.
class Fusion {
 public:
  Fusion(const Graph& graph, const std::function<bool(ActivationKind)>& can_apply)
      : can_apply_(can_apply), uses_(count_uses(graph)) {}

  std::optional<Value> replace(Graph& out, const Node& node, std::span<const Value> inputs) const {
    if (node.op == &op::kActivation) return into_linear(out, node, inputs);
    if (node.op == &op::kBinary && binary_kind(node) == BinaryKind::kAdd)
      return residual_into_linear(out, node, inputs);
    if (node.op == &op::kGated) return into_two_linears(out, node, inputs);
    if (node.op == &op::kLayerNorm) return add_into_norm(out, node, inputs);
    return std::nullopt;
  }

 private:
  /// The producer in the new graph when it is `op` and the old value is read only once.
  const Node* sole_producer(int old_value, Value value, const OpSchema& op) const {
    if (old_value < 0 || uses_[old_value] != 1) return nullptr;
    const Node& producer = value.graph->producer(value.id);
    return producer.op == &op ? &producer : nullptr;
  }
  static std::vector<Value> inputs_of(Graph& out, const Node& node, size_t count) {
    std::vector<Value> inputs(count);
    for (size_t i = 0; i < node.inputs.size() && i < count; ++i) {
      if (node.inputs[i] >= 0) inputs[i] = {&out, node.inputs[i]};
    }
    return inputs;
  }

  std::optional<Value> into_linear(Graph& out, const Node& node, std::span<const Value> inputs) const {
    const Node* linear = sole_producer(node.inputs[0], inputs[0], op::kLinear);
    if (linear == nullptr || activation_kind(*linear) != ActivationKind::kIdentity || linear->inputs.size() > 3)
      return {};
    if (!can_apply_(activation_kind(node))) return {};
    Node fused = *linear;
    fused.attributes.set("activation", node.attributes.s("activation"));
    return out.add_like(fused, inputs_of(out, *linear, 3));
  }

  std::optional<Value> into_two_linears(Graph& out, const Node& node, std::span<const Value> inputs) const {
    const Node* linears[2];
    for (int i : {0, 1}) {
      linears[i] = sole_producer(node.inputs[i], inputs[i], op::kLinear);
      if (linears[i] == nullptr || linears[i]->inputs.size() > 3) return {};
      if (activation_kind(*linears[i]) != ActivationKind::kIdentity) return {};
    }
    if (linears[0]->inputs[0] != linears[1]->inputs[0] || !can_apply_(activation_kind(node))) return {};
    Node gate = *linears[0];
    const Node up = *linears[1];  // adding nodes moves those that are there
    gate.attributes.set("activation", node.attributes.s("activation"));
    const Value factor = out.add_like(gate, inputs_of(out, gate, 3));
    std::vector<Value> fused = inputs_of(out, up, 5);
    fused[4] = factor;
    return out.add_like(up, fused);
  }

  std::optional<Value> residual_into_linear(Graph& out, const Node& node, std::span<const Value> inputs) const {
    if (!(inputs[0].shape() == inputs[1].shape()) || inputs[0].dtype() != DType::kF32) return {};
    for (int side : {1, 0}) {
      const Node* linear = sole_producer(node.inputs[side], inputs[side], op::kLinear);
      if (linear == nullptr || linear->inputs.size() > 3) continue;
      std::vector<Value> fused = inputs_of(out, *linear, 4);
      fused[3] = inputs[1 - side];
      return out.add_like(Node(*linear), fused);
    }
    return {};
  }

  std::optional<Value> add_into_norm(Graph& out, const Node& node, std::span<const Value> inputs) const {
    const Node* add = sole_producer(node.inputs[0], inputs[0], op::kBinary);
    if (add == nullptr || binary_kind(*add) != BinaryKind::kAdd || inputs.size() > 3) return {};
    const Value a{&out, add->inputs[0]}, b{&out, add->inputs[1]};
    if (!(a.shape() == b.shape())) return {};
    std::vector<Value> fused(inputs.begin(), inputs.end());
    fused.resize(4);
    fused[0] = a;
    fused[3] = b;
    return out.add_like(node, fused);
  }

  const std::function<bool(ActivationKind)>& can_apply_;
  const std::vector<int> uses_;
};

}  // namespace

Graph fuse_epilogues(const Graph& graph, const std::function<bool(ActivationKind)>& can_apply) {
  const Fusion fusion(graph, can_apply);
  return remove_unused(rewrite(graph, [&](Graph& out, const Node& node, std::span<const Value> inputs) {
    return fusion.replace(out, node, inputs);
  }));
}

}  // namespace gamut
