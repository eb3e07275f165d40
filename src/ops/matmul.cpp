#include "ops/matmul.h"

#include <algorithm>

#include "graph/op_case_builder.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  c.require_dtype(0, DType::kF32);
  c.require_dtype(1, DType::kF32);
  const Shape &a = c.shape(0), &b = c.shape(1);
  if (a.size() < 2 || b.size() < 2) c.fail("expected matrices");
  const bool transposed = c.attributes().b("transpose_b");
  const Extent& rows_of_b = b[b.size() - (transposed ? 1 : 2)];
  const Extent& columns_of_b = b[b.size() - (transposed ? 2 : 1)];
  c.require_equal(a.back(), rows_of_b, "inner extents");
  const size_t rank = std::max(a.size(), b.size());
  Shape out(rank);
  for (size_t i = 0; i + 2 < rank; ++i) {
    const Extent x = i + a.size() >= rank ? a[i + a.size() - rank] : Extent(1);
    const Extent y = i + b.size() >= rank ? b[i + b.size() - rank] : Extent(1);
    if (!(x == Extent(1)) && !(y == Extent(1))) c.require_equal(x, y, "batch extents");
    out[i] = x == Extent(1) ? y : x;
  }
  out[rank - 2] = a[a.size() - 2];
  out[rank - 1] = columns_of_b;
  c.output(DType::kF32, std::move(out));
}

/// Tokens on the left times a matrix of weights keeps tokens apart; anything else mixes them.
bool keeps_tokens(const Graph& graph, const Node& node) {
  return graph.info(node.inputs[0]).shape.size() >= 3 && graph.info(node.inputs[1]).shape.size() == 2;
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  struct Pair {
    const char* name;
    Dims a, b;
    bool transposed;
  };
  const Pair pairs[] = {{"small", {3, 5}, {5, 7}, false},
                        {"transposed", {3, 5}, {7, 5}, true},
                        {"one", {1, 1}, {1, 1}, false},
                        {"batch", {2, 3, 4, 5}, {2, 3, 5, 6}, false},
                        {"broadcast", {2, 3, 4, 5}, {5, 6}, false},
                        {"broadcast_left", {4, 5}, {3, 5, 6}, false},
                        {"odd", {67, 129}, {131, 129}, true},
                        {"inner_zero", {3, 0}, {0, 2}, false},
                        {"batch_transposed", {3, 17, 19}, {3, 23, 19}, true},
                        {"middle", {2, 1, 4, 5}, {2, 3, 6, 5}, true}};
  for (const Pair& pair : pairs) {
    CaseBuilder b(std::string("matmul_") + pair.name);
    all.push_back(b.finish(matmul(b.f32("a", pair.a), b.f32("b", pair.b), pair.transposed)));
  }
  return all;
}

}  // namespace

const OpSchema kMatmul{
    .name = "matmul", .min_inputs = 2, .max_inputs = 2, .infer = infer, .keeps_tokens = keeps_tokens, .cases = cases};

Value matmul(Value a, Value b, bool transpose_b) {
  return a.graph->add(kMatmul, {a, b}, {{"transpose_b", transpose_b}});
}

}  // namespace gamut::op
