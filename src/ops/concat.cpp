#include "ops/concat.h"

#include "graph/op_case_builder.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  Shape out = c.shape(0);
  const int axis = c.axis(c.attributes().i("axis"), c.rank(0));
  for (size_t part = 1; part < c.input_count(); ++part) {
    c.require_dtype(part, c.dtype(0));
    if (c.rank(part) != c.rank(0)) c.fail("ranks differ");
    for (int i = 0; i < c.rank(0); ++i) {
      if (i == axis) out[i] = out[i] + c.shape(part)[i];
      else c.require_equal(out[i], c.shape(part)[i], "extents beside the axis");
    }
  }
  c.output(c.dtype(0), std::move(out));
}

bool keeps_tokens(const Graph&, const Node& node) { return node.attributes.i("axis") >= 2; }

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (int64_t axis : {0, 1, 2, -1}) {
    CaseBuilder b("concat_" + std::to_string(axis));
    Dims first{2, 3, 4}, second{2, 3, 4};
    second[axis < 0 ? 2 : axis] = 5;
    all.push_back(b.finish(concat({b.f32("a", first), b.f32("b", second)}, axis)));
  }
  return all;
}

}  // namespace

const OpSchema kConcat{
    .name = "concat", .max_inputs = -1, .infer = infer, .keeps_tokens = keeps_tokens, .cases = cases};

Value concat(const std::vector<Value>& parts, int64_t axis) {
  if (parts.size() == 1) return parts[0];
  const int64_t counted = axis < 0 ? axis + parts.at(0).rank() : axis;
  return parts[0].graph->add(kConcat, parts, {{"axis", counted}});
}

}  // namespace gamut::op
