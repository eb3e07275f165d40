#include "graph/graph.h"

#include "graph/op_schema.h"
#include "graph/printer.h"

namespace gamut {
namespace {

bool is_float(DType dtype) {
  switch (dtype) {
    case DType::kF4:
    case DType::kF6E2M3:
    case DType::kF6E3M2:
    case DType::kF8E5M2:
    case DType::kF8E4M3:
    case DType::kF8E5M2Fnuz:
    case DType::kF8E4M3Fnuz:
    case DType::kF8E8M0:
    case DType::kF16:
    case DType::kBf16:
    case DType::kF32:
    case DType::kF64: return true;
    default: return false;
  }
}

std::string describe(std::span<const Value> values) {
  std::string out;
  for (const Value& value : values) {
    if (!out.empty()) out += ", ";
    out += value ? std::string(dtype_name(value.dtype())) + to_string(value.shape()) : "none";
  }
  return out;
}

}  // namespace

const ValueInfo& Value::info() const {
  check_internal(graph != nullptr && id >= 0, "use of an absent graph value");
  return graph->info(id);
}

const Extent& Value::extent(int axis) const { return shape().at(axis < 0 ? rank() + axis : axis); }

Value Graph::input(const std::string& name, DType dtype, Shape shape) {
  Attributes attributes{{"name", name}, {"dtype", static_cast<int64_t>(dtype)}, {"shape", std::move(shape)}};
  return add(kInput, {}, std::move(attributes));
}

Value Graph::weight(const std::string& name, DType dtype, const Dims& dims) {
  const DType seen = is_float(dtype) ? DType::kF32 : dtype;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].op == &kWeight && nodes_[i].attributes.s("name") == name) return {this, nodes_[i].outputs[0]};
  }
  Attributes attributes{{"name", name}, {"dtype", static_cast<int64_t>(seen)}, {"shape", to_shape(dims)}};
  return add(kWeight, {}, std::move(attributes));
}

Value Graph::constant(Tensor tensor) {
  Node node;
  node.op = &kConstant;
  node.constant = std::move(tensor);
  return add_like(node, {});
}

Value Graph::scalar(float value) { return constant(Tensor::from({}, std::span<const float>(&value, 1))); }
Value Graph::scalar(int64_t value) { return constant(Tensor::from({}, std::span<const int64_t>(&value, 1))); }

Value Graph::add(const OpSchema& op, const std::vector<Value>& inputs, Attributes attributes) {
  Node node;
  node.op = &op;
  node.attributes = std::move(attributes);
  node.label = label_;
  return add_like(node, inputs);
}

Value Graph::add_like(const Node& source, const std::vector<Value>& given) {
  Node node = source;
  std::vector<Value> inputs = given;
  while (!inputs.empty() && !inputs.back()) inputs.pop_back();
  if (node.label.empty()) node.label = label_;
  InferContext context(*this, node, inputs);
  const int count = static_cast<int>(inputs.size());
  if (count < node.op->min_inputs || (node.op->max_inputs >= 0 && count > node.op->max_inputs)) {
    context.fail(fmt::format("{} inputs, expected {} to {}", count, node.op->min_inputs, node.op->max_inputs));
  }
  for (int i = 0; i < count; ++i) {
    if (inputs[i]) check_internal(inputs[i].graph == this, "graph: an input belongs to another graph");
    else if (i < node.op->min_inputs) context.fail(fmt::format("input {} is required", i));
  }
  node.op->infer(context);
  node.inputs.clear();
  for (const Value& input : inputs) node.inputs.push_back(input.id);
  node.outputs.clear();
  for (ValueInfo& result : context.results) {
    node.outputs.push_back(static_cast<int>(values_.size()));
    values_.push_back({std::move(result), static_cast<int>(nodes_.size())});
  }
  const int first = node.outputs.at(0);
  nodes_.push_back(std::move(node));
  return {this, first};
}

void Graph::set_output(const std::string& name, Value value) {
  check_internal(value.graph == this && value.id >= 0, "graph: output of another graph");
  outputs_.emplace_back(name, value.id);
}

std::vector<const Node*> Graph::inputs() const {
  std::vector<const Node*> found;
  for (const Node& node : nodes_) {
    if (node.op == &kInput) found.push_back(&node);
  }
  return found;
}

bool Graph::require_equal(const Extent& a, const Extent& b, const std::string& reason) {
  if (a == b) return true;
  if (a.is_constant() && b.is_constant()) return false;
  for (const Assumption& known : assumptions_) {
    if ((known.a == a && known.b == b) || (known.a == b && known.b == a)) return true;
  }
  assumptions_.push_back({a, b, reason});
  return true;
}

std::string Graph::set_label(std::string label) {
  std::swap(label_, label);
  return label;
}

void InferContext::require_dtype(size_t index, DType expected) const {
  if (dtype(index) != expected) {
    fail(fmt::format("input {} has dtype {}, expected {}", index, dtype_name(dtype(index)), dtype_name(expected)));
  }
}

void InferContext::require_equal(const Extent& a, const Extent& b, const char* what) {
  std::string reason = fmt::format("{}: {}: {}", node_.label, node_.op->name, what);
  if (!graph_.require_equal(a, b, reason)) {
    fail(fmt::format("{}: {} and {} differ", what, a.to_string(), b.to_string()));
  }
}

int InferContext::axis(int64_t axis, int rank) const {
  if (axis < 0 || axis >= rank) fail(fmt::format("axis {} is outside a tensor of {} axes", axis, rank));
  return static_cast<int>(axis);
}

void InferContext::fail(const std::string& message) const {
  gamut::fail(ErrorCode::kInvalidArgument, "{}{}{}: {}; inputs {}", node_.label, node_.label.empty() ? "" : ": ",
              node_.op->name, message, inputs_.empty() ? "none" : describe(inputs_));
}

}  // namespace gamut
