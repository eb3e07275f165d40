#include "models/decoder/latent_attention.h"

#include <cmath>

#include "base/error.h"
#include "layers/basic.h"
#include "ops/attention.h"
#include "ops/broadcast.h"
#include "ops/concat.h"
#include "ops/reshape.h"
#include "ops/rope.h"
#include "ops/slice.h"

namespace gamut::decoder {
namespace {

constexpr double kLatentEps = 1e-6;  // of the latents' norms, whatever the config says

/// A projection that must have so many outputs.
Value project_to(const Scope& s, Value x, int64_t width) {
  const Value y = layer::linear(s, x);
  if (y.extent(-1) == Extent(width)) return y;
  fail(ErrorCode::kInvalidFile, "{}.weight: {} lines, expected {}", s.path(), y.extent(-1).to_string(), width);
}

Value queries(const LatentAttention& a, const RopeTables& table, const Scope& s, Value x) {
  const int64_t head = a.plain + a.turning;
  if (a.has_query_latent) x = layer::rms_norm(s / "q_a_layernorm", layer::linear(s / "q_a_proj", x), kLatentEps);
  const Scope last = s / (a.has_query_latent ? "q_b_proj" : "q_proj");
  const Value q = op::split_heads(project_to(last, x, a.heads * head), head);
  const Value turned = op::rope(op::slice(q, 3, a.plain, a.turning), table.cos, table.sin, a.interleaved);
  return op::concat({op::slice(q, 3, 0, a.plain), turned}, 3);
}

}  // namespace

LatentAttention read_latent_attention(const DecoderSpec& spec, const Config& config) {
  constexpr IntRange kSize{.min = 1, .max = 65536};
  LatentAttention a;
  a.heads = spec.heads;
  a.kv_rank = config.i("kv_lora_rank", kSize);
  a.plain = config.i("qk_nope_head_dim", kSize), a.turning = config.i("qk_rope_head_dim", kSize);
  a.value = config.i("v_head_dim", kSize);
  a.has_query_latent = config.has("q_lora_rank");
  a.interleaved = config.b_or("rope_interleave", true);
  a.rope = read_rope(config, {.head_dim = a.turning});
  a.scale = a.rope.score_scale / std::sqrt(static_cast<double>(a.plain + a.turning));
  return a;
}

Value latent_attention(const LatentAttention& a, const DecoderContext& c, const Scope& s, int64_t index, Value x) {
  const Scope own = s / "self_attn";
  LabelScope label(s.graph(), own.path());
  const RopeTables& table = c.tables.at("rope");
  const Value q = queries(a, table, own, x);
  const Value both = project_to(own / "kv_a_proj_with_mqa", x, a.kv_rank + a.turning);
  const Value latent = layer::rms_norm(own / "kv_a_layernorm", op::slice(both, 2, 0, a.kv_rank), kLatentEps);
  const Value heads =
      op::split_heads(project_to(own / "kv_b_proj", latent, a.heads * (a.plain + a.value)), a.plain + a.value);
  // One key that turns, for all heads.
  const Value turning = op::split_heads(op::slice(both, 2, a.kv_rank, a.turning), a.turning);
  const Value turned = op::rope(turning, table.cos, table.sin, a.interleaved);
  const Shape shape(turned.shape().begin(), turned.shape().end());
  const Value spread = op::broadcast(turned, {shape[0], shape[1], a.heads, shape[3]});
  const Value k = op::concat({op::slice(heads, 3, 0, a.plain), spread}, 3);
  op::AttentionOptions options{.mask = {c.rows, true}, .scale = a.scale};
  options.state = "layer." + std::to_string(index);
  const Value y = op::attention(q, k, op::slice(heads, 3, a.plain, a.value), options);
  return layer::linear(own / "o_proj", op::merge_heads(y));
}

}  // namespace gamut::decoder
