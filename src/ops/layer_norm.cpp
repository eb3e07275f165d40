#include "ops/layer_norm.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/reduce.h"
#include "ops/unary.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  c.require_dtype(0, DType::kF32);
  if (c.rank(0) < 1) c.fail("expected at least one axis");
  for (size_t i : {1, 2}) {
    if (!c.has(i)) continue;
    c.require_dtype(i, DType::kF32);
    if (c.rank(i) != 1) c.fail("weight and bias have one axis");
    c.require_equal(c.shape(i)[0], c.shape(0).back(), "weight and the last axis");
  }
  if (c.has(3)) {
    c.require_dtype(3, DType::kF32);
    if (c.rank(3) != c.rank(0)) c.fail("the residual has another rank");
    for (int i = 0; i < c.rank(0); ++i) c.require_equal(c.shape(3)[i], c.shape(0)[i], "residual");
  }
  c.output(DType::kF32, c.shape(0));
}

Value decompose(Graph& g, const Node& node, std::span<const Value> inputs) {
  auto input = [&](size_t i) { return i < inputs.size() ? inputs[i] : Value{}; };
  Value x = input(3) ? inputs[0] + input(3) : inputs[0];
  Value centered = x - reduce(ReduceKind::kMean, x, {-1});
  Value variance = reduce(ReduceKind::kMean, centered * centered, {-1});
  Value y = centered * unary(UnaryKind::kRsqrt, variance + g.scalar(static_cast<float>(node.attributes.num("eps"))));
  if (input(1)) y = y * input(1);
  if (input(2)) y = y + input(2);
  return y;
}

bool keeps_tokens(const Graph& graph, const Node& node) { return graph.info(node.inputs[0]).shape.size() >= 3; }

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (int64_t width : {2, 5, 48, 129, 768}) {
    CaseBuilder b("layer_norm_" + std::to_string(width));
    Value x = b.f32("x", {2, 3, width}, -3, 5);
    all.push_back(b.finish(layer_norm(x, b.weight("w", {width}), b.weight("b", {width}), 1e-12)));
  }
  CaseBuilder plain("layer_norm_plain");
  all.push_back(plain.finish(layer_norm(plain.f32("x", {3, 33}), {}, {}, 1e-5)));
  CaseBuilder biased("layer_norm_large_mean");
  all.push_back(biased.finish(layer_norm(biased.f32("x", {3, 64}, 99, 101), biased.weight("w", {64}), {}, 1e-5), 3e-4));
  CaseBuilder residual("layer_norm_residual");
  Value x = residual.f32("x", {2, 5, 40}), r = residual.f32("r", {2, 5, 40});
  all.push_back(residual.finish(layer_norm(x, residual.weight("w", {40}), residual.weight("b", {40}), 1e-3, r)));
  return all;
}

}  // namespace

const OpSchema kLayerNorm{.name = "layer_norm",
                          .op_class = OpClass::kComposed,
                          .min_inputs = 1,
                          .max_inputs = 4,
                          .infer = infer,
                          .decompose = decompose,
                          .keeps_tokens = keeps_tokens,
                          .cases = cases};

Value layer_norm(Value x, Value weight, Value bias, double eps, Value residual) {
  return x.graph->add(kLayerNorm, {x, weight, bias, residual}, {{"eps", eps}});
}

}  // namespace gamut::op
