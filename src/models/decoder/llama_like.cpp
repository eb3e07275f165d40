// Rows of the decoder family that descend from Llama: how each model type differs from it.
#include <cmath>

#include "base/error.h"
#include "models/decoder/decoder_block.h"
#include "models/decoder/decoder_family.h"
#include "ops/binary.h"
#include "ops/reshape.h"

namespace gamut {
namespace {

/// A window where `use_sliding_window` is on, in the layers from `max_window_layers` on.
void qwen_window(DecoderSpec& spec, const Config& config) {
  if (!config.b_or("use_sliding_window", false)) return;
  const int64_t first = config.i_or("max_window_layers", 0, {.min = 0});
  slide(spec, config, [first](int64_t i) { return i >= first; });
}

void everywhere(DecoderSpec& spec, const Config& config) {
  slide(spec, config, [](int64_t) { return true; });
}

const char* const kQueryScale = "query_scale";

/// Attention whose queries grow with their positions.
Value scaled_attention(const DecoderContext& c, const Scope& s, int64_t index, Value x) {
  const DecoderLayer layer = c.spec.layer(index);
  decoder::Qkv y = decoder::project_qkv(c, s, layer, x);
  y.q = y.q * op::reshape(c.numbers.at(kQueryScale), {c.rows.batch(), c.rows.sequence(), 1, 1});
  return decoder::attend(c, s, layer, index, y);
}

/// As Mistral, with a window in all layers or none, and queries times 1 + beta log(1 + how many contexts lie before).
void ministral3(DecoderSpec& spec, const Config& config) {
  DecoderLayer layer{.window = config.i_or("sliding_window", 0)};
  const Config rope = rope_object(config);
  const auto beta = static_cast<float>(rope.num_or("llama_4_scaling_beta", 0, {.min = -1e9, .max = 1e9}));
  if (beta != 0) {
    const auto context =
        static_cast<float>(rope.has("original_max_position_embeddings") ? rope.i("original_max_position_embeddings")
                                                                        : config.i("max_position_embeddings"));
    spec.numbers[kQueryScale].write = [beta, context](int64_t position, int64_t, std::span<float> scale) {
      scale[0] = 1 + beta * std::log(1 + std::floor(static_cast<float>(position) / context));
    };
    layer.mixer = scaled_attention;
  }
  spec.layer = [layer](int64_t) { return layer; };
}

/// The language model of Mistral 3, which text without pictures goes through alone.
void mistral3(DecoderSpec& spec, const Config& config) {
  spec.base = "model.language_model";
  if (config.model_type() == "mistral") return everywhere(spec, config);
  if (config.model_type() == "ministral3") return ministral3(spec, config);
  fail(ErrorCode::kUnsupported, "{}: model type \"{}\" of text_config; expected mistral or ministral3", config.source(),
       config.model_type());
}

/// Norms behind attention and feed-forward, none before.
void olmo2(DecoderSpec& spec, const Config&) {
  spec.names.input_norm = spec.names.mlp_norm = "";
  spec.names.attention_output_norm = "post_attention_layernorm";
  spec.names.mlp_output_norm = "post_feedforward_layernorm";
}

void refuse_bidirectional(const Config& config) {
  if (!config.b_or("use_bidirectional_attention", false)) return;
  fail(ErrorCode::kUnsupported, "{}: use_bidirectional_attention is true; only causal attention is supported",
       config.source());
}

void gemma(DecoderSpec& spec, const Config& config) {
  refuse_bidirectional(config);
  spec.norm = DecoderNorm::kRmsPlusOne;
  spec.embedding_scale = std::sqrt(static_cast<double>(config.i("hidden_size")));
}

/// Norms before and behind attention and feed-forward, soft caps, windows in every other layer.
void gemma2(DecoderSpec& spec, const Config& config) {
  gemma(spec, config);
  spec.activation = config.s("hidden_activation");
  spec.names.attention_output_norm = "post_attention_layernorm";
  spec.names.mlp_norm = "pre_feedforward_layernorm", spec.names.mlp_output_norm = "post_feedforward_layernorm";
  spec.attention_scale = 1 / std::sqrt(config.num("query_pre_attn_scalar", {.min = 1e-9}));
  spec.softcap = config.num_or("attn_logit_softcapping", 0, {.min = 0});
  spec.logit_softcap = config.num_or("final_logit_softcapping", 0, {.min = 0});
  slide(spec, config, [](int64_t i) { return i % 2 == 0; });
}

/// As Gemma 2, with rotations of their own in the layers that have a window: all but every sixth.
void gemma3(DecoderSpec& spec, const Config& config) {
  gemma2(spec, config);
  spec.softcap = 0;  // transformers reads attn_logit_softcapping here and does not apply it
  const int64_t pattern = config.i_or("sliding_window_pattern", 6);
  spec.layer = nullptr;
  slide(spec, config, [pattern](int64_t i) { return (i + 1) % pattern != 0; });
  const auto windows = spec.layer;
  spec.layer = [windows](int64_t i) {
    DecoderLayer layer = windows ? windows(i) : DecoderLayer{};
    if (layer.window > 0) layer.rope = "rope_sliding";
    return layer;
  };
  spec.ropes["rope"] = read_rope(config, {.head_dim = spec.head_dim, .layer_type = "full_attention"});
  RopeOptions sliding{.head_dim = spec.head_dim, .layer_type = "sliding_attention"};
  if (!config.given("rope_parameters"))
    sliding.plain_theta = config.num_or("rope_local_base_freq", 10000, {.min = 1e-6});
  spec.ropes["rope_sliding"] = read_rope(config, sliding);
}

void phi3(DecoderSpec& spec, const Config& config) {
  spec.qkv = QkvLayout::kConcat;
  spec.names.qkv = "self_attn.qkv_proj";
  spec.mlp = DecoderMlp::kFusedGated;
  spec.names.gate = "mlp.gate_up_proj";
  everywhere(spec, config);
  // The first checkpoints call LongRoPE by other names.
  spec.ropes["rope"] = read_rope(config, {.head_dim = spec.head_dim,
                                          .heeds_partial_factor = true,
                                          .renamed_types = {{"su", "longrope"}, {"yarn", "longrope"}}});
}

/// Attention and feed-forward side by side; rotations of neighbours, in the layers that have a window only.
void cohere2(DecoderSpec& spec, const Config& config) {
  spec.norm = DecoderNorm::kLayer;
  spec.eps = config.num("layer_norm_eps", {.min = 0, .max = 1});
  spec.parallel = true;
  spec.names.mlp_norm = "";
  spec.interleaved = true;
  spec.logit_scale = config.num("logit_scale");
  const int64_t pattern = config.i_or("sliding_window_pattern", 4);
  slide(spec, config, [pattern](int64_t i) { return (i + 1) % pattern != 0; });
  const auto windows = spec.layer;
  spec.layer = [windows](int64_t i) {
    DecoderLayer layer = windows ? windows(i) : DecoderLayer{};
    layer.turns = layer.window > 0;
    return layer;
  };
}

void granite(DecoderSpec& spec, const Config& config) {
  spec.embedding_scale = config.num("embedding_multiplier");
  spec.residual_scale = config.num("residual_multiplier");
  spec.attention_scale = config.num("attention_multiplier");
  const double divisor = config.num("logits_scaling");
  if (divisor == 0) fail(ErrorCode::kInvalidFile, "{}: logits_scaling is 0", config.source());
  spec.logit_scale = 1 / divisor;
}

void glm4(DecoderSpec& spec, const Config& config) {
  spec.mlp = DecoderMlp::kFusedGated;
  spec.names.gate = "mlp.gate_up_proj";
  spec.names.attention_output_norm = "post_self_attn_layernorm", spec.names.mlp_output_norm = "post_mlp_layernorm";
  spec.interleaved = true;
  spec.ropes["rope"] =
      read_rope(config, {.head_dim = spec.head_dim, .rotary_share = 0.5, .heeds_partial_factor = true});
}

/// Every fourth layer does not rotate.
void smollm3(DecoderSpec& spec, const Config& config) {
  const int64_t interval = config.i_or("no_rope_layer_interval", 4);
  std::vector<int64_t> turns;
  if (config.has("no_rope_layers")) turns = config.ints("no_rope_layers", {.min = 0, .max = 1});
  if (!turns.empty() && static_cast<int64_t>(turns.size()) < spec.layers) {
    fail(ErrorCode::kInvalidFile, "{}: no_rope_layers has {} entries for {} layers", config.source(), turns.size(),
         spec.layers);
  }
  auto is_turned = [=](int64_t i) {
    return turns.empty() ? (i + 1) % interval != 0 : turns[static_cast<size_t>(i)] != 0;
  };
  spec.layer = [=](int64_t i) { return DecoderLayer{.turns = is_turned(i)}; };
  const bool slides = config.b_or("use_sliding_window", false);
  slide(spec, config, [=](int64_t i) { return slides && !is_turned(i); });
}

const std::vector<std::string> kNoQuestions = {"CausalLM", "SequenceClassification", "TokenClassification"};

const DecoderRow kRows[] = {
    {"llama", decoder_heads("Llama")},
    {"mistral", decoder_heads("Mistral"), everywhere},
    {"ministral", decoder_heads("Ministral"), everywhere},
    {"ministral3", decoder_heads("Ministral3"), ministral3},
    {.model_type = "mistral3",
     .heads = {"Mistral3Model", "Mistral3ForConditionalGeneration"},
     .adapt = mistral3,
     .renames = {{"language_model.lm_head.weight", "lm_head.weight"}},
     .ignored_prefixes = {"vision_tower.", "multi_modal_projector.", "model.vision_tower.",
                          "model.multi_modal_projector."},
     .other_bases = {"language_model.model"},
     .config_field = "text_config",
     .note = "text part only"},
    {"qwen2", decoder_heads("Qwen2"), qwen_window},
    {"qwen3", decoder_heads("Qwen3"), qwen_window},
    {"olmo2", decoder_heads("Olmo2", {"CausalLM", "SequenceClassification"}), olmo2},
    {"gemma", decoder_heads("Gemma", kNoQuestions), gemma},
    {"gemma2", decoder_heads("Gemma2", kNoQuestions), gemma2},
    {"gemma3_text", {"Gemma3TextModel", "Gemma3ForCausalLM", "Gemma3TextForSequenceClassification"}, gemma3},
    {"phi3", decoder_heads("Phi3", kNoQuestions), phi3},
    {"cohere2", decoder_heads("Cohere2", {"CausalLM"}), cohere2},
    {"granite", decoder_heads("Granite", {"CausalLM"}), granite},
    {"glm4", decoder_heads("Glm4", kNoQuestions), glm4},
    {"smollm3", decoder_heads("SmolLM3"), smollm3},
};

std::vector<Architecture> rows() {
  std::vector<Architecture> all;
  for (const DecoderRow& row : kRows) all.push_back(make_decoder(row));
  return all;
}

}  // namespace

extern const ArchitectureFamily kLlamaLike;
const ArchitectureFamily kLlamaLike{rows};

}  // namespace gamut
