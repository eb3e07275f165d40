#include "ops/wkv.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/recurrence_case.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  for (size_t i : {0, 2, 3, 4}) c.require_dtype(i, DType::kF32);
  c.require_dtype(1, DType::kI64);
  if (c.rank(0) != 3 || c.rank(2) != 3) c.fail("expected k and v [B,S,C]");
  for (int axis : {0, 1, 2}) c.require_equal(c.shape(0)[axis], c.shape(2)[axis], "k and v");
  if (!c.shape(0)[2].constant()) c.fail("expected a known number of channels");
  for (size_t i : {3, 4}) {
    if (c.rank(i) != 1) c.fail("expected decay and first [C]");
    c.require_equal(c.shape(i)[0], c.shape(0)[2], "channels of decay or first");
  }
  c.output(DType::kF32, c.shape(0));
}

/// Per channel the two sums of the fraction, each divided by e to the power of the third number.
StateSpec state(const Graph& graph, const Node& node) {
  StateSpec spec;
  spec.kind = StateKind::kRecurrent;
  spec.dims = {3, *graph.info(node.inputs[0]).shape[2].constant()};
  return spec;
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (const RecurrenceCase& size : kRecurrenceCases) {
    const RowTable table = rows_of(size);
    CaseBuilder b(std::string("wkv_") + size.name);
    const Rows rows = b.rows(table);
    const Value k = b.tokens("k", table, {size.channels}), v = b.tokens("v", table, {size.channels});
    const Value decay = b.f32("decay", {size.channels}, -3, 0), first = b.f32("first", {size.channels});
    all.push_back(b.finish(wkv(rows, {k * size.scale, v, decay, first}), size.tolerance));
  }
  return all;
}

}  // namespace

const OpSchema kWkv{.name = "wkv",
                    .min_inputs = 5,
                    .max_inputs = 5,
                    .infer = infer,
                    .keeps_tokens = always_keeps_tokens,
                    .cases = cases,
                    .state = state};

Value wkv(const Rows& rows, const WkvInputs& inputs, const std::string& state) {
  Attributes attributes;
  if (!state.empty()) attributes.set("state", state);
  return inputs.k.graph->add(kWkv, {inputs.k, rows.table, inputs.v, inputs.decay, inputs.first}, std::move(attributes));
}

}  // namespace gamut::op
