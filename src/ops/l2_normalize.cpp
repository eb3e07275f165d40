#include "ops/l2_normalize.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/reduce.h"
#include "ops/unary.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  c.require_dtype(0, DType::kF32);
  if (c.rank(0) < 1) c.fail("expected at least one axis");
  c.output(DType::kF32, c.shape(0));
}

Value decompose(Graph& g, const Node& node, std::span<const Value> inputs) {
  Value x = inputs[0];
  Value length = unary(UnaryKind::kSqrt, reduce(ReduceKind::kSum, x * x, {-1}));
  return x / binary(BinaryKind::kMax, length, g.scalar(static_cast<float>(node.attributes.num("eps"))));
}

bool keeps_tokens(const Graph& graph, const Node& node) { return graph.info(node.inputs[0]).shape.size() >= 3; }

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (int64_t width : {1, 17, 384}) {
    CaseBuilder b("l2_normalize_" + std::to_string(width));
    all.push_back(b.finish(l2_normalize(b.f32("x", {4, width}))));
  }
  CaseBuilder zero("l2_normalize_zero");
  all.push_back(zero.finish(l2_normalize(zero.f32("x", {2, 5}, 0, 0))));
  return all;
}

}  // namespace

const OpSchema kL2Normalize{.name = "l2_normalize",
                            .op_class = OpClass::kComposed,
                            .infer = infer,
                            .decompose = decompose,
                            .keeps_tokens = keeps_tokens,
                            .cases = cases};

Value l2_normalize(Value x, double eps) { return x.graph->add(kL2Normalize, {x}, {{"eps", eps}}); }

}  // namespace gamut::op
