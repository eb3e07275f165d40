#include "models/decoder/delta_net_block.h"

#include <cmath>

#include "base/error.h"
#include "layers/basic.h"
#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/binary.h"
#include "ops/causal_conv1d.h"
#include "ops/delta_rule.h"
#include "ops/gated.h"
#include "ops/reshape.h"
#include "ops/rms_norm.h"
#include "ops/rope.h"
#include "ops/slice.h"
#include "ops/unary.h"

namespace gamut::decoder {
namespace {

/// A projection to `width` numbers per key head: [B,S,D] -> [B,S,heads,width].
Value project_heads(const Scope& s, Value x, int64_t heads, int64_t width) {
  const Value y = layer::linear(s, x);
  if (!(y.extent(-1) == Extent(heads * width))) {
    fail(ErrorCode::kInvalidFile, "{}.weight: {} lines, expected {} for {} heads of {}", s.path(),
         y.extent(-1).to_string(), heads * width, heads, width);
  }
  return op::split_heads(y, width);
}

/// What the key heads of a projection hold, one part behind the other: [B,S,heads,…] -> [B,S,heads * size].
Value take_part(Value heads, int64_t begin, int64_t size) { return op::merge_heads(op::slice(heads, -1, begin, size)); }

/// x / sqrt(sum(x²) + 1e-6) · scale over the last axis.
Value unit_heads(Value x, int64_t width, double scale) {
  // The norm divides by the root of a mean, not of a sum.
  const auto count = static_cast<double>(width);
  return scaled(op::rms_norm(x, {}, 1e-6 / count), scale / std::sqrt(count));
}

/// One recording of a delta net.
struct DeltaNetParts {
  const DecoderContext& c;
  const Scope s;
  const DeltaNet& net;
  std::string state;
  Value kernel;  // [channels, taps]
  ActivationKind kind;

  /// The channels of x [B,S,size] convolved, which are those from `begin` on, as heads of `width`.
  Value convolve(Value x, const char* name, int64_t begin, int64_t size, int64_t width) const {
    const Value taps = op::slice(kernel, 0, begin, size);
    const Value y = op::causal_conv1d(x, taps, {}, c.rows, state + ".conv." + name);
    return op::split_heads(op::activation(kind, y), width);
  }
  /// What is left of the memory after a token: e^(-e^A · softplus(a + bias)).
  Value decay(Value a) const {
    auto by_head = [&](const char* name) { return with_size(s, name, s.weight(name), Extent(net.value_heads)); };
    const Value rate = op::unary(UnaryKind::kExp, by_head("A_log"));
    return op::unary(UnaryKind::kExp, softplus(a + by_head("dt_bias")) * op::unary(UnaryKind::kNeg, rate));
  }
};

}  // namespace

Value delta_net(const DecoderContext& c, const Scope& block, int64_t index, const DeltaNet& net, Value x) {
  const Scope s = block / "linear_attn", conv = s / "conv1d";
  const int64_t share = net.value_heads / net.key_heads, keys = net.key_heads * net.key_dim;
  const int64_t values = net.value_heads * net.value_dim, width = share * net.value_dim;
  const Value all = project_heads(s / "in_proj_qkvz", x, net.key_heads, 2 * (net.key_dim + width));
  const Value both = project_heads(s / "in_proj_ba", x, net.key_heads, 2 * share);
  LabelScope label(s.graph(), s.path());
  const Value weight = with_rank(conv, "weight", conv.weight("weight"), 3);
  const int64_t channels = *weight.extent(0).constant(), taps = *weight.extent(2).constant();
  if (channels != 2 * keys + values) {
    fail(ErrorCode::kInvalidFile, "{}.weight: {} lines, expected {}", conv.path(), channels, 2 * keys + values);
  }
  const DeltaNetParts parts{c,
                            s,
                            net,
                            "layer." + std::to_string(index),
                            op::reshape(weight, {channels, taps}),
                            parse_activation(c.spec.activation)};
  op::DeltaRuleInputs in;
  const Value q = parts.convolve(take_part(all, 0, net.key_dim), "q", 0, keys, net.key_dim);
  const Value k = parts.convolve(take_part(all, net.key_dim, net.key_dim), "k", keys, keys, net.key_dim);
  in.v = parts.convolve(take_part(all, 2 * net.key_dim, width), "v", 2 * keys, values, net.value_dim);
  in.q = unit_heads(q, net.key_dim, 1 / std::sqrt(static_cast<double>(net.key_dim)));
  in.k = unit_heads(k, net.key_dim, 1);
  in.decay = parts.decay(take_part(both, share, share));
  in.rate = op::unary(UnaryKind::kSigmoid, take_part(both, 0, share));
  const Value y = layer::rms_norm(s / "norm", op::delta_rule(c.rows, in, parts.state), c.spec.eps);
  const Value gate = op::split_heads(take_part(all, 2 * net.key_dim + width, width), net.value_dim);
  return layer::linear(s / "out_proj", op::merge_heads(op::gated(ActivationKind::kSilu, gate, y)));
}

Value gated_attention(const DecoderContext& c, const Scope& block, int64_t index, Value x) {
  const Scope s = block / "self_attn";
  const DecoderSpec& spec = c.spec;
  LabelScope label(s.graph(), s.path());
  const int64_t width = spec.head_dim;
  const Value both = project_heads(s / "q_proj", x, spec.heads, 2 * width);
  const RopeTables& table = c.tables.at("rope");
  auto turned = [&](const char* name, Value heads) {
    return op::rope(norm(c, s / name, heads), table.cos, table.sin, spec.interleaved);
  };
  const Value q = turned("q_norm", op::slice(both, -1, 0, width));
  const Value k = turned("k_norm", project_heads(s / "k_proj", x, spec.kv_heads, width));
  const Value v = project_heads(s / "v_proj", x, spec.kv_heads, width);
  const Value y =
      op::attention(q, k, v, {.mask = {c.rows, /*causal=*/true}, .state = "layer." + std::to_string(index)});
  return layer::linear(s / "o_proj",
                       op::gated(ActivationKind::kSigmoid, take_part(both, width, width), op::merge_heads(y)));
}

Value shared_experts(const DecoderContext& c, const Scope& block, const layer::Router& router, int64_t count, Value x) {
  const Scope s = block / "mlp", shared = s / "shared_expert";
  const ActivationKind kind = parse_activation(c.spec.activation);
  const Value logits = layer::linear(s / "gate", x);
  if (!(logits.extent(-1) == Extent(count))) {
    fail(ErrorCode::kInvalidFile, "{}.gate.weight: {} lines, expected one for each of {} experts", s.path(),
         logits.extent(-1).to_string(), count);
  }
  const Value chosen = layer::experts(s / "experts", x, layer::route(s, router, logits), {}, {.activation = kind});
  const Value gate = layer::linear(shared / "gate_proj", x), up = layer::linear(shared / "up_proj", x);
  const Value own = layer::linear(shared / "down_proj", op::gated(kind, gate, up));
  return chosen + own * op::unary(UnaryKind::kSigmoid, layer::linear(s / "shared_expert_gate", x));
}

}  // namespace gamut::decoder
