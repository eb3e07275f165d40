#include "ops/cast.h"

#include "graph/op_case_builder.h"

namespace gamut::op {
namespace {

bool castable(DType dtype) { return dtype == DType::kF32 || dtype == DType::kI64 || dtype == DType::kBool; }

void infer(InferContext& c) {
  const DType target = static_cast<DType>(c.attributes().i("dtype"));
  if (!castable(c.dtype(0)) || !castable(target)) c.fail("expected F32, I64 or BOOL on both sides");
  c.output(target, c.shape(0));
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  CaseBuilder a("cast_f32_i64_f32");
  all.push_back(a.finish(cast(cast(a.f32("x", {5, 7}, -9, 9), DType::kI64), DType::kF32)));
  CaseBuilder b("cast_i64_bool_f32");
  all.push_back(b.finish(cast(cast(b.ids("x", {5, 7}, 3), DType::kBool), DType::kF32)));
  return all;
}

}  // namespace

const OpSchema kCast{.name = "cast", .infer = infer, .keeps_tokens = always_keeps_tokens, .cases = cases};

Value cast(Value x, DType dtype) {
  if (x.dtype() == dtype) return x;
  return x.graph->add(kCast, {x}, {{"dtype", static_cast<int64_t>(dtype)}});
}

}  // namespace gamut::op
