#include "ops/softmax.h"

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

Value decompose(Graph&, const Node&, std::span<const Value> inputs) {
  Value x = inputs[0];
  Value e = unary(UnaryKind::kExp, x - reduce(ReduceKind::kMax, x, {-1}));
  return e / reduce(ReduceKind::kSum, e, {-1});
}

bool keeps_tokens(const Graph& graph, const Node& node) { return graph.info(node.inputs[0]).shape.size() >= 3; }

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (int64_t width : {1, 7, 16, 129, 1000}) {
    CaseBuilder b("softmax_" + std::to_string(width));
    all.push_back(b.finish(softmax(b.f32("x", {3, 2, width}, -20, 20))));
  }
  return all;
}

}  // namespace

const OpSchema kSoftmax{.name = "softmax",
                        .op_class = OpClass::kComposed,
                        .infer = infer,
                        .decompose = decompose,
                        .keeps_tokens = keeps_tokens,
                        .cases = cases};

Value softmax(Value x) { return x.graph->add(kSoftmax, {x}); }

}  // namespace gamut::op
