#include "ops/selective_scan.h"

#include "graph/op_case_builder.h"
#include "ops/transpose.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  for (size_t i : {0, 2, 3, 4, 5, 6}) c.require_dtype(i, DType::kF32);
  c.require_dtype(1, DType::kI64);
  const Shape x = c.shape(0);
  if (x.size() != 3 || c.rank(2) != 3 || c.rank(4) != 3 || c.rank(5) != 3) {
    c.fail("expected x and steps [B,S,C], b and c [B,S,N]");
  }
  if (c.rank(3) != 2 || c.rank(6) != 1) c.fail("expected a [N,C] and d [C]");
  if (!x[2].constant() || c.shape(3)[0].constant().value_or(0) < 1) c.fail("expected constant channels and numbers");
  for (size_t i : {2, 4, 5}) {
    for (int axis : {0, 1}) c.require_equal(c.shape(i)[axis], x[axis], "tokens of x and another input");
  }
  c.require_equal(c.shape(2)[2], x[2], "channels of steps and x");
  c.require_equal(c.shape(3)[1], x[2], "channels of a and x");
  c.require_equal(c.shape(6)[0], x[2], "channels of d and x");
  for (size_t i : {4, 5}) c.require_equal(c.shape(i)[2], c.shape(3)[0], "numbers of a and of b or c");
  c.output(DType::kF32, x);
}

StateSpec state(const Graph& graph, const Node& node) {
  const Shape& a = graph.info(node.inputs[3]).shape;
  return {.kind = StateKind::kRecurrent, .dims = {*a[0].constant(), *a[1].constant()}};
}

struct CaseSize {
  const char* name;
  int64_t channels, numbers;
  std::vector<int64_t> lengths;
  bool packed;
};

const CaseSize kCases[] = {
    {"one", 1, 1, {1}, true},          {"packed", 16, 4, {5, 1, 9, 2}, true},  {"padded", 16, 4, {5, 1, 9, 2}, false},
    {"odd", 37, 13, {3, 40, 1}, true}, {"chunks", 20, 16, {32, 33, 65}, true}, {"long", 7, 8, {300, 4}, false},
};

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (const CaseSize& size : kCases) {
    const RowTable table = size.packed ? RowTable::packed(size.lengths) : RowTable::padded(size.lengths);
    CaseBuilder b(std::string("selective_scan_") + size.name);
    const Rows rows = b.rows(table);
    Value x = b.tokens("x", table, {size.channels});
    SelectiveScanInputs inputs;
    inputs.steps = b.tokens("steps", table, {size.channels});
    inputs.a = b.weight("a", {size.channels, size.numbers}, -2, 0);
    inputs.b = b.tokens("b", table, {size.numbers}), inputs.c = b.tokens("c", table, {size.numbers});
    inputs.d = b.weight("d", {size.channels});
    all.push_back(b.finish(selective_scan(x, inputs, rows)));
  }
  return all;
}

}  // namespace

const OpSchema kSelectiveScan{.name = "selective_scan",
                              .min_inputs = 7,
                              .max_inputs = 7,
                              .infer = infer,
                              .keeps_tokens = always_keeps_tokens,
                              .cases = cases,
                              .state = state};

Value selective_scan(Value x, const SelectiveScanInputs& inputs, const Rows& rows, const std::string& state) {
  Attributes attributes;
  if (!state.empty()) attributes.set("state", state);
  const Value a = transpose(inputs.a, {1, 0});
  return x.graph->add(kSelectiveScan, {x, rows.table, inputs.steps, a, inputs.b, inputs.c, inputs.d},
                      std::move(attributes));
}

}  // namespace gamut::op
