// Rows of the decoder family that descend from GPT-2: layer norms, plain feed-forward, fused projections.
#include "models/decoder/decoder_family.h"

#include <cmath>

#include "base/error.h"

namespace gamut {
namespace {

/// What GPT-2 and its kin have in common.
void gpt(DecoderSpec& spec, const Config& config, const char* eps) {
  spec.norm = DecoderNorm::kLayer;
  spec.eps = config.num(eps, {.min = 0, .max = 1});
  spec.mlp = DecoderMlp::kPlain;
}

void refuse_cross_attention(const Config& config) {
  if (!config.b_or("add_cross_attention", false)) return;
  fail(ErrorCode::kUnsupported,
       "{}: add_cross_attention is true; only decoders alone are supported for this model type", config.source());
}

/// What GPT-2 shares with its later forms: positions in a table, names.
void learned_gpt(DecoderSpec& spec, const Config& config) {
  refuse_cross_attention(config);
  gpt(spec, config, "layer_norm_epsilon");
  spec.activation = config.s("activation_function");
  spec.turns = false;
  DecoderNames& n = spec.names;
  n.embedding = "wte", n.positions = "wpe", n.layers = "h", n.final_norm = "ln_f";
  n.input_norm = "ln_1", n.mlp_norm = "ln_2";
  n.qkv = "attn.c_attn", n.o = "attn.c_proj";
  n.up = "mlp.c_fc", n.down = "mlp.c_proj";
  n.token_score = "classifier";
  spec.attention_scale = config.b_or("scale_attn_weights", true) ? 0 : 1;
}

void gpt2(DecoderSpec& spec, const Config& config) {
  learned_gpt(spec, config);
  spec.transposed = true;
  spec.qkv = QkvLayout::kConcat;
  const double scale = spec.attention_scale == 0 ? 1 / std::sqrt(static_cast<double>(spec.head_dim)) : 1;
  const bool by_layer = config.b_or("scale_attn_by_inverse_layer_idx", false);
  spec.layer = [=](int64_t i) { return DecoderLayer{.scale = by_layer ? scale / static_cast<double>(i + 1) : scale}; };
}

/// One head of keys and values for all queries, or one for each.
void gpt_bigcode(DecoderSpec& spec, const Config& config) {
  learned_gpt(spec, config);
  spec.qkv = QkvLayout::kGrouped;
  spec.kv_heads = config.b("multi_query") ? 1 : spec.heads;
}

/// Rotations of a share of each head; attention and feed-forward mostly side by side, each with a norm of its own.
void gpt_neox(DecoderSpec& spec, const Config& config) {
  gpt(spec, config, "layer_norm_eps");
  spec.qkv = QkvLayout::kGrouped;
  spec.kv_heads = spec.heads;
  spec.parallel = config.b("use_parallel_residual");
  DecoderNames& n = spec.names;
  n.embedding = "embed_in", n.final_norm = "final_layer_norm";
  n.qkv = "attention.query_key_value", n.o = "attention.dense";
  n.up = "mlp.dense_h_to_4h", n.down = "mlp.dense_4h_to_h";
  n.token_score = "classifier";
  spec.ropes["rope"] = read_rope(config, {.head_dim = spec.head_dim,
                                          .rotary_share = 0.25,
                                          .heeds_partial_factor = true,
                                          .share_field = "rotary_pct",
                                          .theta_field = "rotary_emb_base"});
}

/// Attention and feed-forward side by side behind one norm; rotations of a share of each head.
void phi(DecoderSpec& spec, const Config& config) {
  gpt(spec, config, "layer_norm_eps");
  spec.parallel = true;
  DecoderNames& n = spec.names;
  n.final_norm = "final_layernorm", n.mlp_norm = "";
  n.o = "self_attn.dense", n.q_norm = "self_attn.q_layernorm", n.k_norm = "self_attn.k_layernorm";
  n.up = "mlp.fc1", n.down = "mlp.fc2";
  spec.ropes["rope"] =
      read_rope(config, {.head_dim = spec.head_dim, .rotary_share = 0.5, .heeds_partial_factor = true});
}

/// Positions in a table whose first two lines are no positions; norms before or behind; token embeddings may be
/// narrower than what the blocks work on.
void opt(DecoderSpec& spec, const Config& config) {
  spec.norm = config.b("layer_norm_elementwise_affine") ? DecoderNorm::kLayer : DecoderNorm::kBareLayer;
  spec.eps = 1e-5;
  spec.mlp = DecoderMlp::kPlain;
  spec.activation = config.s("activation_function");
  spec.turns = false;
  spec.first_position = 2;
  DecoderNames& n = spec.names;
  n.embedding = "decoder.embed_tokens", n.positions = "decoder.embed_positions", n.layers = "decoder.layers";
  n.input_norm = "self_attn_layer_norm", n.mlp_norm = "final_layer_norm";
  n.o = "self_attn.out_proj", n.up = "fc1", n.down = "fc2";
  const bool norms_before = config.b("do_layer_norm_before");
  spec.post_norm = !norms_before;
  n.final_norm = norms_before && !config.b_or("_remove_final_layer_norm", false) ? "decoder.final_layer_norm" : "";
  const int64_t width = config.i("hidden_size");
  if (config.i_or("word_embed_proj_dim", width) != width) {
    n.embedding_projection = "decoder.project_in", n.output_projection = "decoder.project_out";
  }
}

const std::vector<std::string> kBuffers = {"attn.bias", "attn.masked_bias"};

const DecoderRow kRows[] = {
    {.model_type = "gpt2",
     .heads = {"GPT2Model", "GPT2LMHeadModel", "GPT2ForSequenceClassification", "GPT2ForTokenClassification",
               "GPT2ForQuestionAnswering"},
     .adapt = gpt2,
     .base_prefix = "transformer",
     .ignored_suffixes = kBuffers},
    {.model_type = "gpt_bigcode",
     .heads = decoder_heads("GPTBigCode", {"CausalLM", "SequenceClassification", "TokenClassification"}),
     .adapt = gpt_bigcode,
     .base_prefix = "transformer",
     .ignored_suffixes = kBuffers},
    {.model_type = "gpt_neox",
     .heads = decoder_heads("GPTNeoX"),
     .adapt = gpt_neox,
     .base_prefix = "gpt_neox",
     .renames = {{"embed_out.weight", "lm_head.weight"}},
     .ignored_suffixes = {"attention.bias", "attention.masked_bias", "rotary_emb.inv_freq"}},
    {.model_type = "phi",
     .heads = decoder_heads("Phi", {"CausalLM", "SequenceClassification", "TokenClassification"}),
     .adapt = phi},
    {.model_type = "opt",
     .heads = decoder_heads("OPT", {"CausalLM", "SequenceClassification", "QuestionAnswering"}),
     .adapt = opt},
};

std::vector<Architecture> rows() {
  std::vector<Architecture> all;
  for (const DecoderRow& row : kRows) all.push_back(make_decoder(row));
  return all;
}

}  // namespace

extern const ArchitectureFamily kGptLike;
const ArchitectureFamily kGptLike{rows};

}  // namespace gamut
