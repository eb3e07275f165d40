// Rows of the decoder family whose attention is biased by distance (ALiBi): BLOOM, MPT, and Falcon, which may be.
#include <bit>
#include <cmath>

#include "base/error.h"
#include "models/decoder/decoder_block.h"
#include "models/decoder/decoder_family.h"
#include "ops/attention.h"
#include "ops/broadcast.h"
#include "ops/concat.h"
#include "ops/reshape.h"

namespace gamut {
namespace {

/// 2^(-8k/n) for k = 1 … count, or for odd k alone, in f32 as torch does.
void add_slopes(std::vector<float>& slopes, int64_t n, int64_t count, int64_t step) {
  const auto base = static_cast<float>(std::exp2(-8.0 / static_cast<double>(n)));
  for (int64_t i = 0; i < count; ++i) {
    slopes.push_back(static_cast<float>(std::pow(static_cast<double>(base), static_cast<double>(1 + step * i))));
  }
}

/// A slope for each head: a geometric series for the largest power of two that fits, then every other slope of twice
/// as many heads.
std::vector<float> alibi_slopes(int64_t heads) {
  const auto fitting = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(heads)));
  std::vector<float> slopes;
  add_slopes(slopes, fitting, fitting, 1);
  add_slopes(slopes, 2 * fitting, heads - fitting, 2);
  return slopes;
}

/// MPT's: of the next power of two first every other slope, from the second on.
std::vector<float> mpt_slopes(int64_t heads) {
  const auto all = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(heads)));
  std::vector<float> slopes;
  auto add = [&](int64_t k) {
    const auto exponent = static_cast<float>(k) * (8.0f / static_cast<float>(all));
    slopes.push_back(1.0f / static_cast<float>(std::exp2(static_cast<double>(exponent))));
  };
  if (all == heads) {
    for (int64_t k = 1; k <= all; ++k) add(k);
    return slopes;
  }
  for (int64_t k = 2; k <= all; k += 2) add(k);
  for (int64_t k = 1; k <= all; k += 2) add(k);
  slopes.resize(static_cast<size_t>(heads));
  return slopes;
}

/// What all have in common: layer norms, a plain feed-forward, tensors for all of queries, keys and values.
void alibi_like(DecoderSpec& spec, const Config& config) {
  spec.norm = DecoderNorm::kLayer;
  spec.eps = config.num("layer_norm_epsilon", {.min = 0, .max = 1});
  spec.mlp = DecoderMlp::kPlain;
  spec.qkv = QkvLayout::kGrouped;
  spec.kv_heads = spec.heads;
  spec.turns = false;
  DecoderNames& n = spec.names;
  n.embedding = "word_embeddings", n.layers = "h", n.final_norm = "ln_f";
  n.qkv = "self_attention.query_key_value", n.o = "self_attention.dense";
  n.up = "mlp.dense_h_to_4h", n.down = "mlp.dense_4h_to_h";
  n.token_score = "classifier";
  // What the first checkpoints call hidden_size counts before it.
  if (config.has("n_embed")) spec.head_dim = config.i("n_embed") / spec.heads;
}

void bloom(DecoderSpec& spec, const Config& config) {
  alibi_like(spec, config);
  spec.activation = "gelu_new";
  spec.names.embedding_norm = "word_embeddings_layernorm";
  spec.slopes = alibi_slopes(spec.heads);
  spec.adds_to_normed = config.b_or("apply_residual_connection_post_layernorm", false);
}

void mpt(DecoderSpec& spec, const Config& config) {
  alibi_like(spec, config);
  spec.qkv = QkvLayout::kConcat;
  spec.activation = "gelu";
  DecoderNames& n = spec.names;
  n.embedding = "wte", n.layers = "blocks", n.final_norm = "norm_f";
  n.input_norm = "norm_1", n.mlp_norm = "norm_2";
  n.qkv = "attn.Wqkv", n.o = "attn.out_proj", n.up = "ffn.up_proj", n.down = "ffn.down_proj";
  spec.slopes = mpt_slopes(spec.heads);
  if (!config.has("attn_config")) return;
  const Config attention = config.sub("attn_config");
  spec.clip_qkv = attention.num_or("clip_qkv", 0, {.min = 0, .max = 1e30});
  spec.attention_scale = attention.num_or("softmax_scale", 0, {.min = 1e-9, .max = 1e9});
}

/// x rounded to the nearest bf16, of two equally near ones to the even one.
float round_to_bf16(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  return std::bit_cast<float>((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000U);
}

const char* const kKeyBias = "alibi";

/// Falcon's biases are products in bf16 of slope and position, before the scores are scaled.
TokenNumbers falcon_biases(int64_t heads) {
  std::vector<float> slopes = alibi_slopes(heads);
  for (float& slope : slopes) slope = round_to_bf16(slope);
  return {.width = heads, .write = [slopes](int64_t, int64_t place, std::span<float> biases) {
            const float position = round_to_bf16(static_cast<float>(place));
            for (size_t h = 0; h < biases.size(); ++h) biases[h] = round_to_bf16(slopes[h] * position);
          }};
}

/// Attention with a bias for each head and key. Rounded as they are, biases do not follow from distances: keys carry
/// them as further numbers, one for each query that shares the key, and each query takes its own of them.
Value biased_attention(const DecoderContext& c, const Scope& s, int64_t index, Value x) {
  const DecoderSpec& spec = c.spec;
  Graph& g = s.graph();
  const DecoderLayer layer;
  decoder::Qkv y = decoder::project_qkv(c, s, layer, x);
  const Extent batch = c.rows.batch(), sequence = c.rows.sequence();
  const int64_t shared = spec.heads / spec.kv_heads;
  Tensor identity = Tensor::allocate(DType::kF32, {shared, shared});
  for (int64_t i = 0; i < shared * shared; ++i) {
    identity.mutable_f32()[static_cast<size_t>(i)] = i % (shared + 1) == 0 ? 1.0f : 0.0f;
  }
  Value own = op::reshape(g.constant(identity), {1, 1, 1, shared, shared});
  own = op::broadcast(own, {batch, sequence, spec.kv_heads, shared, shared});
  own = op::reshape(own, {batch, sequence, spec.heads, shared});
  const Value biases = op::reshape(c.numbers.at(kKeyBias), {batch, sequence, spec.kv_heads, shared});
  y.q = op::concat({y.q, own}, 3);
  y.k = op::concat({y.k, biases}, 3);
  return decoder::attend(c, s, layer, index, y);
}

/// The norms: one of each part, one for both side by side, or one for each of them side by side.
void falcon_norms(DecoderSpec& spec, const Config& config, bool is_new) {
  spec.parallel = config.b_or("parallel_attn", false);
  if (is_new && !spec.parallel) {
    fail(ErrorCode::kUnsupported, "{}: new_decoder_architecture is true and parallel_attn is not; expected both or one",
         config.source());
  }
  if (!spec.parallel) return;
  spec.names.mlp_norm = "";
  if (is_new && config.i_or("num_ln_in_parallel_attn", 2) == 2) {
    spec.names.input_norm = "ln_attn", spec.names.mlp_norm = "ln_mlp";
  }
}

void falcon(DecoderSpec& spec, const Config& config) {
  alibi_like(spec, config);
  spec.activation = config.s("activation");
  const bool is_new = config.b_or("new_decoder_architecture", false);
  falcon_norms(spec, config, is_new);
  if (is_new) {
    spec.kv_heads = config.i_or("num_kv_heads", spec.heads, {.min = 1, .max = 65536});
  } else if (config.b_or("multi_query", false)) {
    spec.kv_heads = 1;
  }
  spec.attention_scale = 1 / std::sqrt(static_cast<double>(std::max<int64_t>(spec.head_dim, 1)));
  spec.turns = !config.b_or("alibi", false);
  if (spec.turns) return;
  spec.numbers[kKeyBias] = falcon_biases(spec.heads);
  spec.layer = [](int64_t) { return DecoderLayer{.mixer = biased_attention}; };
}

const DecoderRow kRows[] = {
    {.model_type = "bloom", .heads = decoder_heads("Bloom"), .adapt = bloom, .base_prefix = "transformer"},
    {.model_type = "falcon", .heads = decoder_heads("Falcon"), .adapt = falcon, .base_prefix = "transformer"},
    {.model_type = "mpt", .heads = decoder_heads("Mpt"), .adapt = mpt, .base_prefix = "transformer"},
};

std::vector<Architecture> rows() {
  std::vector<Architecture> all;
  for (const DecoderRow& row : kRows) all.push_back(make_decoder(row));
  return all;
}

}  // namespace

extern const ArchitectureFamily kAlibiLike;
const ArchitectureFamily kAlibiLike{rows};

}  // namespace gamut
