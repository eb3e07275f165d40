#include "backend/openvino/lower_recurrent.h"

#include <limits>

#include <openvino/op/add.hpp>
#include <openvino/op/broadcast.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/less.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/reduce_sum.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/shape_of.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/unsqueeze.hpp>
#include "backend/openvino/lower_linear_recurrent.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "ops/causal_conv1d.h"
#include "ops/delta_rule.h"
#include "ops/linear_scan.h"
#include "ops/wkv.h"

namespace gamut::openvino {

namespace v0 = ov::op::v0;
namespace v1 = ov::op::v1;
namespace v8 = ov::op::v8;

TokenLines::TokenLines(Lowering& lowering, const Node& node)
    : places_(lowering.input(row_tokens_input(lowering.graph(), node))),
      lines_(lowering.input(token_lines_input(lowering.graph(), node))) {
  const Shape& x = lowering.input_shape(node, 0);
  tokens_ = lowering.extent(x[0] * x[1]);
}

namespace {

/// x [a,b,tail...], line by line -> [places..., tail...]; a place outside gives zeros.
Out take(const Out& x, const Out& places, const std::vector<int64_t>& tail) {
  std::vector<int64_t> flat{-1};
  flat.insert(flat.end(), tail.begin(), tail.end());
  return make<v8::Gather>(make<v1::Reshape>(x, vector(flat), false), places, scalar(int64_t{0}));
}

}  // namespace

Out TokenLines::from_grid(const Out& x, const std::vector<int64_t>& tail) const { return take(x, places_, tail); }
Out TokenLines::to_grid(const Out& y, const std::vector<int64_t>& tail) const { return take(y, lines_, tail); }
Out TokenLines::is_token() const { return make<v1::Less>(places_, tokens_); }

namespace {

Recurrence lower_causal_conv1d(Lowering& lowering, const Node& node, const Out& initial) {
  const TokenLines lines(lowering, node);
  const Shape& weight = lowering.input_shape(node, 2);
  const int64_t taps = *weight[0].constant(), channels = *weight[1].constant();
  Out x = lines.from_grid(lowering.in(node, 0), {channels});
  if (taps > 1) x = make<v0::Concat>(ov::OutputVector{initial, x}, 1);
  auto shifted = [&](int64_t k) {
    const int64_t end = k == taps - 1 ? std::numeric_limits<int32_t>::max() : k - (taps - 1);
    return make<v8::Slice>(x, vector({k}), vector({end}), vector({1}), vector({1}));
  };
  Out y;
  for (int64_t k = 0; k < taps; ++k) {
    const Out factor = make<v8::Gather>(lowering.in(node, 2), scalar(k), scalar(int64_t{0}));
    const Out product = make<v1::Multiply>(shifted(k), factor);
    y = k == 0 ? product : make<v1::Add>(y, product);
  }
  if (Lowering::has(node, 3)) y = make<v1::Add>(y, lowering.in(node, 3));
  // A row of n tokens leaves lines n … n+K-2 of what it saw behind.
  const Out count = make<v1::ReduceSum>(make<v0::Convert>(lines.is_token(), ov::element::i64), vector({1}), true);
  std::vector<int64_t> last;
  for (int64_t k = 0; k + 1 < taps; ++k) last.push_back(k);
  const Out state = taps > 1 ? make<v8::Gather>(x, make<v1::Add>(count, vector(last)), scalar(int64_t{1}), 1) : initial;
  return {lines.to_grid(y, {channels}), state};
}

constexpr std::pair<const OpSchema*, Recurrence (*)(Lowering&, const Node&, const Out&)> kRecurrences[] = {
    {&op::kCausalConv1d, lower_causal_conv1d},
    {&op::kDeltaRule, lower_delta_rule},
    {&op::kLinearScan, lower_linear_scan},
    {&op::kWkv, lower_wkv},
};

}  // namespace

Out zero_states(Lowering& lowering, const Node& node) {
  const Dims dims = node.op->state(lowering.graph(), node).dims;
  const Out places = lowering.input(row_tokens_input(lowering.graph(), node));
  const Out shape = make<ov::op::v3::ShapeOf>(places, ov::element::i64);
  const Out count = make<v8::Gather>(shape, vector({0}), scalar(int64_t{0}));
  return make<ov::op::v3::Broadcast>(scalar(0.0f), make<v0::Concat>(ov::OutputVector{count, vector(dims)}, 0));
}

Recurrence lower_recurrence(Lowering& lowering, const Node& node, const Out& initial) {
  for (const auto& [op, lower] : kRecurrences) {
    if (node.op == op) return lower(lowering, node, initial);
  }
  fail(ErrorCode::kInternal, "openvino: {}: operator {} is no recurrence", node.label, node.op->name);
}

Out lower_recurrent(Lowering& lowering, const Node& node) {
  return lower_recurrence(lowering, node, zero_states(lowering, node)).y;
}

}  // namespace gamut::openvino
