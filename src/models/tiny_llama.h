// For tests: a Llama of a few thousand parameters with weights made from their names.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/json.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/seeded_weights.h"

namespace gamut::test {

constexpr int64_t kLlamaVocabulary = 29, kLlamaWidth = 16, kLlamaLayers = 2, kLlamaInner = 24;

inline Json tiny_llama_config() {
  return {{"model_type", "llama"},
          {"architectures", {"LlamaForCausalLM"}},
          {"hidden_size", kLlamaWidth},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"num_hidden_layers", kLlamaLayers},
          {"intermediate_size", kLlamaInner},
          {"max_position_embeddings", 256},
          {"eos_token_id", nullptr},
          {"vocab_size", kLlamaVocabulary}};
}

inline NamedTensors tiny_llama_tensors() {
  NamedTensors tensors;
  auto add = [&](const std::string& name, const Dims& dims) {
    const bool is_norm = dims.size() == 1;
    tensors[name] = seeded_tensor(name, dims, 11, is_norm ? 0.3 : 0.6, is_norm ? 1 : 0);
  };
  add("model.embed_tokens.weight", {kLlamaVocabulary, kLlamaWidth});
  for (int64_t i = 0; i < kLlamaLayers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    add(layer + "input_layernorm.weight", {kLlamaWidth});
    add(layer + "self_attn.q_proj.weight", {kLlamaWidth, kLlamaWidth});
    add(layer + "self_attn.k_proj.weight", {kLlamaWidth / 2, kLlamaWidth});
    add(layer + "self_attn.v_proj.weight", {kLlamaWidth / 2, kLlamaWidth});
    add(layer + "self_attn.o_proj.weight", {kLlamaWidth, kLlamaWidth});
    add(layer + "post_attention_layernorm.weight", {kLlamaWidth});
    add(layer + "mlp.gate_proj.weight", {kLlamaInner, kLlamaWidth});
    add(layer + "mlp.up_proj.weight", {kLlamaInner, kLlamaWidth});
    add(layer + "mlp.down_proj.weight", {kLlamaWidth, kLlamaInner});
  }
  add("model.norm.weight", {kLlamaWidth});
  add("lm_head.weight", {kLlamaVocabulary, kLlamaWidth});
  return tensors;
}

/// Writes config.json and model.safetensors into `folder`, which exists.
inline void write_tiny_llama(const std::filesystem::path& folder) {
  std::ofstream(folder / "config.json") << tiny_llama_config().dump(2);
  write_safetensors(folder / "model.safetensors", tiny_llama_tensors());
}

}  // namespace gamut::test
