#include "ops/reshape.h"

#include "graph/op_case_builder.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  const Shape shape = c.attributes().shape("shape");
  c.require_equal(element_count(c.shape(0)), element_count(shape), "element counts");
  c.output(c.dtype(0), shape);
}

bool keeps_tokens(const Graph& graph, const Node& node) {
  const Shape &from = graph.info(node.inputs[0]).shape, &to = graph.info(node.outputs[0]).shape;
  return from.size() >= 2 && to.size() >= 2 && from[0] == to[0] && from[1] == to[1];
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  CaseBuilder a("reshape_split");
  all.push_back(a.finish(split_heads(a.f32("x", {2, 3, 20}), 5)));
  CaseBuilder b("reshape_symbolic");
  const Extent batch = Extent::symbol("B"), sequence = Extent::symbol("S");
  Value x = b.f32("x", {2, 3, 4}, -1, 1, {batch, sequence, 4});
  all.push_back(b.finish(reshape(x, {batch * sequence, 4})));
  return all;
}

}  // namespace

const OpSchema kReshape{.name = "reshape", .infer = infer, .keeps_tokens = keeps_tokens, .cases = cases};

Value reshape(Value x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return x.graph->add(kReshape, {x}, {{"shape", shape}});
}

Value split_heads(Value x, int64_t head_dim) {
  Shape shape = x.shape();
  shape.back() = floor_div(shape.back(), head_dim);
  shape.push_back(Extent(head_dim));
  return reshape(x, shape);
}

Value merge_heads(Value x) {
  Shape shape = x.shape();
  const Extent head_dim = shape.back();
  shape.pop_back();
  shape.back() = shape.back() * head_dim;
  return reshape(x, shape);
}

}  // namespace gamut::op
