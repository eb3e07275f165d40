#include "ops/rope.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/concat.h"
#include "ops/reshape.h"
#include "ops/slice.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  for (size_t i : {0, 1, 2}) c.require_dtype(i, DType::kF32);
  if (c.rank(0) != 4) c.fail("expected x [B,S,heads,head_dim]");
  for (size_t i : {1, 2}) {
    if (c.rank(i) != 3) c.fail("expected cos and sin [B,S,R/2]");
    for (int axis : {0, 1}) c.require_equal(c.shape(i)[axis], c.shape(0)[axis], "tokens of x, cos and sin");
  }
  c.require_equal(c.shape(1)[2], c.shape(2)[2], "width of cos and sin");
  const auto width = c.shape(0)[3].constant(), half = c.shape(1)[2].constant();
  if (!width || !half || *half < 1 || 2 * *half > *width) c.fail("cos and sin must have 1 to head_dim / 2 angles");
  c.output(DType::kF32, c.shape(0));
}

Value decompose(Graph&, const Node& node, std::span<const Value> inputs) {
  const Value x = inputs[0];
  const Shape shape(x.shape().begin(), x.shape().end());  // a copy: values move while the graph grows
  const int64_t width = *shape[3].constant(), half = *inputs[1].extent(2).constant();
  const bool interleaved = node.attributes.b("interleaved");
  Shape pairs{shape[0], shape[1], shape[2], half, 2};
  Value turned = slice(x, 3, 0, 2 * half);
  if (interleaved) turned = reshape(turned, pairs);
  const int64_t axis = interleaved ? 4 : 3, length = interleaved ? 1 : half;
  Shape angles{shape[0], shape[1], 1, half};
  if (interleaved) angles.push_back(1);
  const Value a = slice(turned, axis, 0, length), b = slice(turned, axis, length, length);
  const Value cos = reshape(inputs[1], angles), sin = reshape(inputs[2], angles);
  const Value left = a * cos - b * sin, right = b * cos + a * sin;
  Value y = concat({left, right}, axis);
  if (interleaved) y = reshape(y, {shape[0], shape[1], shape[2], 2 * half});
  return 2 * half == width ? y : concat({y, slice(x, 3, 2 * half, width - 2 * half)}, 3);
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  struct Size {
    int64_t heads, head_dim, half;
  };
  for (const Size& size : {Size{1, 2, 1}, Size{3, 8, 4}, Size{2, 10, 3}, Size{2, 128, 64}, Size{5, 67, 33}}) {
    for (bool interleaved : {false, true}) {
      CaseBuilder b("rope_" + std::to_string(size.head_dim) + "_" + std::to_string(size.half) +
                    (interleaved ? "_interleaved" : ""));
      Value x = b.f32("x", {2, 3, size.heads, size.head_dim});
      Value cos = b.f32("cos", {2, 3, size.half}, -1, 1), sin = b.f32("sin", {2, 3, size.half}, -1, 1);
      all.push_back(b.finish(rope(x, cos, sin, interleaved)));
    }
  }
  return all;
}

}  // namespace

const OpSchema kRope{.name = "rope",
                     .op_class = OpClass::kComposed,
                     .min_inputs = 3,
                     .max_inputs = 3,
                     .infer = infer,
                     .decompose = decompose,
                     .keeps_tokens = always_keeps_tokens,
                     .cases = cases};

Value rope(Value x, Value cos, Value sin, bool interleaved) {
  Attributes attributes;
  if (interleaved) attributes.set("interleaved", true);
  return x.graph->add(kRope, {x, cos, sin}, std::move(attributes));
}

}  // namespace gamut::op
