#include "backend/openvino/lower.h"

#include <openvino/op/add.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/divide.hpp>
#include <openvino/op/floor_mod.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/maximum.hpp>
#include <openvino/op/minimum.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/reduce_max.hpp>
#include <openvino/op/reduce_min.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/shape_of.hpp>
#include "backend/openvino/file_weights.h"
#include "backend/openvino/lower_recurrent.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/binary.h"
#include "ops/broadcast.h"
#include "ops/cast.h"
#include "ops/causal_conv1d.h"
#include "ops/compare.h"
#include "ops/concat.h"
#include "ops/delta_rule.h"
#include "ops/dequantize.h"
#include "ops/gather_rows.h"
#include "ops/iota.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/linear_scan.h"
#include "ops/matmul.h"
#include "ops/pool_rows.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/row_index.h"
#include "ops/select.h"
#include "ops/selective_scan.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/ssd_scan.h"
#include "ops/transpose.h"
#include "ops/unary.h"
#include "ops/wkv.h"

namespace gamut::openvino {
namespace {

using ov::op::v0::Constant;

constexpr std::pair<const OpSchema*, Lower> kLowerings[] = {
    {&op::kUnary, lower_unary},
    {&op::kBinary, lower_binary},
    {&op::kCompare, lower_compare},
    {&op::kSelect, lower_select},
    {&op::kCast, lower_cast},
    {&op::kActivation, lower_activation},
    {&op::kReduce, lower_reduce},
    {&op::kSoftmax, lower_softmax},
    {&op::kLayerNorm, lower_layer_norm},
    {&op::kReshape, lower_reshape},
    {&op::kTranspose, lower_transpose},
    {&op::kBroadcast, lower_broadcast},
    {&op::kConcat, lower_concat},
    {&op::kSlice, lower_slice},
    {&op::kIota, lower_iota},
    {&op::kGatherRows, lower_gather_rows},
    {&op::kRowIndex, lower_row_index},
    {&op::kPoolRows, lower_pool_rows},
    {&op::kMatmul, lower_matmul},
    {&op::kLinear, lower_linear},
    {&op::kAttention, lower_attention},
    {&op::kCausalConv1d, lower_recurrent},
    {&op::kDeltaRule, lower_recurrent},
    {&op::kLinearScan, lower_recurrent},
    {&op::kWkv, lower_recurrent},
    {&op::kSelectiveScan, lower_recurrent},
    {&op::kSsdScan, lower_recurrent},
    {&op::kDequantize, lower_dequantize},
};

ov::Shape static_shape(const Dims& dims) { return {dims.begin(), dims.end()}; }

/// A constant over the tensor's own bytes, which it keeps alive.
Out share(const Tensor& tensor, const ConstantForm& form, const std::string& name) {
  require_short_integers(tensor, name);
  if (tensor.bytes() == 0) return make<Constant>(form.type, form.shape);
  return make<Constant>(form.type, form.shape, tensor.data(), std::make_shared<Tensor>(tensor));
}

/// "encoder.layer.0.attention:attention#17": unlike the label alone no two nodes share it.
std::string name_of(const Node& node) {
  return fmt::format("{}{}{}#{}", node.label, node.label.empty() ? "" : ":", node.op->name, node.outputs[0]);
}

}  // namespace

/// Computes extents with nodes of the model.
class ExtentLowering : public ExtentBuilder {
 public:
  explicit ExtentLowering(Lowering& lowering) : lowering_(lowering) {}
  int constant(int64_t value) override { return keep(vector({value})); }
  int symbol(const std::string& name) override { return keep(lowering_.symbol(name)); }
  int add(int a, int b) override { return keep(make<ov::op::v1::Add>(at(a), at(b))); }
  int multiply(int a, int b) override { return keep(make<ov::op::v1::Multiply>(at(a), at(b))); }
  int floor_div(int a, int64_t divisor) override {
    return keep(make<ov::op::v1::Divide>(at(a), vector({divisor}), /*pythondiv=*/true));
  }
  int modulo(int a, int64_t divisor) override { return keep(make<ov::op::v1::FloorMod>(at(a), vector({divisor}))); }
  int min(int a, int b) override { return keep(make<ov::op::v1::Minimum>(at(a), at(b))); }
  int max(int a, int b) override { return keep(make<ov::op::v1::Maximum>(at(a), at(b))); }
  const Out& at(int handle) const { return results_[static_cast<size_t>(handle)]; }

 private:
  int keep(Out result) {
    results_.push_back(std::move(result));
    return static_cast<int>(results_.size()) - 1;
  }
  Lowering& lowering_;
  std::vector<Out> results_;
};

Out scalar(float value) { return make<Constant>(ov::element::f32, ov::Shape{}, value); }
Out scalar(int64_t value) { return make<Constant>(ov::element::i64, ov::Shape{}, value); }
Out vector(const std::vector<int64_t>& values) {
  return make<Constant>(ov::element::i64, ov::Shape{values.size()}, values);
}

ov::element::Type element_type(DType dtype) {
  switch (dtype) {
    case DType::kF32: return ov::element::f32;
    case DType::kF16: return ov::element::f16;
    case DType::kBf16: return ov::element::bf16;
    case DType::kI64: return ov::element::i64;
    case DType::kU8: return ov::element::u8;
    case DType::kI8: return ov::element::i8;
    case DType::kBool: return ov::element::boolean;
    default: break;
  }
  fail(ErrorCode::kUnsupported, "openvino: dtype {} has no counterpart", dtype_name(dtype));
}

ov::PartialShape partial_shape(const Shape& shape) {
  std::vector<ov::Dimension> dims;
  for (const Extent& extent : shape) {
    const auto constant = extent.constant();
    dims.push_back(constant ? ov::Dimension(*constant) : ov::Dimension::dynamic());
  }
  return dims;
}

Lower find_lowering(const Node& node) {
  if ((node.op == &op::kLinear || node.op == &op::kActivation) && !can_lower_activation(node)) return nullptr;
  const bool pools_many =
      node.op == &op::kPoolRows && pool_kind(node) != PoolKind::kFirst && pool_kind(node) != PoolKind::kLast;
  if (pools_many) return nullptr;
  for (const auto& [op, lower] : kLowerings) {
    if (node.op == op) return lower;
  }
  return nullptr;
}

Lowering::Lowering(const Graph& graph, const Weights& weights, const Interface& interface,
                   std::map<std::string, Out> shared)
    : graph_(graph),
      weights_(weights),
      interface_(interface),
      shared_(std::move(shared)),
      values_(static_cast<size_t>(graph.value_count())) {}

void Lowering::add_parameters() {
  for (const ModelInput& input : interface_.inputs()) {
    std::shared_ptr<ov::op::v0::Parameter> parameter;
    if (input.fill != Fill::kBound) {
      const auto [type, shape] = interface_.form(input);
      parameter = std::make_shared<ov::op::v0::Parameter>(element_type(type), ov::PartialShape(shape));
    } else {
      for (const Node* node : graph_.inputs()) {
        if (node->attributes.s("name") != input.name) continue;
        const ValueInfo& info = graph_.info(node->outputs[0]);
        parameter = std::make_shared<ov::op::v0::Parameter>(element_type(info.dtype), partial_shape(info.shape));
        values_[static_cast<size_t>(node->outputs[0])] = parameter->output(0);
      }
    }
    parameter->set_friendly_name(fmt::format("input.{}", parameters_.size()));
    parameters_.push_back(std::move(parameter));
  }
}

Out Lowering::symbol(const std::string& name) {
  auto found = symbols_.find(name);
  if (found != symbols_.end()) return found->second;
  for (const Node* node : graph_.inputs()) {
    const Shape& shape = graph_.info(node->outputs[0]).shape;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      if (shape[axis].as_symbol() != name) continue;
      const Out dims = make<ov::op::v3::ShapeOf>(values_[static_cast<size_t>(node->outputs[0])], ov::element::i64);
      const Out extent = make<ov::op::v8::Gather>(dims, vector({static_cast<int64_t>(axis)}), scalar(int64_t{0}));
      return symbols_.emplace(name, extent).first->second;
    }
  }
  fail(ErrorCode::kUnsupported, "openvino: no input of graph {} has the extent {}", graph_.name(), name);
}

Out Lowering::extent(const Extent& extent) {
  ExtentLowering builder(*this);
  return builder.at(extent.build(builder));
}

Out Lowering::shape(const Shape& shape) {
  const std::string key = to_string(shape);
  auto found = shapes_.find(key);
  if (found != shapes_.end()) return found->second;
  std::vector<int64_t> known;
  ov::OutputVector extents;
  for (const Extent& each : shape) {
    if (each.constant()) known.push_back(*each.constant());
    extents.push_back(extent(each));
  }
  const Out result = known.size() == shape.size() ? vector(known) : make<ov::op::v0::Concat>(extents, 0);
  return shapes_.emplace(key, result).first->second;
}

Out Lowering::shared_sum(const Out& a, const Out& b) {
  auto [found, is_new] = sums_.try_emplace({a, b});
  if (is_new) found->second = make<ov::op::v1::Add>(a, b);
  return found->second;
}

void Lowering::check_ids(const Out& ids) {
  std::vector<int64_t> axes;
  for (int64_t axis = 0; axis < ids.get_partial_shape().rank().get_length(); ++axis) axes.push_back(axis);
  id_bounds_.push_back(make<ov::op::v1::ReduceMin>(ids, vector(axes), false));
  id_bounds_.push_back(make<ov::op::v1::ReduceMax>(ids, vector(axes), false));
}

/// A weight or constant. What has the graph's dtype is used where it lies; floats of 16 bits too, widened by a node
/// that the device may merge with what reads it.
Out Lowering::constant(const Node& node) {
  if (node.op == &kConstant) {
    const Tensor& tensor = node.constant;
    return share(tensor, {element_type(tensor.dtype()), static_shape(tensor.dims())}, node.label);
  }
  const std::string name = node.attributes.s("name");
  const DType dtype = graph_.info(node.outputs[0]).dtype;
  auto share_weight = [&](const Tensor& tensor) {
    return share(tensor, form_of(graph_, node, tensor.dtype(), tensor.dims()), name);
  };
  Out value;
  if (auto found = shared_.find(name); found != shared_.end()) {
    value = found->second;
  } else if (const auto tensor = weights_.in_place(name); tensor && can_share(*tensor, dtype)) {
    value = share_weight(*tensor);
  } else {
    value = share_weight(dtype == DType::kF32 ? weights_.f32(name) : weights_.stored(name).load());
  }
  const ov::element::Type wanted = element_type(dtype);
  const bool is_codes = wanted == ov::element::u8 || wanted == ov::element::i8;
  return is_codes || value.get_element_type() == wanted ? value : make<ov::op::v0::Convert>(value, wanted);
}

std::shared_ptr<ov::Model> Lowering::run() {
  add_parameters();
  for (const Node& node : graph_.nodes()) {
    if (node.op == &kInput) continue;
    const bool is_leaf = node.op == &kWeight || node.op == &kConstant;
    const Out value = is_leaf ? constant(node) : find_lowering(node)(*this, node);
    if (value.get_node_shared_ptr()->get_input_size() > 0 || is_leaf) {
      value.get_node_shared_ptr()->set_friendly_name(is_leaf ? node.attributes.s("name") : name_of(node));
    }
    values_[static_cast<size_t>(node.outputs[0])] = value;
  }
  ov::ResultVector results;
  for (const auto& [name, value] : graph_.outputs()) {
    results.push_back(std::make_shared<ov::op::v0::Result>(values_[static_cast<size_t>(value)]));
  }
  for (const Out& kept : kept_) results.push_back(std::make_shared<ov::op::v0::Result>(kept));
  for (const Out& bound : id_bounds_) results.push_back(std::make_shared<ov::op::v0::Result>(bound));
  return std::make_shared<ov::Model>(results, parameters_, graph_.name());
}

}  // namespace gamut::openvino
