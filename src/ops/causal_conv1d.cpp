#include "ops/causal_conv1d.h"

#include "graph/op_case_builder.h"
#include "ops/transpose.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  for (size_t i : {0, 2, 3}) {
    if (c.has(i)) c.require_dtype(i, DType::kF32);
  }
  c.require_dtype(1, DType::kI64);
  if (c.rank(0) != 3 || !c.shape(0)[2].constant()) c.fail("expected x [B,S,C]");
  if (c.rank(2) != 2 || c.shape(2)[0].constant().value_or(0) < 1) c.fail("expected a weight of at least one tap");
  c.require_equal(c.shape(2)[1], c.shape(0)[2], "channels of weight and x");
  if (c.has(3)) {
    if (c.rank(3) != 1) c.fail("expected bias [C]");
    c.require_equal(c.shape(3)[0], c.shape(0)[2], "channels of bias and x");
  }
  c.output(DType::kF32, c.shape(0));
}

StateSpec state(const Graph& graph, const Node& node) {
  const Shape& weight = graph.info(node.inputs[2]).shape;
  return {.kind = StateKind::kRecurrent, .dims = {*weight[0].constant() - 1, *weight[1].constant()}};
}

struct CaseSize {
  const char* name;
  int64_t channels, taps;
  std::vector<int64_t> lengths;
  bool packed, bias;
};

const CaseSize kCases[] = {
    {"one", 1, 1, {1}, true, false},
    {"packed", 16, 4, {5, 1, 9, 2}, true, true},
    {"padded", 16, 4, {5, 1, 9, 2}, false, true},
    {"odd", 37, 3, {3, 70, 1}, true, false},
    {"short_rows", 5, 6, {2, 1, 3}, true, true},
    {"short_rows_padded", 5, 6, {2, 1, 3, 7}, false, true},
    {"wide", 300, 4, {33, 4}, true, true},
};

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (const CaseSize& size : kCases) {
    const RowTable table = size.packed ? RowTable::packed(size.lengths) : RowTable::padded(size.lengths);
    CaseBuilder b(std::string("causal_conv1d_") + size.name);
    const Rows rows = b.rows(table);
    Value x = b.tokens("x", table, {size.channels}), weight = b.weight("weight", {size.channels, size.taps});
    Value bias = size.bias ? b.weight("bias", {size.channels}) : Value{};
    all.push_back(b.finish(causal_conv1d(x, weight, bias, rows)));
  }
  return all;
}

}  // namespace

const OpSchema kCausalConv1d{.name = "causal_conv1d",
                             .min_inputs = 3,
                             .max_inputs = 4,
                             .infer = infer,
                             .keeps_tokens = always_keeps_tokens,
                             .cases = cases,
                             .state = state};

Value causal_conv1d(Value x, Value weight, Value bias, const Rows& rows, const std::string& state) {
  Attributes attributes;
  const bool has_past = weight.rank() == 2 && !(weight.extent(1) == Extent(1));
  if (!state.empty() && has_past) attributes.set("state", state);
  std::vector<Value> inputs{x, rows.table, transpose(weight, {1, 0})};
  if (bias) inputs.push_back(bias);
  return x.graph->add(kCausalConv1d, inputs, std::move(attributes));
}

}  // namespace gamut::op
