#include "ops/iota.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/cast.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) { c.output(DType::kI64, {c.attributes().extent("count")}); }

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  CaseBuilder b("iota");
  const Extent sequence = Extent::symbol("S");
  Value x = b.f32("x", {5}, 0, 1, {sequence});
  all.push_back(b.finish(x + cast(iota(b.graph(), sequence), DType::kF32)));
  return all;
}

}  // namespace

const OpSchema kIota{.name = "iota", .min_inputs = 0, .max_inputs = 0, .infer = infer, .cases = cases};

Value iota(Graph& graph, const Extent& count) { return graph.add(kIota, {}, {{"count", count}}); }

}  // namespace gamut::op
