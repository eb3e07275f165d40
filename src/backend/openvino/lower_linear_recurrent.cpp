#include "backend/openvino/lower_linear_recurrent.h"

#include <functional>

#include <openvino/op/add.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/divide.hpp>
#include <openvino/op/exp.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/greater.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/maximum.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/select.hpp>
#include <openvino/op/split.hpp>
#include <openvino/op/squeeze.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/tensor_iterator.hpp>
#include <openvino/op/unsqueeze.hpp>

namespace gamut::openvino {
namespace {

namespace v0 = ov::op::v0;
namespace v1 = ov::op::v1;
using Outs = std::vector<Out>;

Out add(const Out& a, const Out& b) { return make<v1::Add>(a, b); }
Out subtract(const Out& a, const Out& b) { return make<v1::Subtract>(a, b); }
Out multiply(const Out& a, const Out& b) { return make<v1::Multiply>(a, b); }
Out unsqueeze(const Out& x, const std::vector<int64_t>& axes) { return make<v0::Unsqueeze>(x, vector(axes)); }
Out squeeze(const Out& x, const std::vector<int64_t>& axes) { return make<v0::Squeeze>(x, vector(axes)); }

/// What a token gives and what it leaves behind.
struct TokenStep {
  Out y, state;
};

/// A loop along axis 1 of `tokens` [N,L,...], whose slices keep that axis. Behind a row's end the state stays.
struct TokenLoop {
  Outs tokens;
  Outs fixed;      // the same for every token
  Out is_token;    // BOOL [N,L]
  Out initial;     // the state before the first token
  std::function<TokenStep(const Outs& tokens, const Outs& fixed, const Out& state)> step;

  Recurrence run() const;
};

/// A parameter of the loop's body that takes `value`, or slices of it.
std::shared_ptr<v0::Parameter> body_input(const Out& value, bool is_slice) {
  ov::PartialShape shape = value.get_partial_shape();
  if (is_slice) shape[1] = 1;
  return std::make_shared<v0::Parameter>(value.get_element_type(), shape);
}

Recurrence TokenLoop::run() const {
  ov::ParameterVector inputs;
  auto add_inputs = [&](const Outs& values, bool are_slices) {
    Outs outs;
    for (const Out& value : values) outs.push_back(inputs.emplace_back(body_input(value, are_slices))->output(0));
    return outs;
  };
  const Outs own = add_inputs(tokens, true), same = add_inputs(fixed, false);
  const Out token = add_inputs({is_token}, true)[0], state = add_inputs({initial}, false)[0];
  const TokenStep step_result = step(own, same, state);
  std::vector<int64_t> axes;
  for (int64_t axis = 2; axis < initial.get_partial_shape().rank().get_length(); ++axis) axes.push_back(axis);
  const Out stays = axes.empty() ? token : unsqueeze(token, axes);
  const auto next = std::make_shared<v0::Result>(make<v1::Select>(stays, step_result.state, state));
  const auto y = std::make_shared<v0::Result>(step_result.y);
  const auto loop = std::make_shared<v0::TensorIterator>();
  loop->set_body(std::make_shared<ov::Model>(ov::ResultVector{y, next}, inputs, "token"));
  size_t i = 0;
  for (const Out& value : tokens) loop->set_sliced_input(inputs[i++], value, 0, 1, 1, -1, 1);
  for (const Out& value : fixed) loop->set_invariant_input(inputs[i++], value);
  loop->set_sliced_input(inputs[i++], is_token, 0, 1, 1, -1, 1);
  loop->set_merged_input(inputs[i], initial, next);
  const Out all = loop->get_concatenated_slices(y, 0, 1, 1, -1, 1), last = loop->get_iter_value(next, -1);
  return {all, last};
}

/// The sums of a weighted mean, both divided by e^top; [N,1,C].
struct WeightedMean {
  Out values, weights, top;

  WeightedMean with(const Out& key, const Out& value) const {
    const Out next = make<v1::Maximum>(top, key);
    const Out fade = make<v0::Exp>(subtract(top, next)), share = make<v0::Exp>(subtract(key, next));
    return {add(multiply(fade, values), multiply(share, value)), add(multiply(fade, weights), share), next};
  }
  Out packed() const { return make<v0::Concat>(ov::OutputVector{values, weights, top}, 1); }
};

/// From [N,3,C].
WeightedMean unpack(const Out& state) {
  const auto parts = std::make_shared<v1::Split>(state, scalar(int64_t{1}), 3);
  return {parts->output(0), parts->output(1), parts->output(2)};
}

}  // namespace

Recurrence lower_wkv(Lowering& lowering, const Node& node, const Out& initial) {
  const TokenLines lines(lowering, node);
  const int64_t channels = *lowering.input_shape(node, 0)[2].constant();
  WeightedMean before = unpack(initial);
  // A state without weights is that of a new row: below every key.
  before.top = make<v1::Select>(make<v1::Greater>(before.weights, scalar(0.0f)), before.top, scalar(-1e38f));
  const TokenLoop loop{.tokens = {lines.from_grid(lowering.in(node, 0), {channels}),
                                  lines.from_grid(lowering.in(node, 2), {channels})},
                       .fixed = {lowering.in(node, 3), lowering.in(node, 4)},
                       .is_token = lines.is_token(),
                       .initial = before.packed(),
                       .step = [](const Outs& tokens, const Outs& fixed, const Out& state) {
                         const Out &key = tokens[0], &value = tokens[1];
                         WeightedMean past = unpack(state);
                         const WeightedMean seen = past.with(add(key, fixed[1]), value);
                         past.top = add(past.top, fixed[0]);
                         return TokenStep{make<v1::Divide>(seen.values, seen.weights), past.with(key, value).packed()};
                       }};
  const Recurrence result = loop.run();
  return {lines.to_grid(result.y, {channels}), result.state};
}

Recurrence lower_linear_scan(Lowering& lowering, const Node& node, const Out& initial) {
  const TokenLines lines(lowering, node);
  const int64_t channels = *lowering.input_shape(node, 0)[2].constant();
  const TokenLoop loop{.tokens = {lines.from_grid(lowering.in(node, 0), {channels}),
                                  lines.from_grid(lowering.in(node, 2), {channels})},
                       .fixed = {},
                       .is_token = lines.is_token(),
                       .initial = unsqueeze(initial, {1}),
                       .step = [](const Outs& tokens, const Outs&, const Out& state) {
                         const Out y = add(multiply(tokens[0], state), tokens[1]);
                         return TokenStep{y, y};
                       }};
  const Recurrence result = loop.run();
  return {lines.to_grid(result.y, {channels}), squeeze(result.state, {1})};
}

Recurrence lower_delta_rule(Lowering& lowering, const Node& node, const Out& initial) {
  const TokenLines lines(lowering, node);
  const Shape &k = lowering.input_shape(node, 2), &v = lowering.input_shape(node, 3);
  const int64_t groups = *k[2].constant(), depth = *k[3].constant();
  const int64_t heads = *v[2].constant(), width = *v[3].constant();
  std::vector<int64_t> group_of;
  for (int64_t h = 0; h < heads; ++h) group_of.push_back(h / (heads / groups));
  auto keys = [&](size_t input) {
    const Out x = lines.from_grid(lowering.in(node, input), {groups, depth});
    return groups == heads ? x : make<ov::op::v8::Gather>(x, vector(group_of), scalar(int64_t{2}));
  };
  auto by_head = [&](size_t input) { return lines.from_grid(lowering.in(node, input), {heads}); };
  const TokenLoop loop{
      .tokens = {keys(0), keys(2), lines.from_grid(lowering.in(node, 3), {heads, width}), by_head(4), by_head(5)},
      .fixed = {},
      .is_token = lines.is_token(),
      .initial = initial,
      .step = [](const Outs& tokens, const Outs&, const Out& state) {
        auto line = [&](size_t i) { return unsqueeze(squeeze(tokens[i], {1}), {2}); };        // [N,H,1,…]
        auto number = [&](size_t i) { return unsqueeze(squeeze(tokens[i], {1}), {2, 3}); };   // [N,H,1,1]
        const Out faded = multiply(state, number(3));
        const Out known = make<v0::MatMul>(line(1), faded);
        const Out change = multiply(number(4), subtract(line(2), known));
        const Out next = add(faded, multiply(unsqueeze(squeeze(tokens[1], {1}), {3}), change));
        const Out y = make<v0::MatMul>(line(0), next);
        return TokenStep{unsqueeze(squeeze(y, {2}), {1}), next};
      }};
  const Recurrence result = loop.run();
  return {lines.to_grid(result.y, {heads, width}), result.state};
}

}  // namespace gamut::openvino
