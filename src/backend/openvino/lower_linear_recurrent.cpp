#include "backend/openvino/lower_linear_recurrent.h"

#include <openvino/op/add.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/divide.hpp>
#include <openvino/op/exp.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/greater.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/maximum.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/select.hpp>
#include <openvino/op/split.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/unsqueeze.hpp>

namespace gamut::openvino {
namespace {

namespace v0 = ov::op::v0;
namespace v1 = ov::op::v1;

Out add(const Out& a, const Out& b) { return make<v1::Add>(a, b); }
Out subtract(const Out& a, const Out& b) { return make<v1::Subtract>(a, b); }
Out multiply(const Out& a, const Out& b) { return make<v1::Multiply>(a, b); }
Out unsqueeze(const Out& x, const std::vector<int64_t>& axes) { return make<v0::Unsqueeze>(x, vector(axes)); }

/// x [N,L,C], one behind the rows' ends: a decay that leaves the state as it is.
Out only_tokens_decay(const TokenLines& lines, const Out& x) {
  return make<v1::Select>(unsqueeze(lines.is_token(), {2}), x, scalar(1.0f));
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
  auto line = [&](size_t input) { return unsqueeze(lines.from_grid(lowering.in(node, input), {channels}), {2}); };
  WeightedMean before = unpack(initial);
  // A state without weights is that of a new row: below every key.
  before.top = make<v1::Select>(make<v1::Greater>(before.weights, scalar(0.0f)), before.top, scalar(-1e38f));
  const Recurrence result =
      loop_tokens({line(0), line(2), unsqueeze(lines.is_token(), {2, 3})}, {lowering.in(node, 3), lowering.in(node, 4)},
                  before.packed(), [](const ov::OutputVector& token, const ov::OutputVector& shared, const Out& state) {
                    const Out &key = token[0], &value = token[1];
                    WeightedMean past = unpack(state);
                    const WeightedMean seen = past.with(add(key, shared[1]), value);
                    past.top = add(past.top, shared[0]);
                    const Out next = make<v1::Select>(token[2], past.with(key, value).packed(), state);
                    return Recurrence{make<v1::Divide>(seen.values, seen.weights), next};
                  });
  return {lines.to_grid(result.y, {channels}), result.state};
}

Recurrence lower_linear_scan(Lowering& lowering, const Node& node, const Out& initial) {
  const TokenLines lines(lowering, node);
  const int64_t channels = *lowering.input_shape(node, 0)[2].constant();
  const Out decay = only_tokens_decay(lines, lines.from_grid(lowering.in(node, 0), {channels}));
  const Recurrence result = loop_tokens({decay, lines.from_grid(lowering.in(node, 2), {channels})}, {}, initial,
                                        [](const ov::OutputVector& token, const ov::OutputVector&, const Out& state) {
                                          const Out y = add(multiply(token[0], state), token[1]);
                                          return Recurrence{y, y};
                                        });
  return {lines.to_grid(result.y, {channels}), result.state};
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
  auto number = [&](const Out& x) { return unsqueeze(x, {3, 4}); };  // [N,L,H,1,1]
  const Out decay = only_tokens_decay(lines, lines.from_grid(lowering.in(node, 4), {heads}));
  const Out rate = lines.from_grid(lowering.in(node, 5), {heads});
  const Out q = unsqueeze(keys(0), {3}), value = unsqueeze(lines.from_grid(lowering.in(node, 3), {heads, width}), {3});
  const Recurrence result = loop_tokens({q, keys(2), value, number(decay), number(rate)}, {}, initial,
                                        [](const ov::OutputVector& token, const ov::OutputVector&, const Out& state) {
                                          const Out faded = multiply(state, token[3]);
                                          const Out known = make<v0::MatMul>(unsqueeze(token[1], {2}), faded);
                                          const Out change = multiply(token[4], subtract(token[2], known));
                                          const Out next = add(faded, multiply(unsqueeze(token[1], {3}), change));
                                          return Recurrence{make<v0::MatMul>(token[0], next), next};
                                        });
  return {lines.to_grid(result.y, {heads, width}), result.state};
}

}  // namespace gamut::openvino
