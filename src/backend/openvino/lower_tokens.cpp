// Operators that move data, multiply matrices or mix tokens.
#include <algorithm>

#include <openvino/op/add.hpp>
#include <openvino/op/broadcast.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/range.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/scaled_dot_product_attention.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/softmax.hpp>
#include <openvino/op/squeeze.hpp>
#include <openvino/op/tanh.hpp>
#include <openvino/op/transpose.hpp>
#include <openvino/op/unsqueeze.hpp>
#include "backend/openvino/lower.h"
#include "base/error.h"

namespace gamut::openvino {

namespace v0 = ov::op::v0;
namespace v1 = ov::op::v1;

/// Zeros for the axes that stay and at most one -1, which OpenVINO sees through; computed extents where that is not
/// enough.
Out lower_reshape(Lowering& lowering, const Node& node) {
  const Shape &from = lowering.input_shape(node, 0), &to = lowering.result_shape(node);
  std::vector<int64_t> pattern;
  int unknown = 0;
  for (size_t axis = 0; axis < to.size(); ++axis) {
    const auto constant = to[axis].constant();
    const bool stays = axis < from.size() && from[axis] == to[axis];
    pattern.push_back(constant ? *constant : stays ? 0 : -1);
    unknown += pattern.back() == -1 ? 1 : 0;
  }
  const bool has_zero = std::ranges::any_of(to, [](const Extent& extent) { return extent == Extent(0); });
  if (unknown <= 1 && !has_zero) return make<v1::Reshape>(lowering.in(node, 0), vector(pattern), true);
  return make<v1::Reshape>(lowering.in(node, 0), lowering.shape(to), false);
}

Out lower_transpose(Lowering& lowering, const Node& node) {
  return make<v1::Transpose>(lowering.in(node, 0), vector(node.attributes.ints("permutation")));
}

Out lower_broadcast(Lowering& lowering, const Node& node) {
  return make<ov::op::v3::Broadcast>(lowering.in(node, 0), lowering.shape(lowering.result_shape(node)));
}

Out lower_concat(Lowering& lowering, const Node& node) {
  ov::OutputVector parts;
  for (size_t i = 0; i < node.inputs.size(); ++i) parts.push_back(lowering.in(node, i));
  return make<v0::Concat>(parts, node.attributes.i("axis"));
}

Out lower_slice(Lowering& lowering, const Node& node) {
  const int64_t axis = node.attributes.i("axis");
  const Extent begin = node.attributes.extent("begin");
  const Extent end = begin + lowering.result_shape(node)[static_cast<size_t>(axis)];
  return make<ov::op::v8::Slice>(lowering.in(node, 0), lowering.extent(begin), lowering.extent(end), vector({1}),
                                 vector({axis}));
}

Out lower_iota(Lowering& lowering, const Node& node) {
  const Out count = make<v0::Squeeze>(lowering.extent(lowering.result_shape(node)[0]), vector({0}));
  return make<ov::op::v4::Range>(scalar(int64_t{0}), count, scalar(int64_t{1}), ov::element::i64);
}

Out lower_gather_rows(Lowering& lowering, const Node& node) {
  const Out ids = lowering.in(node, 1);
  if (!has_bound_ids(lowering.graph(), node)) lowering.check_ids(ids);
  return make<ov::op::v8::Gather>(lowering.in(node, 0), ids, scalar(int64_t{0}));
}

Out lower_row_index(Lowering& lowering, const Node& node) {
  return lowering.input(row_index_input(lowering.graph(), node));
}

Out lower_pool_rows(Lowering& lowering, const Node& node) {
  ModelInput places;
  check_internal(find_places(lowering.graph(), node, &places), "openvino: pool_rows of many tokens is decomposed");
  const Shape& x = lowering.input_shape(node, 0);
  const auto width = x[2].constant();
  const Out to = width && *width > 0 ? vector({-1, *width}) : lowering.shape({x[0] * x[1], x[2]});
  const Out flat = make<v1::Reshape>(lowering.in(node, 0), to, false);
  return make<ov::op::v8::Gather>(flat, lowering.input(places), scalar(int64_t{0}));
}

Out lower_matmul(Lowering& lowering, const Node& node) {
  return make<v0::MatMul>(lowering.in(node, 0), lowering.in(node, 1), false, node.attributes.b("transpose_b"));
}

Out lower_linear(Lowering& lowering, const Node& node) {
  Out y = make<v0::MatMul>(lowering.in(node, 0), lowering.in(node, 1), false, true);
  if (Lowering::has(node, 2)) y = make<v1::Add>(y, lowering.in(node, 2));
  y = apply_activation(node, y);
  if (Lowering::has(node, 3)) y = make<v1::Add>(y, lowering.in(node, 3));
  return Lowering::has(node, 4) ? make<v1::Multiply>(y, lowering.in(node, 4)) : y;
}

namespace {

/// k or v [B,S,G,D] -> [B,H,P+S,D], behind those of earlier runs, each group's head repeated for the heads of q that
/// share it.
Out keys_or_values(Lowering& lowering, const Node& node, size_t index, bool has_past) {
  Out x = make<v1::Transpose>(lowering.in(node, index), vector({0, 2, 1, 3}));
  if (has_past) {
    lowering.keep(lowering.in(node, index));
    const Fill fill = index == 1 ? Fill::kPastKeys : Fill::kPastValues;
    x = make<v0::Concat>(ov::OutputVector{lowering.input(past_input(lowering.graph(), node, fill)), x}, 2);
  }
  const int64_t heads = *lowering.input_shape(node, 0)[2].constant();
  const int64_t groups = *lowering.input_shape(node, index)[2].constant();
  if (groups == heads) return x;
  const Out apart = make<v0::Unsqueeze>(x, vector({2}));
  const Out spread =
      make<ov::op::v3::Broadcast>(apart, vector({1, 1, heads / groups, 1, 1}), ov::op::BroadcastType::BIDIRECTIONAL);
  const int64_t width = lowering.input_shape(node, index)[3].constant().value_or(-1);
  return make<v1::Reshape>(spread, vector({0, heads, -1, width}), true);
}

/// What is added to the scores: the mask that the interface planned, a bias, slopes times distances.
Out attention_mask(Lowering& lowering, const Node& node, const ModelInput& planned) {
  Out mask = planned.fill == Fill::kMask ? lowering.input(planned) : scalar(0.0f);
  if (Lowering::has(node, 4)) {
    const Out bias = make<v0::Unsqueeze>(lowering.in(node, 4), vector({0}));
    mask = planned.fill == Fill::kMask ? lowering.shared_sum(bias, mask) : bias;
  }
  if (Lowering::has(node, 6)) {
    const Out slopes = make<v0::Unsqueeze>(lowering.in(node, 6), vector({0, 2, 3}));
    const Out distances = lowering.input(distances_input(lowering.graph(), node));
    mask = make<v1::Add>(make<v1::Multiply>(distances, slopes), mask);
  }
  return mask;
}

/// q, k and v, each [B,H,tokens,D], and what is added to the scores.
struct Attended {
  Out q, k, v, mask;
};

/// Attention by its formula, for what OpenVINO's own operator does not have: soft caps and sinks.
Out attend(Lowering& lowering, const Node& node, const Attended& in) {
  const auto scale = static_cast<float>(node.attributes.num("scale"));
  Out scores = make<v1::Multiply>(make<v0::MatMul>(in.q, in.k, false, true), scalar(scale));
  if (const auto cap = static_cast<float>(node.attributes.num("softcap")); cap > 0) {
    scores = make<v1::Multiply>(make<v0::Tanh>(make<v1::Multiply>(scores, scalar(1 / cap))), scalar(cap));
  }
  scores = make<v1::Add>(scores, in.mask);
  if (!Lowering::has(node, 5)) return make<v0::MatMul>(make<ov::op::v8::Softmax>(scores, -1), in.v);
  const Out sinks = make<v0::Unsqueeze>(lowering.in(node, 5), vector({0, 2, 3}));
  const Out line = make<ov::op::v8::Slice>(scores, vector({0}), vector({1}), vector({1}), vector({3}));
  const Out last = make<v1::Add>(make<v1::Multiply>(line, scalar(0.0f)), sinks);  // sinks in the scores' shape
  const Out weights = make<ov::op::v8::Softmax>(make<v0::Concat>(ov::OutputVector{scores, last}, 3), -1);
  return make<v0::MatMul>(make<ov::op::v8::Slice>(weights, vector({0}), vector({-1}), vector({1}), vector({3})), in.v);
}

}  // namespace

Out lower_attention(Lowering& lowering, const Node& node) {
  ModelInput planned;
  find_mask(lowering.graph(), node, &planned);
  const Attended in{.q = make<v1::Transpose>(lowering.in(node, 0), vector({0, 2, 1, 3})),
                    .k = keys_or_values(lowering, node, 1, planned.has_past),
                    .v = keys_or_values(lowering, node, 2, planned.has_past),
                    .mask = attention_mask(lowering, node, planned)};
  const bool by_formula = node.attributes.num("softcap") > 0 || Lowering::has(node, 5);
  const Out y = by_formula
                    ? attend(lowering, node, in)
                    : make<ov::op::v13::ScaledDotProductAttention>(
                          in.q, in.k, in.v, in.mask, scalar(static_cast<float>(node.attributes.num("scale"))), false);
  return make<v1::Transpose>(y, vector({0, 2, 1, 3}));
}

}  // namespace gamut::openvino
