#include "ops/reduce.h"

#include <algorithm>

#include "graph/op_case_builder.h"
#include "ops/kind_of.h"

namespace gamut {
namespace {

constexpr std::string_view kNames[] = {"sum", "mean", "max"};

void infer(InferContext& c) {
  c.require_dtype(0, DType::kF32);
  Shape shape = c.shape(0);
  for (int64_t axis : c.attributes().ints("axes")) shape[c.axis(axis, c.rank(0))] = Extent(1);
  c.output(DType::kF32, std::move(shape));
}

bool keeps_tokens(const Graph&, const Node& node) {
  return std::ranges::all_of(node.attributes.ints("axes"), [](int64_t axis) { return axis >= 2; });
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (size_t kind = 0; kind < std::size(kNames); ++kind) {
    for (const std::vector<int64_t>& axes : {std::vector<int64_t>{-1}, {0}, {1}, {0, 2}}) {
      CaseBuilder b("reduce_" + std::string(kNames[kind]) + to_string(Dims(axes)));
      all.push_back(b.finish(op::reduce(static_cast<ReduceKind>(kind), b.f32("x", {4, 5, 37}), axes)));
    }
  }
  return all;
}

}  // namespace

namespace op {

const OpSchema kReduce{.name = "reduce", .infer = infer, .keeps_tokens = keeps_tokens, .cases = cases};

Value reduce(ReduceKind kind, Value x, const std::vector<int64_t>& axes) {
  std::vector<int64_t> counted = axes;
  for (int64_t& axis : counted) axis = axis < 0 ? axis + x.rank() : axis;
  return x.graph->add(kReduce, {x}, {{"kind", std::string(reduce_name(kind))}, {"axes", counted}});
}

}  // namespace op

std::string_view reduce_name(ReduceKind kind) { return kNames[static_cast<size_t>(kind)]; }

ReduceKind reduce_kind(const Node& node) { return kind_of<ReduceKind>("reduce", node, kNames); }

}  // namespace gamut
