#include "ops/top_k_mask.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/compare.h"
#include "ops/iota.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/unary.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  c.require_dtype(0, DType::kF32);
  if (c.rank(0) < 1) c.fail("expected at least one axis");
  const auto width = c.shape(0).back().constant();
  const int64_t k = c.attributes().i("k");
  if (!width || k < 1 || k > *width) c.fail(fmt::format("cannot choose {} of a line", k));
  c.output(DType::kF32, c.shape(0));
}

/// Counts for each entry those that are ahead of it.
Value decompose(Graph& g, const Node& node, std::span<const Value> inputs) {
  const Shape shape(inputs[0].shape().begin(), inputs[0].shape().end());
  Shape own = shape, other = shape;
  own.push_back(1);
  other.insert(other.end() - 1, Extent(1));
  const Extent width = shape.back();
  const Value x = reshape(inputs[0], own), y = reshape(inputs[0], other), places = iota(g, width);
  const Value before = compare(CompareKind::kLess, reshape(places, {1, width}), reshape(places, {width, 1}));
  const Value greater = cast(compare(CompareKind::kLess, x, y), DType::kF32);
  const Value equal = cast(logical_and(compare(CompareKind::kEqual, x, y), before), DType::kF32);
  const Value ahead = reshape(reduce(ReduceKind::kSum, greater + equal, {-1}), shape);
  return cast(compare(CompareKind::kLess, ahead, g.scalar(static_cast<float>(node.attributes.i("k")))), DType::kF32);
}

bool keeps_tokens(const Graph& graph, const Node& node) { return graph.info(node.inputs[0]).shape.size() >= 3; }

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  struct Size {
    Dims dims;
    int64_t k;
  };
  for (const Size& size : {Size{{1, 1}, 1}, {{2, 3, 8}, 2}, {{1, 5, 4, 6}, 2}, {{3, 40}, 39}, {{2, 2, 130}, 8}}) {
    CaseBuilder b(fmt::format("top_k_mask_{}_of_{}", size.k, to_string(size.dims)));
    all.push_back(b.finish(top_k_mask(b.f32("x", size.dims), size.k)));
  }
  CaseBuilder ties("top_k_mask_ties");
  const Value x = unary(UnaryKind::kFloor, ties.f32("x", {7, 3, 12}));
  all.push_back(ties.finish(top_k_mask(x, 5)));
  return all;
}

}  // namespace

const OpSchema kTopKMask{.name = "top_k_mask",
                         .op_class = OpClass::kComposed,
                         .infer = infer,
                         .decompose = decompose,
                         .keeps_tokens = keeps_tokens,
                         .cases = cases};

Value top_k_mask(Value x, int64_t k) { return x.graph->add(kTopKMask, {x}, {{"k", k}}); }

}  // namespace gamut::op
