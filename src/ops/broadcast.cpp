#include "ops/broadcast.h"

#include "graph/op_case_builder.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  const Shape to = c.attributes().shape("shape"), from = c.shape(0);
  if (from.size() > to.size()) c.fail("cannot broadcast to " + to_string(to));
  for (size_t i = 0; i < from.size(); ++i) {
    const Extent& target = to[i + to.size() - from.size()];
    if (!(from[i] == Extent(1))) c.require_equal(from[i], target, "extents that broadcast");
  }
  c.output(c.dtype(0), to);
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  CaseBuilder a("broadcast_middle");
  all.push_back(a.finish(broadcast(a.f32("x", {2, 1, 3}), {2, 4, 3})));
  CaseBuilder b("broadcast_front");
  all.push_back(b.finish(broadcast(b.f32("x", {3}), {4, 5, 3})));
  return all;
}

}  // namespace

const OpSchema kBroadcast{.name = "broadcast", .infer = infer, .keeps_tokens = always_keeps_tokens, .cases = cases};

Value broadcast(Value x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return x.graph->add(kBroadcast, {x}, {{"shape", shape}});
}

}  // namespace gamut::op
