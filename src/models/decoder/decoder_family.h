// The family of decoders: embeddings, blocks, a final norm, and a head. A row says how a model type differs from Llama.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/architecture.h"
#include "models/decoder/decoder_spec.h"

namespace gamut {

/// What a row of the family says before a config is there.
struct DecoderRow {
  std::string model_type;
  std::vector<std::string> heads;  // transformers classes, the base model first
  /// Changes the Llama that was read from the config.
  void (*adapt)(DecoderSpec& spec, const Config& config) = nullptr;
  std::string base_prefix = "model";
  std::vector<Rename> renames = {};
  std::vector<std::string> ignored_suffixes = {"rotary_emb.inv_freq"};
  std::vector<std::string> ignored_prefixes = {};
  /// Where files have the base model's tensors, if not below the prefix: the first of them that a file has.
  std::vector<std::string> other_bases = {};
  /// The object of config.json that describes the decoder, where it is a part of a larger model; empty: all of it.
  std::string config_field = "";
  std::string note = "";  // as Architecture has it
};

/// The architecture of a row.
Architecture make_decoder(const DecoderRow& row);

/// "LlamaModel", "LlamaForCausalLM", "LlamaForSequenceClassification", …: those of `tasks` behind the base model.
std::vector<std::string> decoder_heads(const std::string& prefix, const std::vector<std::string>& tasks = {
                                                                      "CausalLM", "SequenceClassification",
                                                                      "TokenClassification", "QuestionAnswering"});

/// The sliding window of the config where `use` (and the config's `layer_types`, if it has them) say so.
void slide(DecoderSpec& spec, const Config& config, const std::function<bool(int64_t i)>& use);

}  // namespace gamut
