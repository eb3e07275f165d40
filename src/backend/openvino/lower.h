// Turns a graph into an ov::Model: one lowering function per operator, and what they share.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <openvino/core/model.hpp>
#include <openvino/op/parameter.hpp>
#include "backend/openvino/interface.h"
#include "backend/weights.h"
#include "graph/graph.h"

namespace gamut::openvino {

using Out = ov::Output<ov::Node>;

/// A graph on its way to a model.
class Lowering {
 public:
  /// `shared`: constants for some of the weights, by name.
  Lowering(const Graph& graph, const Weights& weights, const Interface& interface,
           std::map<std::string, Out> shared = {});

  /// Lowers every node. The model's results are the graph's outputs, then what is kept for the states, then two for
  /// each check of computed ids: the least and the greatest.
  std::shared_ptr<ov::Model> run();

  const Graph& graph() const { return graph_; }
  /// Input `index` of a node as lowered.
  Out in(const Node& node, size_t index) const { return values_.at(static_cast<size_t>(node.inputs[index])); }
  static bool has(const Node& node, size_t index) { return index < node.inputs.size() && node.inputs[index] >= 0; }
  /// The shape that the node's result has.
  const Shape& result_shape(const Node& node) const { return graph_.info(node.outputs[0]).shape; }
  const Shape& input_shape(const Node& node, size_t index) const { return graph_.info(node.inputs[index]).shape; }
  /// Adds a result that the states take: see Interface::states. Nodes are lowered in the order of the states.
  void keep(const Out& result) { kept_.push_back(result); }
  /// The model's input that the interface planned.
  Out input(const ModelInput& planned) const { return parameters_[interface_.find(planned)]->output(0); }
  /// I64 [1] and I64 [rank]: extents, computed from the shapes of the model's inputs where they are not constant.
  Out extent(const Extent& extent);
  Out shape(const Shape& shape);
  /// a + b, one node for all who ask for the same sum: the mask of every layer.
  Out shared_sum(const Out& a, const Out& b);
  /// Adds the results that the ids of a gather are checked by after the run.
  void check_ids(const Out& ids);

 private:
  friend class ExtentLowering;
  void add_parameters();
  Out symbol(const std::string& name);
  Out constant(const Node& node);

  const Graph& graph_;
  const Weights& weights_;
  const Interface& interface_;
  std::map<std::string, Out> shared_;
  ov::ParameterVector parameters_;  // in the interface's order
  std::vector<Out> values_;         // by graph value
  std::vector<Out> kept_, id_bounds_;
  std::map<std::string, Out> symbols_, shapes_;
  std::map<std::pair<Out, Out>, Out> sums_;
};

/// Lowers one node that is no leaf; its inputs are lowered.
using Lower = Out (*)(Lowering& lowering, const Node& node);
/// Null when the operator has no lowering and must be decomposed.
Lower find_lowering(const Node& node);

Out lower_unary(Lowering& lowering, const Node& node);
Out lower_binary(Lowering& lowering, const Node& node);
Out lower_compare(Lowering& lowering, const Node& node);
Out lower_select(Lowering& lowering, const Node& node);
Out lower_cast(Lowering& lowering, const Node& node);
Out lower_activation(Lowering& lowering, const Node& node);
Out lower_reduce(Lowering& lowering, const Node& node);
Out lower_softmax(Lowering& lowering, const Node& node);
Out lower_layer_norm(Lowering& lowering, const Node& node);
Out lower_reshape(Lowering& lowering, const Node& node);
Out lower_transpose(Lowering& lowering, const Node& node);
Out lower_broadcast(Lowering& lowering, const Node& node);
Out lower_concat(Lowering& lowering, const Node& node);
Out lower_slice(Lowering& lowering, const Node& node);
Out lower_iota(Lowering& lowering, const Node& node);
Out lower_gather_rows(Lowering& lowering, const Node& node);
Out lower_row_index(Lowering& lowering, const Node& node);
/// Convert, Subtract, Multiply over the codes: OpenVINO computes them inside the product that reads them.
Out lower_dequantize(Lowering& lowering, const Node& node);
/// The first or last token of each row.
Out lower_pool_rows(Lowering& lowering, const Node& node);
Out lower_matmul(Lowering& lowering, const Node& node);
Out lower_linear(Lowering& lowering, const Node& node);
Out lower_attention(Lowering& lowering, const Node& node);

/// True when lower_activation knows the kind.
bool can_lower_activation(const Node& node);
/// The activation of a linear or activation node, applied to `x`.
Out apply_activation(const Node& node, const Out& x);

/// A scalar; a vector of axes or extents.
Out scalar(float value);
Out scalar(int64_t value);
Out vector(const std::vector<int64_t>& values);

template <typename Op, typename... Arguments>
Out make(Arguments&&... arguments) {
  return std::make_shared<Op>(std::forward<Arguments>(arguments)...)->output(0);
}

/// What a constant of the model is made of.
struct ConstantForm {
  ov::element::Type type;
  ov::Shape shape;
};
/// The constant over the bytes of a weight that is stored with the dtype and dims: with the same ones, or, where the
/// weight is part of a quantised one, with its codes' type and its groups as an axis.
ConstantForm form_of(const Graph& graph, const Node& weight, DType stored, const Dims& dims);
/// The results of those dequantize nodes that matrix products alone read, which OpenVINO runs inside the products. The
/// others are computed at load.
std::vector<int> find_quantised(const Graph& graph);

ov::element::Type element_type(DType dtype);
/// The model dims of a declared shape; symbols are dynamic.
ov::PartialShape partial_shape(const Shape& shape);

}  // namespace gamut::openvino
