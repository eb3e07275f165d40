#include "ops/linear.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/matmul.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  c.require_dtype(0, DType::kF32);
  c.require_dtype(1, DType::kF32);
  if (c.rank(0) < 1 || c.rank(1) != 2) c.fail("expected x [..., in] and weight [out, in]");
  c.require_equal(c.shape(0).back(), c.shape(1)[1], "inner extents");
  Shape out = c.shape(0);
  out.back() = c.shape(1)[0];
  if (c.has(2)) {
    c.require_dtype(2, DType::kF32);
    if (c.rank(2) != 1) c.fail("the bias has one axis");
    c.require_equal(c.shape(2)[0], out.back(), "bias");
  }
  if (c.has(3)) {
    c.require_dtype(3, DType::kF32);
    if (c.shape(3).size() != out.size()) c.fail("the residual has another rank");
    for (size_t i = 0; i < out.size(); ++i) c.require_equal(c.shape(3)[i], out[i], "residual");
  }
  if (c.has(4)) {
    if (c.has(3)) c.fail("a factor beside a residual");
    c.require_dtype(4, DType::kF32);
    if (c.shape(4).size() != out.size()) c.fail("the factor has another rank");
    for (size_t i = 0; i < out.size(); ++i) c.require_equal(c.shape(4)[i], out[i], "factor");
  }
  c.output(DType::kF32, std::move(out));
}

Value decompose(Graph&, const Node& node, std::span<const Value> inputs) {
  auto input = [&](size_t i) { return i < inputs.size() ? inputs[i] : Value{}; };
  Value y = matmul(inputs[0], inputs[1], /*transpose_b=*/true);
  if (input(2)) y = y + input(2);
  const ActivationKind kind = activation_kind(node);
  if (kind != ActivationKind::kIdentity) y = activation(kind, y);
  if (input(3)) y = y + input(3);
  if (input(4)) y = y * input(4);
  return y;
}

bool keeps_tokens(const Graph& graph, const Node& node) { return graph.info(node.inputs[0]).shape.size() >= 3; }

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  struct Size {
    int64_t m, n, k;
  };
  for (const Size& size :
       {Size{1, 1, 1}, {1, 33, 17}, {5, 48, 64}, {13, 100, 31}, {128, 96, 48}, {37, 131, 257}, {2, 16, 513}}) {
    CaseBuilder b("linear_" + to_string(Dims{size.m, size.n, size.k}));
    Value x = b.f32("x", {1, size.m, size.k}, -1, 1);
    all.push_back(b.finish(linear(x, b.weight("w", {size.n, size.k}), {.bias = b.weight("b", {size.n})})));
  }
  for (ActivationKind kind :
       {ActivationKind::kGelu, ActivationKind::kRelu, ActivationKind::kMish, ActivationKind::kTanh}) {
    CaseBuilder b("linear_" + std::string(activation_name(kind)));
    Value x = b.f32("x", {2, 7, 24}, -1, 1);
    LinearOptions options{.bias = b.weight("b", {29}), .activation = kind};
    all.push_back(b.finish(linear(x, b.weight("w", {29, 24}), options)));
  }
  CaseBuilder r("linear_residual");
  Value x = r.f32("x", {2, 9, 20}, -1, 1);
  all.push_back(r.finish(linear(x, r.weight("w", {20, 20}), {.bias = r.weight("b", {20}), .residual = x})));
  CaseBuilder f("linear_factor");
  Value z = f.f32("x", {2, 9, 20}, -1, 1);
  all.push_back(f.finish(linear(z, f.weight("w", {20, 20}), {.bias = f.weight("b", {20}), .factor = z})));
  CaseBuilder n("linear_without_bias");
  all.push_back(n.finish(linear(n.f32("x", {3, 8}), n.weight("w", {5, 8}))));
  CaseBuilder d("linear_dynamic_weight");
  all.push_back(d.finish(linear(d.f32("x", {3, 8}), d.f32("w", {5, 8}), {.bias = d.f32("b", {5})})));
  return all;
}

}  // namespace

const OpSchema kLinear{.name = "linear",
                       .op_class = OpClass::kComposed,
                       .min_inputs = 2,
                       .max_inputs = 5,
                       .infer = infer,
                       .decompose = decompose,
                       .keeps_tokens = keeps_tokens,
                       .cases = cases};

Value linear(Value x, Value weight, const LinearOptions& options) {
  return x.graph->add(kLinear, {x, weight, options.bias, options.residual, options.factor},
                      {{"activation", std::string(activation_name(options.activation))}});
}

}  // namespace gamut::op
