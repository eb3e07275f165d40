// The rows of the encoder family: how each model type differs from BERT.
#include "models/encoder/encoder_family.h"

namespace gamut {
namespace {

EncoderSpec bert() { return {}; }

EncoderSpec roberta() {
  EncoderSpec s{.model_type = "roberta", .class_prefix = "Roberta", .base = "roberta"};
  s.positions = Positions::kAfterPadding;
  s.lm_dense = "lm_head.dense", s.lm_norm = "lm_head.layer_norm", s.lm_decoder = "lm_head.decoder",
  s.lm_bias = "lm_head.bias";
  s.lm_activation = "gelu";
  s.classifier_dense = "classifier.dense", s.classifier_out = "classifier.out_proj";
  return s;
}

EncoderSpec mpnet() {
  EncoderSpec s = roberta();
  s.model_type = "mpnet", s.class_prefix = "MPNet", s.base = "mpnet";
  s.token_types = false;
  s.padding_token = 1;  // fixed in its embeddings whatever pad_token_id says
  s.query = "attention.attn.q", s.key = "attention.attn.k", s.value = "attention.attn.v";
  s.attention_output = "attention.attn.o", s.attention_norm = "attention.LayerNorm";
  s.relative_bias = "encoder.relative_attention_bias";
  return s;
}

EncoderSpec distilbert() {
  EncoderSpec s{.model_type = "distilbert", .class_prefix = "DistilBert", .base = "distilbert"};
  s.token_types = false;
  s.fixed_eps = 1e-12;
  s.activation_field = "activation";
  s.layers = "transformer.layer";
  s.query = "attention.q_lin", s.key = "attention.k_lin", s.value = "attention.v_lin";
  s.attention_output = "attention.out_lin", s.attention_norm = "sa_layer_norm";
  s.up = "ffn.lin1", s.down = "ffn.lin2", s.output_norm = "output_layer_norm";
  s.pooler = "";
  s.lm_dense = "vocab_transform", s.lm_norm = "vocab_layer_norm", s.lm_decoder = s.lm_bias = "vocab_projector";
  s.classifier_dense = "pre_classifier", s.classifier_activation = "relu";
  return s;
}

EncoderSpec electra() {
  EncoderSpec s{.model_type = "electra", .class_prefix = "Electra", .base = "electra"};
  s.pooler = "";
  s.lm_dense = "generator_predictions.dense", s.lm_norm = "generator_predictions.LayerNorm";
  s.lm_decoder = "generator_lm_head", s.lm_bias = "generator_lm_head.bias";
  s.lm_activation = "gelu";
  s.classifier_dense = "classifier.dense", s.classifier_activation = "gelu", s.classifier_out = "classifier.out_proj";
  return s;
}

std::vector<Architecture> rows() {
  std::vector<Architecture> all;
  for (const EncoderSpec& spec : {bert(), roberta(), distilbert(), electra(), mpnet()})
    all.push_back(make_encoder(spec));
  return all;
}

}  // namespace

extern const ArchitectureFamily kBertLike{rows};

}  // namespace gamut
