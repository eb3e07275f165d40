#include "ops/slice.h"

#include "graph/op_case_builder.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  Shape out = c.shape(0);
  const int axis = c.axis(c.attributes().i("axis"), c.rank(0));
  const Extent begin = c.attributes().extent("begin"), length = c.attributes().extent("length");
  if (out[axis].is_constant() && begin.is_constant() && length.is_constant()) {
    const int64_t extent = *out[axis].constant(), first = *begin.constant(), count = *length.constant();
    if (first < 0 || count < 0 || first > extent || count > extent - first) {
      c.fail(fmt::format("[{}, {}+{}) is outside an axis of {}", first, first, count, extent));
    }
  }
  out[axis] = length;
  c.output(c.dtype(0), std::move(out));
}

bool keeps_tokens(const Graph&, const Node& node) { return node.attributes.i("axis") >= 2; }

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (int64_t axis : {0, 1, 2}) {
    CaseBuilder b("slice_" + std::to_string(axis));
    all.push_back(b.finish(slice(b.f32("x", {4, 5, 6}), axis, 1, 2)));
  }
  CaseBuilder b("slice_last_one");
  all.push_back(b.finish(slice(b.f32("x", {3, 2}), -1, 1, 1)));
  return all;
}

}  // namespace

const OpSchema kSlice{.name = "slice", .infer = infer, .keeps_tokens = keeps_tokens, .cases = cases};

Value slice(Value x, int64_t axis, const Extent& begin, const Extent& length) {
  const int64_t counted = axis < 0 ? axis + x.rank() : axis;
  return x.graph->add(kSlice, {x}, {{"axis", counted}, {"begin", begin}, {"length", length}});
}

}  // namespace gamut::op
