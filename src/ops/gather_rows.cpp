#include "ops/gather_rows.h"

#include "graph/op_case_builder.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  c.require_dtype(1, DType::kI64);
  if (c.rank(0) < 1) c.fail("the table needs an axis");
  Shape out = c.shape(1);
  out.insert(out.end(), c.shape(0).begin() + 1, c.shape(0).end());
  c.output(c.dtype(0), std::move(out));
}

/// A table that is no token value is looked up token by token.
bool keeps_tokens(const Graph& graph, const Node& node) {
  const Shape& table = graph.info(node.inputs[0]).shape;
  return !table[0].mentions(kSequence) && !table[0].mentions(kBatch);
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  CaseBuilder a("gather_rows_weight");
  all.push_back(a.finish(gather_rows(a.weight("table", {11, 7}), a.ids("ids", {2, 5}, 11))));
  CaseBuilder b("gather_rows_input");
  all.push_back(b.finish(gather_rows(b.f32("table", {4, 3, 2}), b.ids("ids", {6}, 4))));
  return all;
}

}  // namespace

const OpSchema kGatherRows{.name = "gather_rows",
                           .min_inputs = 2,
                           .max_inputs = 2,
                           .infer = infer,
                           .keeps_tokens = keeps_tokens,
                           .cases = cases};

Value gather_rows(Value table, Value ids) { return table.graph->add(kGatherRows, {table, ids}); }

}  // namespace gamut::op
