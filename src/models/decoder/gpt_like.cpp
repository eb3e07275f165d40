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

void gpt2(DecoderSpec& spec, const Config& config) {
  refuse_cross_attention(config);
  gpt(spec, config, "layer_norm_epsilon");
  spec.activation = config.s("activation_function");
  spec.turns = false;
  spec.transposed = true;
  spec.qkv = QkvLayout::kConcat;
  DecoderNames& n = spec.names;
  n.embedding = "wte", n.positions = "wpe", n.layers = "h", n.final_norm = "ln_f";
  n.input_norm = "ln_1", n.mlp_norm = "ln_2";
  n.qkv = "attn.c_attn", n.o = "attn.c_proj";
  n.up = "mlp.c_fc", n.down = "mlp.c_proj";
  n.token_score = "classifier";
  const double scale = config.b_or("scale_attn_weights", true) ? 1 / std::sqrt(static_cast<double>(spec.head_dim)) : 1;
  const bool by_layer = config.b_or("scale_attn_by_inverse_layer_idx", false);
  spec.layer = [=](int64_t i) { return DecoderLayer{.scale = by_layer ? scale / static_cast<double>(i + 1) : scale}; };
}

const DecoderRow kRows[] = {
    {.model_type = "gpt2",
     .heads = {"GPT2Model", "GPT2LMHeadModel", "GPT2ForSequenceClassification", "GPT2ForTokenClassification",
               "GPT2ForQuestionAnswering"},
     .adapt = gpt2,
     .base_prefix = "transformer",
     .ignored_suffixes = {"attn.bias", "attn.masked_bias"}},
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
