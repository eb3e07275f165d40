#include "models/decoder/griffin_block.h"

#include "base/error.h"
#include "layers/basic.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/causal_conv1d.h"
#include "ops/compare.h"
#include "ops/concat.h"
#include "ops/gated.h"
#include "ops/linear.h"
#include "ops/linear_scan.h"
#include "ops/reshape.h"
#include "ops/select.h"
#include "ops/slice.h"
#include "ops/transpose.h"
#include "ops/unary.h"

namespace gamut::decoder {
namespace {

/// sigmoid of a product by heads: head h of x [B,S,H*W] times `name`_weight [H,W,W] (in, out) plus `name`_bias [H,W].
Value head_gate(const DecoderContext& c, const Scope& s, const std::string& name, Value x) {
  LabelScope label(s.graph(), s.path() + "." + name);
  const std::string weight_name = name + "_weight", bias_name = name + "_bias";
  const Value weight = with_rank(s, weight_name.c_str(), s.weight(weight_name), 3);
  const Value bias = with_rank(s, bias_name.c_str(), s.weight(bias_name), 2);
  const int64_t heads = c.spec.heads;
  if (!(weight.extent(0) == Extent(heads))) {
    fail(ErrorCode::kInvalidFile, "{}.{}: {} heads, expected {}", s.path(), weight_name, weight.extent(0).to_string(),
         heads);
  }
  const int64_t in = *weight.extent(1).constant(), out = *weight.extent(2).constant();
  std::vector<Value> parts;
  for (int64_t h = 0; h < heads; ++h) {
    const Value own = op::transpose(op::reshape(op::slice(weight, 0, h, 1), {in, out}), {1, 0});
    const Value shift = op::reshape(op::slice(bias, 0, h, 1), {out});
    parts.push_back(op::linear(op::slice(x, -1, h * in, in), own, {.bias = shift}));
  }
  return op::unary(UnaryKind::kSigmoid, heads == 1 ? parts[0] : op::concat(parts, -1));
}

/// y_t = a_t y_(t-1) + sqrt(1 - a_t^2) gate_t x_t, with a_t from a gate of its own; where a sequence begins, y is the
/// gated x.
Value rg_lru(const DecoderContext& c, const Scope& s, int64_t index, Value x) {
  const Value input = x * head_gate(c, s, "input_gate", x), gate = head_gate(c, s, "recurrent_gate", x);
  LabelScope label(s.graph(), s.path());
  const Value parameter = with_size(s, "recurrent_param", s.weight("recurrent_param"), x.extent(-1));
  const Value power = gate * (softplus(parameter) * -8.0f);
  const Value decay = op::unary(UnaryKind::kExp, power);
  const Value share = s.graph().scalar(1.0f) - op::unary(UnaryKind::kExp, power * 2.0f);
  const Extent batch = c.positions.extent(0), sequence = c.positions.extent(1);
  Value is_first = op::compare(CompareKind::kEqual, c.positions, s.graph().scalar(int64_t{0}));
  is_first = op::reshape(is_first, {batch, sequence, 1});
  const Value scale = op::select(is_first, s.graph().scalar(1.0f), op::unary(UnaryKind::kSqrt, share));
  const Value kept = op::select(is_first, s.graph().scalar(0.0f), decay);
  return op::linear_scan(c.rows, kept, input * scale, "layer." + std::to_string(index));
}

}  // namespace

Value griffin(const DecoderContext& c, const Scope& block, int64_t index, Value x) {
  const Scope s = block / "temporal_block", conv = s / "conv_1d";
  const Value gate = layer::linear(s / "linear_y", x);
  const Value branch = layer::linear(s / "linear_x", x);
  const Value weight = with_rank(conv, "weight", conv.weight("weight"), 3);
  const int64_t width = *weight.extent(0).constant(), taps = *weight.extent(2).constant();
  const Value moved = op::causal_conv1d(branch, op::reshape(weight, {width, taps}), conv.weight("bias"), c.rows,
                                        "layer." + std::to_string(index) + ".conv");
  const Value y = rg_lru(c, s / "rg_lru", index, moved);
  return layer::linear(s / "linear_out", op::gated(parse_activation(c.spec.activation), gate, y));
}

}  // namespace gamut::decoder
