#include "ops/compare.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/kind_of.h"

namespace gamut {
namespace {

constexpr std::string_view kNames[] = {"equal", "less", "less_equal"};

void infer(InferContext& c) {
  c.require_dtype(1, c.dtype(0));
  if (c.dtype(0) != DType::kF32 && c.dtype(0) != DType::kI64) c.fail("expected F32 or I64");
  c.output(DType::kBool, broadcast_shape(c, 0, 1));
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (size_t kind = 0; kind < std::size(kNames); ++kind) {
    CaseBuilder b("compare_" + std::string(kNames[kind]));
    Value a = b.ids("a", {3, 1, 5}, 4), c = b.ids("b", {4, 5}, 4);
    all.push_back(b.finish(op::cast(op::compare(static_cast<CompareKind>(kind), a, c), DType::kF32)));
    CaseBuilder f("compare_f32_" + std::string(kNames[kind]));
    Value x = f.f32("a", {7, 33}), y = f.f32("b", {33});
    all.push_back(f.finish(op::cast(op::compare(static_cast<CompareKind>(kind), x, y), DType::kF32)));
  }
  return all;
}

}  // namespace

namespace op {

const OpSchema kCompare{.name = "compare",
                        .min_inputs = 2,
                        .max_inputs = 2,
                        .infer = infer,
                        .keeps_tokens = always_keeps_tokens,
                        .cases = cases};

Value compare(CompareKind kind, Value a, Value b) {
  return a.graph->add(kCompare, {a, b}, {{"kind", std::string(compare_name(kind))}});
}

Value logical_and(Value a, Value b) {
  Graph& g = *a.graph;
  return compare(CompareKind::kEqual, cast(a, DType::kI64) + cast(b, DType::kI64), g.scalar(int64_t{2}));
}

}  // namespace op

std::string_view compare_name(CompareKind kind) { return kNames[static_cast<size_t>(kind)]; }

CompareKind compare_kind(const Node& node) { return kind_of<CompareKind>("compare", node, kNames); }

}  // namespace gamut
