#include "ops/delta_rule.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/recurrence_case.h"

namespace gamut::op {
namespace {

void require_constant(InferContext& c, const Extent& extent) {
  if (!extent.constant()) c.fail("expected known numbers of heads and their sizes");
}

void infer(InferContext& c) {
  for (size_t i : {0, 2, 3, 4, 5}) {
    c.require_dtype(i, DType::kF32);
    if (c.rank(i) != (i < 4 ? 4 : 3)) c.fail("expected q, k [B,S,G,K], v [B,S,H,V], decay and rate [B,S,H]");
    for (int axis : {0, 1}) c.require_equal(c.shape(i)[axis], c.shape(0)[axis], "tokens");
  }
  c.require_dtype(1, DType::kI64);
  const Shape &q = c.shape(0), &k = c.shape(2), &v = c.shape(3);
  for (int axis : {2, 3}) {
    c.require_equal(q[axis], k[axis], "heads of q and k");
    require_constant(c, k[axis]);
    require_constant(c, v[axis]);
  }
  for (size_t i : {4, 5}) c.require_equal(c.shape(i)[2], v[2], "heads of decay or rate");
  const int64_t groups = *k[2].constant();
  if (groups == 0 || *v[2].constant() % groups != 0) c.fail("heads of v must be a multiple of those of k");
  c.output(DType::kF32, v);
}

StateSpec state(const Graph& graph, const Node& node) {
  const Shape &k = graph.info(node.inputs[2]).shape, &v = graph.info(node.inputs[3]).shape;
  StateSpec spec;
  spec.kind = StateKind::kRecurrent;
  spec.dims = {*v[2].constant(), *k[3].constant(), *v[3].constant()};
  return spec;
}

struct CaseSize {
  RecurrenceCase rows;  // channels: of a value
  int64_t heads, groups, key_dim;
};

const CaseSize kCases[] = {
    {{"one", 1, {1}, true}, 1, 1, 1},
    {{"packed", 7, {5, 1, 9, 2}, true}, 3, 3, 5},
    {{"padded", 7, {5, 1, 9, 2}, false}, 6, 2, 5},
    {{"ones", 16, {1, 1, 1}, false}, 4, 1, 8},
    {{"long", 70, {133, 3}, true}, 2, 1, 64},
    {{"empty_row", 33, {4, 0, 3}, true}, 2, 2, 3},
};

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (const CaseSize& size : kCases) {
    const RowTable table = rows_of(size.rows);
    CaseBuilder b(std::string("delta_rule_") + size.rows.name);
    const Rows rows = b.rows(table);
    auto tokens = [&](const char* name, const Dims& tail) { return b.tokens(name, table, tail); };
    DeltaRuleInputs inputs;
    inputs.q = tokens("q", {size.groups, size.key_dim});
    // Keys of at most length 1 and rates below 2 keep the memory bounded.
    const auto shrink = static_cast<float>(0.5 / static_cast<double>(size.key_dim));
    inputs.k = tokens("k", {size.groups, size.key_dim}) * shrink;
    inputs.v = tokens("v", {size.heads, size.rows.channels});
    inputs.decay = tokens("decay", {size.heads}) * 0.24f + 0.5f;
    inputs.rate = tokens("rate", {size.heads}) * 0.25f + 0.5f;
    all.push_back(b.finish(delta_rule(rows, inputs)));
  }
  return all;
}

}  // namespace

const OpSchema kDeltaRule{.name = "delta_rule",
                          .min_inputs = 6,
                          .max_inputs = 6,
                          .infer = infer,
                          .keeps_tokens = always_keeps_tokens,
                          .cases = cases,
                          .state = state};

Value delta_rule(const Rows& rows, const DeltaRuleInputs& inputs, const std::string& state) {
  Attributes attributes;
  if (!state.empty()) attributes.set("state", state);
  return inputs.q.graph->add(kDeltaRule, {inputs.q, rows.table, inputs.k, inputs.v, inputs.decay, inputs.rate},
                             std::move(attributes));
}

}  // namespace gamut::op
