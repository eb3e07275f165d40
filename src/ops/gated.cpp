#include "ops/gated.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  for (size_t i : {0, 1}) c.require_dtype(i, DType::kF32);
  if (c.rank(0) != c.rank(1)) c.fail("gate and up have different ranks");
  for (int axis = 0; axis < c.rank(0); ++axis) c.require_equal(c.shape(0)[axis], c.shape(1)[axis], "gate and up");
  c.output(DType::kF32, c.shape(0));
}

Value decompose(Graph&, const Node& node, std::span<const Value> inputs) {
  return activation(activation_kind(node), inputs[0]) * inputs[1];
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (ActivationKind kind : {ActivationKind::kSilu, ActivationKind::kGeluTanh, ActivationKind::kRelu2}) {
    CaseBuilder b("gated_" + std::string(activation_name(kind)));
    Value gate = b.f32("gate", {2, 3, 37}), up = b.f32("up", {2, 3, 37});
    all.push_back(b.finish(gated(kind, gate, up)));
  }
  CaseBuilder large("gated_large");
  Value gate = large.f32("gate", {5, 1, 4099}), up = large.f32("up", {5, 1, 4099});
  all.push_back(large.finish(gated(ActivationKind::kGelu, gate, up)));
  return all;
}

}  // namespace

const OpSchema kGated{.name = "gated",
                      .op_class = OpClass::kComposed,
                      .min_inputs = 2,
                      .max_inputs = 2,
                      .infer = infer,
                      .decompose = decompose,
                      .keeps_tokens = always_keeps_tokens,
                      .cases = cases};

Value gated(ActivationKind activation, Value gate, Value up) {
  return gate.graph->add(kGated, {gate, up}, {{"activation", std::string(activation_name(activation))}});
}

}  // namespace gamut::op
