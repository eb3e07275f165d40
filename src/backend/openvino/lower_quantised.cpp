// Quantised weights: constants of few bits, and what OpenVINO merges into the product that reads them.
#include <algorithm>

#include <openvino/op/convert.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/subtract.hpp>
#include "backend/openvino/lower.h"
#include "graph/op_schema.h"
#include "ops/dequantize.h"
#include "ops/linear.h"
#include "ops/matmul.h"

namespace gamut::openvino {
namespace {

int64_t groups_of(const Graph& graph, const Node& node) {
  return graph.info(node.inputs[1]).shape.back().constant().value_or(1);
}

/// The dequantize node that reads the value; null: none does.
const Node* find_dequantize(const Graph& graph, int value) {
  for (const Node& node : graph.nodes()) {
    if (node.op == &op::kDequantize && std::ranges::count(node.inputs, value) > 0) return &node;
  }
  return nullptr;
}

/// True when `node` multiplies by the value as by a weight [out, in].
bool multiplies_by(const Node& node, int value) {
  const bool is_product = node.op == &op::kLinear || (node.op == &op::kMatmul && node.attributes.b("transpose_b"));
  return is_product && std::ranges::count(node.inputs, value) == 1 && node.inputs[1] == value;
}

}  // namespace

std::vector<int> find_quantised(const Graph& graph) {
  std::vector<int> uses(static_cast<size_t>(graph.value_count())), products(uses);
  for (const auto& [name, value] : graph.outputs()) ++uses[static_cast<size_t>(value)];
  for (const Node& node : graph.nodes()) {
    for (int input : node.inputs) {
      if (input < 0) continue;
      ++uses[static_cast<size_t>(input)];
      if (multiplies_by(node, input)) ++products[static_cast<size_t>(input)];
    }
  }
  std::vector<int> found;
  for (const Node& node : graph.nodes()) {
    if (node.op != &op::kDequantize || graph.info(node.outputs[0]).shape.size() != 2) continue;
    const auto result = static_cast<size_t>(node.outputs[0]);
    const bool reads_own_weights = std::ranges::all_of(node.inputs, [&](int input) {
      return graph.producer(input).op == &kWeight && uses[static_cast<size_t>(input)] == 1;
    });
    if (reads_own_weights && uses[result] == products[result]) found.push_back(node.outputs[0]);
  }
  return found;
}

ConstantForm form_of(const Graph& graph, const Node& weight, DType stored, const Dims& dims) {
  ConstantForm form{element_type(stored), {dims.begin(), dims.end()}};
  const Node* reader = find_dequantize(graph, weight.outputs[0]);
  if (reader == nullptr) return form;
  const bool is_codes = reader->inputs[0] == weight.outputs[0];
  const auto groups = static_cast<size_t>(groups_of(graph, *reader));
  if (is_codes && reader->attributes.i("bits") == 4) {
    form.type = stored == DType::kI8 ? ov::element::i4 : ov::element::u4;
    form.shape.back() *= 2;
  }
  if (groups == 1) return form;
  const size_t group = is_codes ? form.shape.back() / groups : 1;
  form.shape.back() = groups;
  form.shape.push_back(group);
  return form;
}

Out lower_dequantize(Lowering& lowering, const Node& node) {
  Out y = make<ov::op::v0::Convert>(lowering.in(node, 0), ov::element::f32);
  if (Lowering::has(node, 2)) {
    y = make<ov::op::v1::Subtract>(y, make<ov::op::v0::Convert>(lowering.in(node, 2), ov::element::f32));
  }
  y = make<ov::op::v1::Multiply>(y, lowering.in(node, 1));
  if (groups_of(lowering.graph(), node) == 1) return y;
  return make<ov::op::v1::Reshape>(y, lowering.shape(lowering.result_shape(node)), false);
}

}  // namespace gamut::openvino
