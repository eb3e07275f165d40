#include "passes/binding.h"

#include "base/error.h"

namespace gamut {
namespace {

void bind_one(const Node& node, const ValueInfo& declared, const Tensor& tensor, SymbolValues* symbols) {
  const std::string name = node.attributes.s("name");
  if (tensor.dtype() != declared.dtype) {
    fail(ErrorCode::kInvalidArgument, "input {}: dtype {}, expected {}", name, dtype_name(tensor.dtype()),
         dtype_name(declared.dtype));
  }
  if (tensor.dims().size() != declared.shape.size()) {
    fail(ErrorCode::kInvalidArgument, "input {}: shape {}, expected {}", name, to_string(tensor.dims()),
         to_string(declared.shape));
  }
  for (size_t axis = 0; axis < declared.shape.size(); ++axis) {
    const auto symbol = declared.shape[axis].as_symbol();
    if (!symbol) continue;
    auto [found, is_new] = symbols->emplace(*symbol, tensor.dims()[axis]);
    if (!is_new && found->second != tensor.dims()[axis]) {
      fail(ErrorCode::kInvalidArgument, "input {}: shape {}, expected {} with {}={}", name, to_string(tensor.dims()),
           to_string(declared.shape), *symbol, found->second);
    }
  }
}

}  // namespace

SymbolValues bind_symbols(const Graph& graph, const NamedTensors& inputs) {
  SymbolValues symbols;
  for (const Node* node : graph.inputs()) {
    const std::string name = node->attributes.s("name");
    auto found = inputs.find(name);
    if (found == inputs.end()) fail(ErrorCode::kInvalidArgument, "input {} is missing", name);
    bind_one(*node, graph.info(node->outputs[0]), found->second, &symbols);
  }
  for (const Node* node : graph.inputs()) {
    const Shape& shape = graph.info(node->outputs[0]).shape;
    const Tensor& tensor = inputs.at(node->attributes.s("name"));
    if (evaluate(shape, symbols) != tensor.dims()) {
      fail(ErrorCode::kInvalidArgument, "input {}: shape {}, expected {}", node->attributes.s("name"),
           to_string(tensor.dims()), to_string(shape));
    }
  }
  for (const Assumption& a : graph.assumptions()) {
    const int64_t left = a.a.evaluate(symbols), right = a.b.evaluate(symbols);
    if (left != right) {
      fail(ErrorCode::kInvalidArgument, "{}: {} is {} and {} is {} in this run; they must be equal", a.reason,
           a.a.to_string(), left, a.b.to_string(), right);
    }
  }
  return symbols;
}

}  // namespace gamut
