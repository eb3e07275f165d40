#include "ops/transpose.h"

#include <algorithm>

#include "graph/op_case_builder.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  const std::vector<int64_t> permutation = c.attributes().ints("permutation");
  std::vector<int64_t> sorted = permutation;
  std::ranges::sort(sorted);
  Shape out;
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted.size() != c.shape(0).size() || sorted[i] != static_cast<int64_t>(i))
      c.fail("not a permutation of the axes");
    out.push_back(c.shape(0)[permutation[i]]);
  }
  c.output(c.dtype(0), std::move(out));
}

bool keeps_tokens(const Graph&, const Node& node) {
  const std::vector<int64_t> permutation = node.attributes.ints("permutation");
  return permutation.size() >= 2 && permutation[0] == 0 && permutation[1] == 1;
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (const std::vector<int64_t>& permutation :
       {std::vector<int64_t>{1, 0, 2, 3}, {0, 2, 1, 3}, {3, 2, 1, 0}, {0, 1, 2, 3}, {0, 3, 1, 2}}) {
    CaseBuilder b("transpose" + to_string(Dims(permutation)));
    all.push_back(b.finish(transpose(b.f32("x", {2, 3, 5, 7}), permutation)));
  }
  return all;
}

}  // namespace

const OpSchema kTranspose{.name = "transpose", .infer = infer, .keeps_tokens = keeps_tokens, .cases = cases};

Value transpose(Value x, const std::vector<int64_t>& permutation) {
  return x.graph->add(kTranspose, {x}, {{"permutation", permutation}});
}

}  // namespace gamut::op
