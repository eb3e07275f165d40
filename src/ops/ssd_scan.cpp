#include "ops/ssd_scan.h"

#include <cmath>

#include "graph/op_case_builder.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  for (size_t i : {0, 2, 3, 4, 5, 6}) c.require_dtype(i, DType::kF32);
  c.require_dtype(1, DType::kI64);
  const Shape x = c.shape(0), b = c.shape(4);
  if (x.size() != 4 || c.rank(2) != 3 || b.size() != 4 || c.rank(5) != 4) {
    c.fail("expected x [B,S,H,P], steps [B,S,H], b and c [B,S,G,N]");
  }
  if (c.rank(3) != 1 || c.rank(6) != 1) c.fail("expected a and d [H]");
  for (size_t i : {2, 4, 5}) {
    for (int axis : {0, 1}) c.require_equal(c.shape(i)[axis], x[axis], "tokens of x and another input");
  }
  c.require_equal(c.shape(2)[2], x[2], "heads of steps and x");
  c.require_equal(c.shape(3)[0], x[2], "heads of a and x");
  c.require_equal(c.shape(6)[0], x[2], "heads of d and x");
  for (int axis : {2, 3}) c.require_equal(c.shape(5)[axis], b[axis], "groups and numbers of b and c");
  const auto heads = x[2].constant(), groups = b[2].constant();
  if (!x[3].constant() || !heads || b[3].constant().value_or(0) < 1) c.fail("expected constant heads and numbers");
  if (groups.value_or(0) < 1 || *heads % *groups != 0) c.fail("heads must be a multiple of groups");
  c.output(DType::kF32, x);
}

StateSpec state(const Graph& graph, const Node& node) {
  const Shape &x = graph.info(node.inputs[0]).shape, &b = graph.info(node.inputs[4]).shape;
  return {.kind = StateKind::kRecurrent, .dims = {*x[2].constant(), *b[3].constant(), *x[3].constant()}};
}

struct CaseSize {
  const char* name;
  int64_t heads, head_dim, groups, numbers;
  std::vector<int64_t> lengths;
  bool packed;
  double least = 0, most = std::numeric_limits<double>::infinity();
};

const CaseSize kCases[] = {
    {"one", 1, 1, 1, 1, {1}, true},
    {"packed", 4, 8, 2, 6, {5, 1, 9, 2}, true},
    {"padded", 4, 8, 2, 6, {5, 1, 9, 2}, false},
    {"odd", 3, 7, 1, 13, {3, 40, 1}, true},
    {"limits", 6, 5, 3, 9, {12, 3}, true, 0.2, 0.9},
    {"chunks", 2, 20, 1, 16, {32, 33, 65}, true},
    {"long", 2, 16, 2, 8, {300, 4}, false},
};

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (const CaseSize& size : kCases) {
    const RowTable table = size.packed ? RowTable::packed(size.lengths) : RowTable::padded(size.lengths);
    CaseBuilder b(std::string("ssd_scan_") + size.name);
    const Rows rows = b.rows(table);
    Value x = b.tokens("x", table, {size.heads, size.head_dim});
    SsdScanInputs inputs{.least_step = size.least, .most_step = size.most};
    inputs.steps = b.tokens("steps", table, {size.heads});
    inputs.a = b.weight("a", {size.heads}, -2, 0);
    inputs.b = b.tokens("b", table, {size.groups, size.numbers});
    inputs.c = b.tokens("c", table, {size.groups, size.numbers});
    inputs.d = b.weight("d", {size.heads});
    all.push_back(b.finish(ssd_scan(x, inputs, rows)));
  }
  return all;
}

}  // namespace

const OpSchema kSsdScan{.name = "ssd_scan",
                        .min_inputs = 7,
                        .max_inputs = 7,
                        .infer = infer,
                        .keeps_tokens = always_keeps_tokens,
                        .cases = cases,
                        .state = state};

Value ssd_scan(Value x, const SsdScanInputs& inputs, const Rows& rows, const std::string& state) {
  Attributes attributes{{"least_step", inputs.least_step}};
  if (std::isfinite(inputs.most_step)) attributes.set("most_step", inputs.most_step);
  if (!state.empty()) attributes.set("state", state);
  return x.graph->add(kSsdScan, {x, rows.table, inputs.steps, inputs.a, inputs.b, inputs.c, inputs.d},
                      std::move(attributes));
}

double most_step(const Node& node) { return node.attributes.num("most_step", std::numeric_limits<double>::infinity()); }

}  // namespace gamut::op
