// Mixtures of experts: what recording says when config.json and checkpoint do not fit.
#include <gtest/gtest.h>

#include "gamut/error.h"
#include "models/architecture.h"
#include "models/tiny_llama.h"

namespace gamut {
namespace {

using test::kLlamaInner;
using test::kLlamaWidth;

constexpr int64_t kExperts = 4;

Json config_of(const std::string& type, const std::string& head) {
  Json config = test::tiny_llama_config();
  config["model_type"] = type, config["architectures"] = {head};
  config["num_local_experts"] = kExperts, config["num_experts_per_tok"] = 2, config["head_dim"] = 4;
  return config;
}

/// A Llama whose feed-forwards are the experts of Mixtral in their first form.
NamedTensors mixtral_tensors() {
  NamedTensors tensors;
  for (auto& [name, tensor] : test::tiny_llama_tensors()) {
    if (name.find(".mlp.") == std::string::npos) tensors[name] = tensor;
  }
  for (int64_t i = 0; i < test::kLlamaLayers; ++i) {
    const std::string block = "model.layers." + std::to_string(i) + ".block_sparse_moe.";
    tensors[block + "gate.weight"] = Tensor::allocate(DType::kF32, {kExperts, kLlamaWidth});
    for (int64_t e = 0; e < kExperts; ++e) {
      const std::string expert = block + "experts." + std::to_string(e) + ".";
      for (const char* name : {"w1.weight", "w3.weight"}) {
        tensors[expert + name] = Tensor::allocate(DType::kF32, {kLlamaInner, kLlamaWidth});
      }
      tensors[expert + "w2.weight"] = Tensor::allocate(DType::kF32, {kLlamaWidth, kLlamaInner});
    }
  }
  return tensors;
}

std::string refusal(const Json& config, const NamedTensors& tensors) {
  try {
    record_program(Config::from_json(config), Checkpoint::from_tensors(tensors), {.strict = true});
  } catch (const Error& error) {
    return std::string(error_code_name(error.code())) + ": " + error.message();
  }
  return "no error";
}

void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text << "\nexpected in it: " << part;
}

TEST(Experts, AreRecordedWithNothingLeftOver) {
  EXPECT_EQ(refusal(config_of("mixtral", "MixtralForCausalLM"), mixtral_tensors()), "no error");
}

TEST(Experts, CountsThatDoNotFitAreRefusedByName) {
  const Json config = config_of("mixtral", "MixtralForCausalLM");
  auto with = [&](const char* name, const Json& value) {
    Json changed = config;
    changed[name] = value;
    return refusal(changed, mixtral_tensors());
  };
  expect_part(with("num_local_experts", 0), "num_local_experts");
  expect_part(with("num_local_experts", -3), "num_local_experts");
  expect_part(with("num_local_experts", 1 << 30), "num_local_experts");
  expect_part(with("num_local_experts", 60000),
              "block_sparse_moe.gate.weight: 4 lines, expected one for each of 60000");
  expect_part(with("num_experts_per_tok", 5), "5 of 4 experts are to be chosen");
  expect_part(with("num_experts_per_tok", 0), "num_experts_per_tok");
}

TEST(Experts, AMissingExpertIsNamed) {
  NamedTensors tensors = mixtral_tensors();
  tensors.erase("model.layers.1.block_sparse_moe.experts.2.w3.weight");
  expect_part(refusal(config_of("mixtral", "MixtralForCausalLM"), tensors),
              "layers.1.block_sparse_moe.experts.2.w3.weight");
}

TEST(Experts, OneOfAnotherShapeIsRefused) {
  NamedTensors tensors = mixtral_tensors();
  tensors["model.layers.0.block_sparse_moe.experts.3.w2.weight"] = Tensor::allocate(DType::kF32, {kLlamaWidth, 23});
  expect_part(refusal(config_of("mixtral", "MixtralForCausalLM"), tensors),
              "layers.0.block_sparse_moe.experts: experts:");
}

TEST(Experts, BlocksOfMxfp4AreRefusedByName) {
  NamedTensors tensors = test::tiny_llama_tensors();
  for (int64_t i = 0; i < test::kLlamaLayers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    tensors[layer + "self_attn.sinks"] = Tensor::allocate(DType::kF32, {4});
    tensors[layer + "mlp.router.weight"] = Tensor::allocate(DType::kF32, {kExperts, kLlamaWidth});
    tensors[layer + "mlp.experts.gate_up_proj_blocks"] = Tensor::allocate(DType::kU8, {kExperts, 48, 1, 8});
  }
  const std::string text = refusal(config_of("gpt_oss", "GptOssForCausalLM"), tensors);
  expect_part(text, "model.layers.0.mlp.experts.gate_up_proj_blocks");
  expect_part(text, "MXFP4");
}

/// A config of DeepSeek's that has `experts` experts in `groups` groups, and a checkpoint up to its first router.
std::string deepseek_refusal(int64_t experts, int64_t groups, int64_t chosen_groups) {
  Json config = config_of("deepseek_v3", "DeepseekV3ForCausalLM");
  config.erase("num_local_experts"), config.erase("num_key_value_heads"), config.erase("head_dim");
  config["n_routed_experts"] = experts, config["n_group"] = groups, config["topk_group"] = chosen_groups;
  config["q_lora_rank"] = nullptr, config["first_k_dense_replace"] = 0;
  config["kv_lora_rank"] = 6, config["qk_nope_head_dim"] = 2, config["qk_rope_head_dim"] = 2, config["v_head_dim"] = 4;
  NamedTensors tensors = test::tiny_llama_tensors();
  const std::string layer = "model.layers.0.";
  auto add = [&](const std::string& name, const Dims& dims) {
    tensors[layer + name] = Tensor::allocate(DType::kF32, dims);
  };
  add("self_attn.kv_a_proj_with_mqa.weight", {8, kLlamaWidth});
  add("self_attn.kv_a_layernorm.weight", {6});
  add("self_attn.kv_b_proj.weight", {4 * 6, 6});
  add("mlp.gate.weight", {experts, kLlamaWidth});
  add("mlp.gate.e_score_correction_bias", {experts});
  return refusal(config, tensors);
}

TEST(Experts, GroupsThatDoNotDivideAreRefusedByName) {
  expect_part(deepseek_refusal(6, 4, 1), "model.layers.0.mlp: 6 experts in 4 groups");
  expect_part(deepseek_refusal(4, 4, 1), "4 experts in 4 groups");
  expect_part(deepseek_refusal(6, 3, 4), "4 of 3 groups");
  expect_part(deepseek_refusal(4, 2, 1), "experts.0.gate_proj.weight");  // the router is right, experts are missing
}

}  // namespace
}  // namespace gamut
