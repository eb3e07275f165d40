// Rows of the decoder family whose feed-forwards are mixtures of experts.
#include "layers/experts.h"

#include <algorithm>

#include "base/error.h"
#include "layers/basic.h"
#include "models/decoder/decoder_block.h"
#include "models/decoder/decoder_family.h"
#include "models/decoder/latent_attention.h"
#include "ops/binary.h"
#include "ops/gated.h"

namespace gamut {
namespace {

constexpr IntRange kCount{.min = 1, .max = 65536};

/// The logits of a router, of which the config says how many experts they are for.
Value router_logits(const Scope& s, Value x, int64_t experts) {
  const Value logits = layer::linear(s, x);
  if (logits.extent(-1) == Extent(experts)) return logits;
  fail(ErrorCode::kInvalidFile, "{}.weight: {} lines, expected one for each of {} experts", s.path(),
       logits.extent(-1).to_string(), experts);
}

/// A feed-forward in the blocks where `use` says so.
void mix(DecoderSpec& spec, const DecoderPart& part, const std::function<bool(int64_t i)>& use) {
  const auto before = spec.layer;
  spec.layer = [=](int64_t i) {
    DecoderLayer layer = before ? before(i) : DecoderLayer{};
    if (use(i)) layer.feed_forward = part;
    return layer;
  };
}

/// Files from before transformers 5 call the block otherwise, and each expert has tensors of its own.
void mixtral(DecoderSpec& spec, const Config& config) {
  slide(spec, config, [](int64_t) { return true; });
  const int64_t experts = config.i("num_local_experts", kCount);
  const layer::Router router{.chosen = config.i("num_experts_per_tok", kCount), .normalized = true};
  const ExpertsForm form{.activation = parse_activation(spec.activation)};
  const DecoderPart part = [=](const DecoderContext&, const Scope& s, int64_t, Value x) {
    const Scope old = s / "block_sparse_moe", own = old.has("gate.weight") ? old : s / "mlp";
    const Value shares = layer::route(own, router, router_logits(own / "gate", x, experts));
    return layer::experts(own / "experts", x, shares, {"w1", "w3", "w2"}, form);
  };
  mix(spec, part, [](int64_t) { return true; });
}

/// Every `decoder_sparse_step`-th block has experts, but for those of `mlp_only_layers`.
void qwen3_moe(DecoderSpec& spec, const Config& config) {
  if (config.b_or("use_sliding_window", false)) slide(spec, config, [](int64_t) { return true; });
  const int64_t experts = config.i("num_local_experts", {.min = 0, .max = 65536}),
                step = config.i("decoder_sparse_step");
  std::vector<int64_t> plain;
  if (config.has("mlp_only_layers")) plain = config.ints("mlp_only_layers");
  layer::Router router;
  router.chosen = config.i("num_experts_per_tok", kCount);
  router.normalized = config.b("norm_topk_prob");
  const ExpertsForm form{.activation = parse_activation(spec.activation)};
  const DecoderPart part = [=](const DecoderContext&, const Scope& s, int64_t, Value x) {
    const Scope own = s / "mlp";
    const Value shares = layer::route(own, router, router_logits(own / "gate", x, experts));
    return layer::experts(own / "experts", x, shares, {}, form);
  };
  mix(spec, part,
      [=](int64_t i) { return experts > 0 && (i + 1) % step == 0 && std::ranges::find(plain, i) == plain.end(); });
}

/// Sinks of attention, windows in every other layer, experts of a clamped SwiGLU with biases.
void gpt_oss(DecoderSpec& spec, const Config& config) {
  spec.names.sinks = "self_attn.sinks";
  slide(spec, config, [](int64_t i) { return i % 2 == 0; });
  const int64_t experts = config.i("num_local_experts", kCount);
  layer::Router router;
  router.chosen = config.i("num_experts_per_tok", kCount);
  router.score = layer::RouterScore::kSoftmaxOfChosen;
  ExpertsForm form{.transposed = true, .interleaved = true};
  form.limit = config.num("swiglu_limit", {.min = 1e-6, .max = 1e6}), form.gain = config.num("swiglu_alpha");
  const DecoderPart part = [=](const DecoderContext&, const Scope& s, int64_t, Value x) {
    const Scope own = s / "mlp";
    const Value shares = layer::route(own, router, router_logits(own / "router", x, experts));
    return layer::experts(own / "experts", x, shares, {}, form);
  };
  mix(spec, part, [](int64_t) { return true; });
}

layer::Router deepseek_router(const Config& config) {
  layer::Router router{.score = layer::RouterScore::kSigmoid, .floor = 1e-20};
  router.chosen = config.i("num_experts_per_tok", kCount);
  router.groups = config.i_or("n_group", 1, kCount);
  router.chosen_groups = config.i_or("topk_group", 1, kCount);
  router.normalized = config.b_or("norm_topk_prob", true);
  router.scale = config.num("routed_scaling_factor");
  return router;
}

/// Attention over latents; experts in groups beside one that is always asked, but for the first blocks.
void deepseek_v3(DecoderSpec& spec, const Config& config) {
  const decoder::LatentAttention attention = decoder::read_latent_attention(spec, config);
  spec.kv_heads = spec.heads;
  spec.ropes["rope"] = attention.rope;
  spec.ignored_layers = config.i_or("num_nextn_predict_layers", 0, {.min = 0, .max = 1000});
  const int64_t experts = config.i("n_routed_experts", kCount);
  const int64_t first = config.i_or("first_k_dense_replace", 0, {.min = 0});
  const layer::Router router = deepseek_router(config);
  const ExpertsForm form{.activation = parse_activation(spec.activation)};
  const DecoderPart part = [=](const DecoderContext&, const Scope& s, int64_t, Value x) {
    const Scope own = s / "mlp", shared = own / "shared_experts";
    const Value correction = (own / "gate").weight("e_score_correction_bias");
    const Value shares = layer::route(own, router, router_logits(own / "gate", x, experts), correction);
    const Value sum = layer::experts(own / "experts", x, shares, {}, form);
    const Value gate = layer::linear(shared / "gate_proj", x), up = layer::linear(shared / "up_proj", x);
    return sum + layer::linear(shared / "down_proj", op::gated(form.activation, gate, up));
  };
  spec.layer = [attention](int64_t) {
    return DecoderLayer{.mixer = [attention](const DecoderContext& c, const Scope& s, int64_t index, Value x) {
      return decoder::latent_attention(attention, c, s, index, x);
    }};
  };
  mix(spec, part, [first](int64_t i) { return i >= first; });
}

const std::vector<std::string> kNoQuestions = {"CausalLM", "SequenceClassification", "TokenClassification"};

const DecoderRow kRows[] = {
    {"mixtral", decoder_heads("Mixtral"), mixtral},
    {"qwen3_moe", decoder_heads("Qwen3Moe"), qwen3_moe},
    {"gpt_oss", decoder_heads("GptOss", kNoQuestions), gpt_oss},
    {"deepseek_v3", decoder_heads("DeepseekV3", kNoQuestions), deepseek_v3},
};

std::vector<Architecture> rows() {
  std::vector<Architecture> all;
  for (const DecoderRow& row : kRows) all.push_back(make_decoder(row));
  return all;
}

}  // namespace

extern const ArchitectureFamily kExperts;
const ArchitectureFamily kExperts{rows};

}  // namespace gamut
