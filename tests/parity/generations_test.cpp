// Checkpoint generations: the tensors of a case under other names that files have for them, with the buffers that older
// files hold besides, give the same results.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "models/architecture.h"
#include "parity/case.h"
#include "parity/compare.h"

namespace gamut::parity {
namespace {

struct Generation {
  const char* one;  // the case
  /// The beginning of names in the case, and what stands there instead.
  std::vector<std::pair<std::string, std::string>> beginnings;
  std::vector<std::string> buffers;
};

const Generation kGenerations[] = {
    {"gpt_neox/GPTNeoXForCausalLM_1",
     {{"embed_out.", "lm_head."}},
     {"gpt_neox.layers.0.attention.bias", "gpt_neox.layers.0.attention.masked_bias",
      "gpt_neox.layers.0.attention.rotary_emb.inv_freq"}},
    {"gpt_bigcode/GPTBigCodeForCausalLM_0", {}, {"transformer.h.0.attn.bias", "transformer.h.0.attn.masked_bias"}},
    {"opt/OPTForCausalLM_0", {{"model.decoder.", "decoder."}}, {}},
    {"opt/OPTModel_0", {{"decoder.", "model.decoder."}}, {}},
    {"phi/PhiForCausalLM_0", {}, {"model.layers.0.self_attn.rotary_emb.inv_freq"}},
    {"bloom/BloomForCausalLM_0", {{"transformer.", ""}}, {}},
    {"falcon/FalconForCausalLM_0", {}, {"transformer.h.0.self_attention.rotary_emb.inv_freq"}},
    {"mpt/MptForCausalLM_0", {{"transformer.", ""}}, {}},
    {"mistral3/Mistral3ForConditionalGeneration_1",
     {{"language_model.model.", "model.language_model."},
      {"language_model.lm_head.", "lm_head."},
      {"vision_tower.", "model.vision_tower."},
      {"multi_modal_projector.", "model.multi_modal_projector."}},
     {}},
};

std::string renamed(const std::string& name, const Generation& generation, size_t* changed) {
  for (const auto& [old_beginning, beginning] : generation.beginnings) {
    if (!name.starts_with(old_beginning)) continue;
    ++*changed;
    return beginning + name.substr(old_beginning.size());
  }
  return name;
}

TEST(Generations, GiveTheSameResults) {
  for (const Generation& generation : kGenerations) {
    SCOPED_TRACE(generation.one);
    Case one =
        load_case(std::filesystem::path(GAMUT_PARITY_FOLDER) / "cases" / (std::string(generation.one) + ".json"));
    NamedTensors tensors;
    size_t changed = 0;
    for (const TensorEntry& entry : one.checkpoint->entries()) {
      tensors[renamed(entry.name, generation, &changed)] = one.checkpoint->stored(entry.name).load();
    }
    EXPECT_EQ(changed == 0, generation.beginnings.empty());
    for (const std::string& buffer : generation.buffers) tensors[buffer] = Tensor::allocate(DType::kF32, {1, 1, 2, 2});
    one.checkpoint = std::make_shared<const Checkpoint>(Checkpoint::from_tensors(tensors));
    EXPECT_NO_THROW(record_program(one.config, *one.checkpoint, {.head = one.head, .strict = true}));
    EXPECT_TRUE(compare(one, {.backend = "reference"}).is_allowed());
  }
}

}  // namespace
}  // namespace gamut::parity
