#include "ops/select.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/compare.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  c.require_dtype(0, DType::kBool);
  c.require_dtype(2, c.dtype(1));
  Shape condition_and_a = broadcast_shape(c, 0, 1), condition_and_b = broadcast_shape(c, 0, 2);
  Shape a_and_b = broadcast_shape(c, 1, 2);
  Shape out = condition_and_a.size() >= condition_and_b.size() ? condition_and_a : condition_and_b;
  for (size_t i = 0; i < out.size(); ++i) {
    for (const Shape* other : {&condition_and_a, &condition_and_b, &a_and_b}) {
      if (i + other->size() < out.size()) continue;
      const Extent& extent = (*other)[i + other->size() - out.size()];
      if (out[i] == Extent(1)) out[i] = extent;
    }
  }
  c.output(c.dtype(1), std::move(out));
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  CaseBuilder b("select_broadcast");
  Value condition = compare(CompareKind::kLess, b.ids("i", {3, 1, 5}, 4), b.ids("j", {1, 4, 5}, 4));
  all.push_back(b.finish(select(condition, b.f32("a", {3, 4, 5}), b.f32("b", {}))));
  CaseBuilder s("select_scalar_condition_shape");
  Value lesser = compare(CompareKind::kLess, s.f32("x", {6}), s.f32("y", {6}));
  all.push_back(s.finish(select(lesser, s.f32("a", {2, 6}), s.f32("b", {6}))));
  return all;
}

}  // namespace

const OpSchema kSelect{.name = "select",
                       .min_inputs = 3,
                       .max_inputs = 3,
                       .infer = infer,
                       .keeps_tokens = always_keeps_tokens,
                       .cases = cases};

Value select(Value condition, Value a, Value b) { return a.graph->add(kSelect, {condition, a, b}); }

}  // namespace gamut::op
