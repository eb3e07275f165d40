// For tests: a BERT of a few thousand parameters with weights made from their names, in memory or as a folder.
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

constexpr int64_t kTinyWidth = 16, kTinyHeads = 2, kTinyLayers = 2, kTinyInner = 24, kTinyPositions = 32;

/// Tokens of the vocabulary; the line is the id.
inline const char* const kTinyVocabulary[] = {"[PAD]",   "[UNK]", "[CLS]",  "[SEP]", "[MASK]", "paris", "is",  "the",
                                              "capital", "of",    "france", ".",     "a",      "cat",   "sat", "##s",
                                              "on",      "mat",   "dog",    "hello", "world",  "city"};
constexpr int64_t kTinyVocabularySize = std::size(kTinyVocabulary);

inline Json tiny_bert_config(const std::string& head = "BertModel") {
  return {{"model_type", "bert"},
          {"architectures", {head}},
          {"hidden_size", kTinyWidth},
          {"num_attention_heads", kTinyHeads},
          {"num_hidden_layers", kTinyLayers},
          {"intermediate_size", kTinyInner},
          {"max_position_embeddings", kTinyPositions},
          {"type_vocab_size", 2},
          {"vocab_size", kTinyVocabularySize}};
}

/// The tensors that transformers saves for `head`, the base model's under `prefix`.
inline NamedTensors tiny_bert_tensors(const std::string& head = "BertModel", const std::string& prefix = "bert.") {
  NamedTensors tensors;
  auto add = [&](const std::string& name, const Dims& dims) {
    const bool is_norm = name.ends_with("LayerNorm.weight");
    tensors[name] = seeded_tensor(name, dims, 7, is_norm ? 0.1 : 0.4, is_norm ? 1 : 0);
  };
  auto linear = [&](const std::string& name, int64_t out, int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  };
  auto norm = [&](const std::string& name) {
    add(name + ".weight", {kTinyWidth});
    add(name + ".bias", {kTinyWidth});
  };
  add(prefix + "embeddings.word_embeddings.weight", {kTinyVocabularySize, kTinyWidth});
  add(prefix + "embeddings.position_embeddings.weight", {kTinyPositions, kTinyWidth});
  add(prefix + "embeddings.token_type_embeddings.weight", {2, kTinyWidth});
  norm(prefix + "embeddings.LayerNorm");
  for (int64_t i = 0; i < kTinyLayers; ++i) {
    const std::string layer = prefix + "encoder.layer." + std::to_string(i) + ".";
    for (const char* name : {"attention.self.query", "attention.self.key", "attention.self.value"}) {
      linear(layer + name, kTinyWidth, kTinyWidth);
    }
    linear(layer + "attention.output.dense", kTinyWidth, kTinyWidth);
    norm(layer + "attention.output.LayerNorm");
    linear(layer + "intermediate.dense", kTinyInner, kTinyWidth);
    linear(layer + "output.dense", kTinyWidth, kTinyInner);
    norm(layer + "output.LayerNorm");
  }
  if (head == "BertModel" || head == "BertForSequenceClassification") {
    linear(prefix + "pooler.dense", kTinyWidth, kTinyWidth);
  }
  if (head == "BertForMaskedLM") {
    linear("cls.predictions.transform.dense", kTinyWidth, kTinyWidth);
    norm("cls.predictions.transform.LayerNorm");
    add("cls.predictions.bias", {kTinyVocabularySize});
  }
  if (head == "BertForSequenceClassification" || head == "BertForTokenClassification")
    linear("classifier", 3, kTinyWidth);
  if (head == "BertForQuestionAnswering") linear("qa_outputs", 2, kTinyWidth);
  return tensors;
}

inline std::shared_ptr<const Checkpoint> tiny_bert(const std::string& head = "BertModel") {
  return std::make_shared<const Checkpoint>(Checkpoint::from_tensors(tiny_bert_tensors(head)));
}

/// Writes config.json, model.safetensors and vocab.txt into `folder`, which exists.
inline void write_tiny_bert(const std::filesystem::path& folder, const std::string& head = "BertModel") {
  std::ofstream(folder / "config.json") << tiny_bert_config(head).dump(2);
  std::ofstream vocabulary(folder / "vocab.txt");
  for (const char* token : kTinyVocabulary) vocabulary << token << "\n";
  write_safetensors(folder / "model.safetensors", tiny_bert_tensors(head));
}

}  // namespace gamut::test
