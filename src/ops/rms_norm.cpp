#include "ops/rms_norm.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/reduce.h"
#include "ops/unary.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  c.require_dtype(0, DType::kF32);
  if (c.rank(0) < 1) c.fail("expected at least one axis");
  if (c.has(1)) {
    c.require_dtype(1, DType::kF32);
    if (c.rank(1) != 1) c.fail("the weight has one axis");
    c.require_equal(c.shape(1)[0], c.shape(0).back(), "weight and the last axis");
  }
  c.output(DType::kF32, c.shape(0));
}

Value decompose(Graph& g, const Node& node, std::span<const Value> inputs) {
  const Value x = inputs[0];
  Value square = reduce(ReduceKind::kMean, x * x, {-1});
  Value y = x * unary(UnaryKind::kRsqrt, square + g.scalar(static_cast<float>(node.attributes.num("eps"))));
  return inputs.size() > 1 && inputs[1] ? y * inputs[1] : y;
}

bool keeps_tokens(const Graph& graph, const Node& node) { return graph.info(node.inputs[0]).shape.size() >= 3; }

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (int64_t width : {1, 5, 48, 129, 768}) {
    CaseBuilder b("rms_norm_" + std::to_string(width));
    Value x = b.f32("x", {2, 3, width}, -3, 5);
    all.push_back(b.finish(rms_norm(x, b.weight("w", {width}), 1e-6)));
  }
  CaseBuilder plain("rms_norm_plain");
  all.push_back(plain.finish(rms_norm(plain.f32("x", {3, 2, 4, 33}), {}, 1e-5)));
  return all;
}

}  // namespace

const OpSchema kRmsNorm{.name = "rms_norm",
                        .op_class = OpClass::kComposed,
                        .min_inputs = 1,
                        .max_inputs = 2,
                        .infer = infer,
                        .decompose = decompose,
                        .keeps_tokens = keeps_tokens,
                        .cases = cases};

Value rms_norm(Value x, Value weight, double eps) { return x.graph->add(kRmsNorm, {x, weight}, {{"eps", eps}}); }

}  // namespace gamut::op
