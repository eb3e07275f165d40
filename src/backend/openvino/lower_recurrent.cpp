#include "backend/openvino/lower_recurrent.h"

#include <algorithm>
#include <functional>
#include <limits>

#include <openvino/op/add.hpp>
#include <openvino/op/broadcast.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/exp.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/less.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/reduce_sum.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/shape_of.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/softplus.hpp>
#include <openvino/op/squeeze.hpp>
#include <openvino/op/tensor_iterator.hpp>
#include <openvino/op/unsqueeze.hpp>
#include "backend/openvino/lower_linear_recurrent.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "ops/causal_conv1d.h"
#include "ops/delta_rule.h"
#include "ops/linear_scan.h"
#include "ops/selective_scan.h"
#include "ops/ssd_scan.h"
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

std::shared_ptr<v0::Parameter> parameter_like(const Out& value, bool is_token) {
  ov::PartialShape shape = value.get_partial_shape();
  if (is_token) shape[1] = 1;
  return std::make_shared<v0::Parameter>(value.get_element_type(), shape);
}

}  // namespace

Recurrence loop_tokens(const ov::OutputVector& tokens, const ov::OutputVector& shared, const Out& initial,
                       const LoopBody& body) {
  ov::ParameterVector parameters;
  ov::OutputVector token, same;
  for (const Out& each : tokens) {
    parameters.push_back(parameter_like(each, true));
    token.push_back(make<v0::Squeeze>(parameters.back(), vector({1})));
  }
  for (const Out& each : shared) {
    parameters.push_back(parameter_like(each, false));
    same.push_back(parameters.back());
  }
  const auto state = parameter_like(initial, false);
  parameters.push_back(state);
  const Recurrence next = body(token, same, state);
  const Out y = make<v0::Unsqueeze>(next.y, vector({1}));
  auto iterator = std::make_shared<v0::TensorIterator>();
  iterator->set_body(std::make_shared<ov::Model>(ov::OutputVector{y, next.state}, parameters));
  for (size_t i = 0; i < tokens.size(); ++i) iterator->set_sliced_input(parameters[i], tokens[i], 0, 1, 1, -1, 1);
  for (size_t i = 0; i < shared.size(); ++i) iterator->set_invariant_input(parameters[tokens.size() + i], shared[i]);
  iterator->set_merged_input(state, initial, next.state);
  const Out all = iterator->get_concatenated_slices(y, 0, 1, 1, -1, 1);
  const Out last = iterator->get_iter_value(next.state, -1);
  return {all, last};
}

namespace {

/// x [N,L,...] with zeros behind the rows' ends, where a step must not change the state.
Out only_tokens(const TokenLines& lines, const Out& x, int rank) {
  Out mask = make<v0::Convert>(lines.is_token(), ov::element::f32);
  for (int axis = 2; axis < rank; ++axis) mask = make<v0::Unsqueeze>(mask, vector({axis}));
  return make<v1::Multiply>(x, mask);
}

/// h = decay * h + b u, and y = c h.
Recurrence scan_token(const Out& decay, const Out& u, const Out& b, const Out& c, const Out& h) {
  const Out next = make<v1::Add>(make<v1::Multiply>(decay, h), make<v1::Multiply>(b, u));
  return {make<v0::MatMul>(c, next), next};
}

/// y + d * x.
Out add_skip(const Out& y, const Out& d, const Out& x) { return make<v1::Add>(y, make<v1::Multiply>(d, x)); }

Recurrence lower_selective_scan(Lowering& lowering, const Node& node, const Out& initial) {
  const TokenLines lines(lowering, node);
  const Shape& a = lowering.input_shape(node, 3);
  const int64_t numbers = *a[0].constant(), channels = *a[1].constant();
  const Out x = lines.from_grid(lowering.in(node, 0), {channels});
  const Out raw = lines.from_grid(lowering.in(node, 2), {channels});
  const Out step = only_tokens(lines, make<ov::op::v4::SoftPlus>(raw), 3);
  auto row = [](const Out& line) { return make<v0::Unsqueeze>(line, vector({2})); };  // [N,L,1,...]
  const Out b = make<v0::Unsqueeze>(lines.from_grid(lowering.in(node, 4), {numbers}), vector({3}));
  const Out c = row(lines.from_grid(lowering.in(node, 5), {numbers}));
  const Recurrence y = loop_tokens({row(step), row(make<v1::Multiply>(step, x)), b, c}, {lowering.in(node, 3)}, initial,
                                   [](const ov::OutputVector& token, const ov::OutputVector& shared, const Out& h) {
                                     const Out decay = make<v0::Exp>(make<v1::Multiply>(token[0], shared[0]));
                                     return scan_token(decay, token[1], token[2], token[3], h);
                                   });
  const Out line = make<v0::Squeeze>(y.y, vector({2}));
  return {lines.to_grid(add_skip(line, lowering.in(node, 6), x), {channels}), y.state};
}

Recurrence lower_ssd_scan(Lowering& lowering, const Node& node, const Out& initial) {
  const TokenLines lines(lowering, node);
  const Shape &xs = lowering.input_shape(node, 0), &bs = lowering.input_shape(node, 4);
  const int64_t heads = *xs[2].constant(), width = *xs[3].constant();
  const int64_t groups = *bs[2].constant(), numbers = *bs[3].constant();
  const Out x = lines.from_grid(lowering.in(node, 0), {heads, width});
  Out step = make<ov::op::v4::SoftPlus>(lines.from_grid(lowering.in(node, 2), {heads}));
  step = make<v0::Clamp>(step, node.attributes.num("least_step"),
                         std::min<double>(op::most_step(node), std::numeric_limits<float>::max()));
  step = only_tokens(lines, step, 3);
  std::vector<int64_t> group_of_head;
  for (int64_t head = 0; head < heads; ++head) group_of_head.push_back(head / (heads / groups));
  auto by_head = [&](size_t input, int64_t axis) {  // [N,L,H,numbers] with an axis of one
    const Out groups_of = lines.from_grid(lowering.in(node, input), {groups, numbers});
    return make<v0::Unsqueeze>(make<v8::Gather>(groups_of, vector(group_of_head), scalar(int64_t{2})), vector({axis}));
  };
  const Out decay = make<v0::Exp>(make<v1::Multiply>(step, lowering.in(node, 3)));
  const Out u = make<v1::Multiply>(x, make<v0::Unsqueeze>(step, vector({3})));
  const Recurrence y = loop_tokens(
      {make<v0::Unsqueeze>(decay, vector({3, 4})), make<v0::Unsqueeze>(u, vector({3})), by_head(4, 4), by_head(5, 3)},
      {}, initial, [](const ov::OutputVector& token, const ov::OutputVector&, const Out& h) {
        return scan_token(token[0], token[1], token[2], token[3], h);
      });
  const Out line = make<v0::Squeeze>(y.y, vector({3}));
  const Out d = make<v0::Unsqueeze>(lowering.in(node, 6), vector({1}));
  return {lines.to_grid(add_skip(line, d, x), {heads, width}), y.state};
}

constexpr std::pair<const OpSchema*, Recurrence (*)(Lowering&, const Node&, const Out&)> kRecurrences[] = {
    {&op::kCausalConv1d, lower_causal_conv1d},   {&op::kDeltaRule, lower_delta_rule},
    {&op::kLinearScan, lower_linear_scan},       {&op::kWkv, lower_wkv},
    {&op::kSelectiveScan, lower_selective_scan}, {&op::kSsdScan, lower_ssd_scan},
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
  const bool keeps = !state_name(node).empty();
  const Out initial =
      keeps ? lowering.input(state_input(lowering.graph(), node, node.inputs[1])) : zero_states(lowering, node);
  const Recurrence result = lower_recurrence(lowering, node, initial);
  if (keeps) lowering.keep(result.state);
  return result.y;
}

}  // namespace gamut::openvino
