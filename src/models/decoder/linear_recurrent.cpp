// Rows of the decoder family whose blocks remember by linear recurrences or short convolutions.
#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"
#include "base/excerpt.h"
#include "layers/basic.h"
#include "models/decoder/decoder_block.h"
#include "models/decoder/decoder_family.h"
#include "models/decoder/delta_net_block.h"
#include "models/decoder/griffin_block.h"
#include "models/decoder/rwkv_block.h"
#include "ops/binary.h"
#include "ops/causal_conv1d.h"
#include "ops/linear.h"
#include "ops/reshape.h"
#include "ops/slice.h"

namespace gamut {
namespace {

using decoder::with_rank;

/// At inference transformers halves x after every `rescale_every` blocks, and what later blocks add to it. Norms alone
/// read x, so that the only effect is an eps that counts for more.
double rescaled(double eps, int64_t block, int64_t every) {
  return every > 0 ? std::ldexp(eps, static_cast<int>(2 * (block / every))) : eps;
}

void rwkv(DecoderSpec& spec, const Config& config) {
  spec.norm = DecoderNorm::kLayer;
  spec.eps = config.num("layer_norm_epsilon", {.min = 0, .max = 1});
  spec.turns = false;
  DecoderNames& n = spec.names;
  n.embedding = "embeddings", n.embedding_norm = "blocks.0.pre_ln", n.layers = "blocks", n.final_norm = "ln_out";
  n.input_norm = n.mlp_norm = "", n.lm_head = "head";
  const int64_t every = config.i_or("rescale_every", 6, {.min = -(1 << 30)});
  spec.final_eps = rescaled(1e-5, spec.layers, every);
  spec.layer = [eps = spec.eps, every](int64_t i) {
    const double own = rescaled(eps, i, every);
    DecoderLayer layer;
    layer.mixer = [own](const DecoderContext& c, const Scope& s, int64_t index, Value x) {
      return decoder::rwkv_time_mix(c, s, index, x, own);
    };
    layer.feed_forward = [own](const DecoderContext& c, const Scope& s, int64_t index, Value x) {
      return decoder::rwkv_channel_mix(c, s, index, x, own);
    };
    return layer;
  };
}

/// x rounded to bf16, ties to even.
double as_bf16(double x) {
  const auto bits = std::bit_cast<uint32_t>(static_cast<float>(x));
  return std::bit_cast<float>((bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u);
}

void recurrent_gemma(DecoderSpec& spec, const Config& config) {
  spec.norm = DecoderNorm::kRmsPlusOne;
  spec.activation = config.s("hidden_activation");
  spec.embedding_scale = as_bf16(std::sqrt(static_cast<double>(config.i("hidden_size"))));
  spec.logit_softcap = config.num("logits_soft_cap", {.min = 1e-6});
  spec.head_dim = config.i("hidden_size") / spec.heads;
  DecoderNames& n = spec.names;
  n.final_norm = "final_norm", n.input_norm = "temporal_pre_norm", n.mlp_norm = "channel_pre_norm";
  n.q = "temporal_block.q_proj", n.k = "temporal_block.k_proj";
  n.v = "temporal_block.v_proj", n.o = "temporal_block.o_proj";
  n.gate = "mlp_block.gate_proj", n.up = "mlp_block.up_proj", n.down = "mlp_block.down_proj";
  spec.ropes["rope"] =
      read_rope(config, {.head_dim = spec.head_dim, .rotary_share = 0.5, .heeds_partial_factor = true});
  const int64_t window = config.i("attention_window_size");
  const std::vector<std::string> kinds = config.strings("block_types");
  if (kinds.empty()) fail(ErrorCode::kInvalidFile, "{}: block_types is empty", config.source());
  spec.layer = [window, kinds](int64_t i) {
    DecoderLayer layer{.window = window};
    if (kinds[static_cast<size_t>(i) % kinds.size()] == "recurrent") layer.mixer = decoder::griffin;
    return layer;
  };
}

/// LFM2's gated convolution: out(c * conv(b * x)), with b, c and x from one projection.
Value short_convolution(const DecoderContext& c, const Scope& block, int64_t index, Value x) {
  const Scope s = block / "conv", in = s / "in_proj", conv = s / "conv";
  LabelScope label(s.graph(), s.path());
  const Value weight = with_rank(in, "weight", in.weight("weight"), 2);
  const Value bias = with_rank(in, "bias", in.weight_if("bias"), 1);
  const int64_t width = c.config.i("hidden_size");
  if (!(weight.extent(0) == Extent(3 * width))) {
    fail(ErrorCode::kInvalidFile, "{}.weight: {} lines, expected {}", in.path(), weight.extent(0).to_string(),
         3 * width);
  }
  auto part = [&](int64_t i) {
    const Value shift = bias ? op::slice(bias, 0, width * i, width) : Value{};
    return op::linear(x, op::slice(weight, 0, width * i, width), {.bias = shift});
  };
  const Value before = part(0), behind = part(1), value = part(2);
  const Value taps = with_rank(conv, "weight", conv.weight("weight"), 3);
  const int64_t channels = *taps.extent(0).constant(), count = *taps.extent(2).constant();
  const Value moved = op::causal_conv1d(before * value, op::reshape(taps, {channels, count}), conv.weight_if("bias"),
                                        c.rows, "layer." + std::to_string(index));
  return layer::linear(s / "out_proj", behind * moved);
}

/// One for each layer, at least.
std::vector<std::string> layer_types(const DecoderSpec& spec, const Config& config) {
  std::vector<std::string> kinds = config.strings("layer_types");
  if (static_cast<int64_t>(kinds.size()) >= spec.layers) return kinds;
  fail(ErrorCode::kInvalidFile, "{}: layer_types has {} entries for {} layers", config.source(), kinds.size(),
       spec.layers);
}

/// Which layers have attention: `layer_types`, else `full_attn_idxs`, else all.
std::function<bool(int64_t i)> lfm2_attends(const DecoderSpec& spec, const Config& config) {
  if (config.has("layer_types")) {
    return [kinds = layer_types(spec, config)](int64_t i) { return kinds[static_cast<size_t>(i)] != "conv"; };
  }
  if (!config.has("full_attn_idxs")) return [](int64_t) { return true; };
  return [list = config.ints("full_attn_idxs", {.min = 0})](int64_t i) { return std::ranges::count(list, i) > 0; };
}

void lfm2(DecoderSpec& spec, const Config& config) {
  spec.eps = config.num("norm_eps", {.min = 0, .max = 1});
  DecoderNames& n = spec.names;
  n.final_norm = "embedding_norm", n.input_norm = "operator_norm", n.mlp_norm = "ffn_norm";
  n.o = "self_attn.out_proj", n.q_norm = "self_attn.q_layernorm", n.k_norm = "self_attn.k_layernorm";
  n.gate = "feed_forward.w1", n.up = "feed_forward.w3", n.down = "feed_forward.w2";
  const auto attends = lfm2_attends(spec, config);
  spec.layer = [attends](int64_t i) {
    DecoderLayer layer;
    if (!attends(i)) layer.mixer = short_convolution;
    return layer;
  };
}

/// Whether a block has attention: by `layer_types`, else every `full_attention_interval`-th.
std::function<bool(int64_t i)> qwen3_next_attends(const DecoderSpec& spec, const Config& config) {
  if (!config.has("layer_types")) {
    const int64_t interval = config.i_or("full_attention_interval", 4);
    return [interval](int64_t i) { return (i + 1) % interval == 0; };
  }
  const std::vector<std::string> kinds = layer_types(spec, config);
  for (const std::string& kind : kinds) {
    if (kind == "full_attention" || kind == "linear_attention") continue;
    fail(ErrorCode::kUnsupported, "{}: layer_types has \"{}\"; expected full_attention or linear_attention",
         config.source(), excerpt(kind));
  }
  return [kinds](int64_t i) { return kinds[static_cast<size_t>(i)] == "full_attention"; };
}

/// Which blocks have experts, and how.
std::function<DecoderPart(int64_t i)> qwen3_next_experts(const Config& config) {
  const int64_t count = config.i("num_experts", {.min = 0, .max = 65536}), step = config.i("decoder_sparse_step");
  std::vector<int64_t> plain;
  if (config.has("mlp_only_layers")) plain = config.ints("mlp_only_layers", {.min = 0});
  layer::Router router;
  router.chosen = config.i("num_experts_per_tok", {.min = 1, .max = 65536});
  router.normalized = config.b("norm_topk_prob");
  return [=](int64_t i) {
    if (count == 0 || (i + 1) % step != 0 || std::ranges::count(plain, i) > 0) return DecoderPart{};
    return DecoderPart([=](const DecoderContext& c, const Scope& s, int64_t, Value x) {
      return decoder::shared_experts(c, s, router, count, x);
    });
  };
}

void qwen3_next(DecoderSpec& spec, const Config& config) {
  constexpr IntRange kSize{.min = 1, .max = 65536};
  spec.norm = DecoderNorm::kRmsPlusOne;
  spec.ropes["rope"] =
      read_rope(config, {.head_dim = spec.head_dim, .rotary_share = 0.25, .heeds_partial_factor = true});
  const decoder::DeltaNet net{.key_heads = config.i("linear_num_key_heads", kSize),
                              .value_heads = config.i("linear_num_value_heads", kSize),
                              .key_dim = config.i("linear_key_head_dim", kSize),
                              .value_dim = config.i("linear_value_head_dim", kSize)};
  if (net.value_heads % net.key_heads != 0) {
    fail(ErrorCode::kInvalidFile, "{}: linear_num_value_heads {} is no multiple of linear_num_key_heads {}",
         config.source(), net.value_heads, net.key_heads);
  }
  spec.layer = [=, attends = qwen3_next_attends(spec, config), experts = qwen3_next_experts(config)](int64_t i) {
    DecoderLayer layer;
    layer.mixer = decoder::gated_attention;
    if (!attends(i)) {
      layer.mixer = [net](const DecoderContext& c, const Scope& s, int64_t index, Value x) {
        return decoder::delta_net(c, s, index, net, x);
      };
    }
    layer.feed_forward = experts(i);
    return layer;
  };
}

const DecoderRow kRows[] = {
    {.model_type = "lfm2", .heads = decoder_heads("Lfm2", {"CausalLM"}), .adapt = lfm2},
    {.model_type = "qwen3_next",
     .heads = decoder_heads("Qwen3Next"),
     .adapt = qwen3_next,
     .ignored_prefixes = {"mtp."}},
    {.model_type = "recurrent_gemma", .heads = decoder_heads("RecurrentGemma", {"CausalLM"}), .adapt = recurrent_gemma},
    {.model_type = "rwkv", .heads = decoder_heads("Rwkv", {"CausalLM"}), .adapt = rwkv, .base_prefix = "rwkv"},
};

std::vector<Architecture> rows() {
  std::vector<Architecture> all;
  for (const DecoderRow& row : kRows) all.push_back(make_decoder(row));
  return all;
}

}  // namespace

extern const ArchitectureFamily kLinearRecurrent;
const ArchitectureFamily kLinearRecurrent{rows};

}  // namespace gamut
