#include "ops/linear_scan.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/recurrence_case.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  for (size_t i : {0, 2}) c.require_dtype(i, DType::kF32);
  c.require_dtype(1, DType::kI64);
  if (c.rank(0) != 3 || c.rank(2) != 3) c.fail("expected a and b [B,S,C]");
  for (int axis : {0, 1, 2}) c.require_equal(c.shape(0)[axis], c.shape(2)[axis], "a and b");
  if (!c.shape(0)[2].constant()) c.fail("expected a known number of channels");
  c.output(DType::kF32, c.shape(0));
}

StateSpec state(const Graph& graph, const Node& node) {
  StateSpec spec;
  spec.kind = StateKind::kRecurrent;
  spec.dims = {*graph.info(node.inputs[0]).shape[2].constant()};
  return spec;
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (const RecurrenceCase& size : kRecurrenceCases) {
    const RowTable table = rows_of(size);
    CaseBuilder b(std::string("linear_scan_") + size.name);
    const Rows rows = b.rows(table);
    // A factor of 1/2 keeps |a| at most 1, so that long rows do not grow without bound.
    const Value x = b.tokens("a", table, {size.channels}) * 0.5f, y = b.tokens("b", table, {size.channels});
    all.push_back(b.finish(linear_scan(rows, x, y)));
  }
  return all;
}

}  // namespace

const OpSchema kLinearScan{.name = "linear_scan",
                           .min_inputs = 3,
                           .max_inputs = 3,
                           .infer = infer,
                           .keeps_tokens = always_keeps_tokens,
                           .cases = cases,
                           .state = state};

Value linear_scan(const Rows& rows, Value a, Value b, const std::string& state) {
  Attributes attributes;
  if (!state.empty()) attributes.set("state", state);
  return a.graph->add(kLinearScan, {a, rows.table, b}, std::move(attributes));
}

}  // namespace gamut::op
