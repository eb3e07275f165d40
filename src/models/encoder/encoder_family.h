// The family of BERT-like encoders: embeddings, post-norm blocks, and the heads of masked language models.
#pragma once

#include <string>
#include <vector>

#include "models/architecture.h"

namespace gamut {

/// How a member of the family counts positions when the caller gives none.
enum class Positions {
  kFromZero,      // 0, 1, 2 … in each row
  kAfterPadding,  // pad+1, pad+2 … over tokens that are not the padding token, which stays at pad
};

/// How an architecture differs from BERT. Names are those of the checkpoint, below the base model's prefix where that
/// applies.
struct EncoderSpec {
  std::string model_type = "bert";
  std::string class_prefix = "Bert";  // of the transformers classes
  std::string base = "bert";          // base_model_prefix

  // Embeddings.
  bool token_types = true;
  Positions positions = Positions::kFromZero;
  int64_t padding_token = -1;  // of kAfterPadding; -1: the config's pad_token_id
  double fixed_eps = 0;        // of every norm; 0: the config's layer_norm_eps

  // Blocks.
  std::string activation_field = "hidden_act";  // of the config
  std::string layers = "encoder.layer";
  std::string query = "attention.self.query", key = "attention.self.key", value = "attention.self.value";
  std::string attention_output = "attention.output.dense", attention_norm = "attention.output.LayerNorm";
  std::string up = "intermediate.dense", down = "output.dense", output_norm = "output.LayerNorm";
  std::string relative_bias;  // a table [buckets, heads] that all layers add to their scores; empty: none

  // Heads.
  std::string pooler = "pooler.dense";  // of the base model; empty: none
  std::string lm_dense = "cls.predictions.transform.dense", lm_norm = "cls.predictions.transform.LayerNorm";
  std::string lm_decoder = "cls.predictions.decoder", lm_bias = "cls.predictions.bias";
  std::string lm_activation;  // empty: the config's
  /// The layer between a row's first token and the classifier, and its activation.
  std::string classifier_dense = "bert.pooler.dense", classifier_activation = "tanh";
  std::string classifier_out = "classifier";
};

/// The family's row of `spec`.
Architecture make_encoder(const EncoderSpec& spec);

}  // namespace gamut
