#include "models/decoder/decoder_block.h"

#include "base/error.h"
#include "layers/basic.h"
#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/binary.h"
#include "ops/gated.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/reshape.h"
#include "ops/rope.h"
#include "ops/slice.h"
#include "ops/transpose.h"
#include "ops/unary.h"

namespace gamut::decoder {

Value norm(const DecoderContext& c, const Scope& s, Value x) {
  if (c.spec.norm == DecoderNorm::kLayer) return layer::layer_norm(s, x, c.spec.eps);
  if (c.spec.norm == DecoderNorm::kBareLayer) return op::layer_norm(x, {}, {}, c.spec.eps);
  return layer::rms_norm(s, x, c.spec.eps, c.spec.norm == DecoderNorm::kRmsPlusOne);
}

Value norm_if(const DecoderContext& c, const Scope& s, const std::string& name, Value x) {
  return name.empty() ? x : norm(c, s / name, x);
}

Value with_rank(const Scope& s, const char* name, Value tensor, int rank) {
  if (tensor && tensor.rank() != rank) {
    fail(ErrorCode::kInvalidFile, "{}.{}: {} axes, expected {}", s.path(), name, tensor.rank(), rank);
  }
  return tensor;
}

Value with_size(const Scope& s, const char* name, Value tensor, const Extent& size) {
  with_rank(s, name, tensor, 1);
  if (tensor.extent(0) == size) return tensor;
  fail(ErrorCode::kInvalidFile, "{}.{}: {} numbers, expected {}", s.path(), name, tensor.extent(0).to_string(),
       size.to_string());
}

Value project(const DecoderContext& c, const Scope& s, Value x) {
  if (!c.spec.transposed) return layer::linear(s, x);
  LabelScope label(s.graph(), s.path());
  Value weight = op::transpose(with_rank(s, "weight", s.weight("weight"), 2), {1, 0});
  return op::linear(x, weight, {.bias = s.weight_if("bias")});
}

Value scaled(Value x, double scale) { return scale == 1 ? x : x * static_cast<float>(scale); }

Value softplus(Value x) {
  const Value most = op::binary(BinaryKind::kMax, x, x.graph->scalar(0.0f));
  const Value tail = op::unary(UnaryKind::kExp, op::unary(UnaryKind::kNeg, op::unary(UnaryKind::kAbs, x)));
  return most + op::unary(UnaryKind::kLog, tail + 1.0f);
}

namespace {

/// The lines of a fused tensor that make queries (0), keys (1) or values (2): one axis, as in QkvLayout::kSplit.
Value part_of_fused(const DecoderSpec& spec, Value fused, int which) {
  if (!fused) return fused;
  const int64_t d = spec.head_dim;
  if (spec.qkv == QkvLayout::kConcat) {
    const int64_t begin = which == 0 ? 0 : spec.heads + (which - 1) * spec.kv_heads;
    return op::slice(fused, 0, begin * d, (which == 0 ? spec.heads : spec.kv_heads) * d);
  }
  const int64_t shared = spec.heads / spec.kv_heads, count = which == 0 ? shared : 1;
  Shape grouped{spec.kv_heads, shared + 2, d}, lines{spec.kv_heads * count * d};
  if (fused.rank() == 2) grouped.push_back(fused.extent(1)), lines.push_back(fused.extent(1));
  return op::reshape(op::slice(op::reshape(fused, grouped), 1, which == 0 ? 0 : shared + which - 1, count), lines);
}

/// One tensor for all three, taken apart before it multiplies.
Qkv project_fused(const DecoderContext& c, const Scope& s, Value x) {
  const DecoderSpec& spec = c.spec;
  LabelScope label(s.graph(), s.path());
  Value weight = with_rank(s, "weight", s.weight("weight"), 2), bias = with_rank(s, "bias", s.weight_if("bias"), 1);
  if (spec.transposed) weight = op::transpose(weight, {1, 0});
  const int64_t d = spec.head_dim, expected = (spec.heads + 2 * spec.kv_heads) * d;
  if (!(weight.extent(0) == Extent(expected))) {
    fail(ErrorCode::kInvalidFile, "{}.weight: {} lines, expected {} for {} heads of {} and {} of keys and values",
         s.path(), weight.extent(0).to_string(), expected, spec.heads, d, spec.kv_heads);
  }
  auto heads = [&](int which) {
    const Value lines = part_of_fused(spec, weight, which);
    return op::split_heads(op::linear(x, lines, {.bias = part_of_fused(spec, bias, which)}), d);
  };
  const Value q = heads(0), k = heads(1), v = heads(2);
  return {q, k, v};
}

/// A norm of queries or keys: over each head or over all of them, as its weight is wide.
Value norm_heads(const DecoderContext& c, const Scope& s, Value x) {
  if (!s.has("weight")) return x;
  const Extent width = with_rank(s, "weight", s.weight("weight"), 1).extent(0);
  if (width == x.extent(-1)) return norm(c, s, x);
  return op::split_heads(norm(c, s, op::merge_heads(x)), c.spec.head_dim);
}

/// x within +- bound; x itself for a bound of 0.
Value clipped(Value x, double bound) {
  if (bound == 0) return x;
  Graph& g = *x.graph;
  const auto limit = static_cast<float>(bound);
  return op::binary(BinaryKind::kMin, op::binary(BinaryKind::kMax, x, g.scalar(-limit)), g.scalar(limit));
}

}  // namespace

Qkv project_qkv(const DecoderContext& c, const Scope& s, const DecoderLayer& layer, Value x) {
  const DecoderSpec& spec = c.spec;
  const DecoderNames& names = spec.names;
  LabelScope label(s.graph(), s.path());
  Qkv y;
  if (spec.qkv == QkvLayout::kSplit) {
    auto heads = [&](const std::string& name) { return op::split_heads(project(c, s / name, x), spec.head_dim); };
    y.q = heads(names.q), y.k = heads(names.k), y.v = heads(names.v);
  } else {
    y = project_fused(c, s / names.qkv, x);
  }
  y = {clipped(y.q, spec.clip_qkv), clipped(y.k, spec.clip_qkv), clipped(y.v, spec.clip_qkv)};
  y.q = norm_heads(c, s / names.q_norm, y.q);
  y.k = norm_heads(c, s / names.k_norm, y.k);
  if (spec.turns && layer.turns) {
    const RopeTables& table = c.tables.at(layer.rope);
    y.q = op::rope(y.q, table.cos, table.sin, spec.interleaved);
    y.k = op::rope(y.k, table.cos, table.sin, spec.interleaved);
  }
  return y;
}

Value attend(const DecoderContext& c, const Scope& s, const DecoderLayer& layer, int64_t index, const Qkv& y) {
  const DecoderSpec& spec = c.spec;
  LabelScope label(s.graph(), s.path());
  op::AttentionOptions options{.mask = {c.rows, true, layer.window}};
  options.scale = layer.scale != 0 ? layer.scale : spec.attention_scale;
  options.softcap = spec.softcap;
  if (!spec.names.sinks.empty()) options.sinks = s.weight(spec.names.sinks);
  options.slopes = c.slopes;
  options.state = "layer." + std::to_string(index);
  return project(c, s / spec.names.o, op::merge_heads(op::attention(y.q, y.k, y.v, options)));
}

namespace {

Value feed_forward(const DecoderContext& c, const Scope& s, Value x) {
  const DecoderSpec& spec = c.spec;
  LabelScope label(s.graph(), s.path());
  const ActivationKind kind = parse_activation(spec.activation);
  if (spec.mlp == DecoderMlp::kPlain) {
    return project(c, s / spec.names.down, op::activation(kind, project(c, s / spec.names.up, x)));
  }
  if (spec.mlp == DecoderMlp::kGated) {
    const Value gate = project(c, s / spec.names.gate, x), up = project(c, s / spec.names.up, x);
    return project(c, s / spec.names.down, op::gated(kind, gate, up));
  }
  const Scope fused = s / spec.names.gate;
  const Value weight = with_rank(fused, "weight", fused.weight("weight"), 2);
  const Value bias = with_rank(fused, "bias", fused.weight_if("bias"), 1);
  const Extent half = floor_div(weight.extent(0), 2);
  auto part = [&](const Extent& begin) {
    const Value lines = op::slice(weight, 0, begin, half);
    return op::linear(x, lines, {.bias = bias ? op::slice(bias, 0, begin, half) : Value{}});
  };
  const Value gate = part(0), up = part(half);
  return project(c, s / spec.names.down, op::gated(kind, gate, up));
}

}  // namespace

Value block(const DecoderContext& c, const Scope& s, int64_t index, Value x) {
  const DecoderSpec& spec = c.spec;
  const DecoderNames& names = spec.names;
  const DecoderLayer layer = spec.layer ? spec.layer(index) : DecoderLayer{};
  auto mix = [&](Value y) {
    const Value mixed =
        layer.mixer ? layer.mixer(c, s, index, y) : attend(c, s, layer, index, project_qkv(c, s, layer, y));
    return scaled(norm_if(c, s, names.attention_output_norm, mixed), spec.residual_scale);
  };
  auto feed = [&](Value y) {
    const Value fed = layer.feed_forward ? layer.feed_forward(c, s, index, y) : feed_forward(c, s, y);
    return scaled(norm_if(c, s, names.mlp_output_norm, fed), spec.residual_scale);
  };
  if (spec.post_norm) {
    x = norm_if(c, s, names.input_norm, x + mix(x));
    return norm_if(c, s, names.mlp_norm, x + feed(x));
  }
  const Value normed = norm_if(c, s, names.input_norm, x);
  if (spec.parallel) {
    const Value other = names.mlp_norm.empty() ? normed : norm(c, s / names.mlp_norm, x);
    const Value attended = mix(normed);
    return x + attended + feed(other);
  }
  x = (spec.adds_to_normed ? normed : x) + mix(normed);
  if (spec.mlp == DecoderMlp::kNone && !layer.feed_forward) return x;
  const Value again = norm_if(c, s, names.mlp_norm, x);
  return (spec.adds_to_normed ? again : x) + feed(again);
}

}  // namespace gamut::decoder
