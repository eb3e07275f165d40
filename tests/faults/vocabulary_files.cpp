#include "faults/vocabulary_files.h"

#include <cstring>
#include <fstream>

namespace gamut::faults {
namespace {

/// Protobuf, as far as a SentencePiece model needs it.
std::string number(int field, uint64_t value) {
  return {static_cast<char>(field << 3), static_cast<char>(value)};  // both below 128
}
std::string content(int field, const std::string& bytes) {
  std::string out = number(field, bytes.size());
  out[0] = static_cast<char>(out[0] | 2);
  return out + bytes;
}
std::string piece(const std::string& text, float score, uint64_t type) {
  char bits[sizeof(score)];
  std::memcpy(bits, &score, sizeof(bits));
  return content(1, content(1, text) + "\x15" + std::string(bits, sizeof(bits)) + number(3, type));
}

std::string sentencepiece(uint64_t kind) {
  constexpr uint64_t kNormal = 1, kUnknown = 2, kControl = 3;
  std::string model = piece("<unk>", 0, kUnknown) + piece("<s>", 0, kControl) + piece("</s>", 0, kControl);
  float score = 0;
  for (const char* text : {"▁", "a", "b", "▁a", "ab", "▁ab"}) model += piece(text, --score, kNormal);
  return model + content(2, number(3, kind));
}

constexpr const char* kJson =
    R"({"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]},
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "\\w+|\\s"}, "behavior": "Isolated",
                    "invert": false}, {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]},
  "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}],
                     "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {}},
  "added_tokens": [{"id": 4, "content": "<x>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
  "decoder": {"type": "ByteLevel"},
  "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "\u0120": 3, "<x>": 4}, "merges": ["a b"]}})";

}  // namespace

const std::vector<VocabularyFile>& vocabulary_files() {
  static const char* const kLlama = R"({"tokenizer_class": "LlamaTokenizer", "add_bos_token": true})";
  static const char* const kListed =
      R"({"tokenizer_class": "T5Tokenizer", "extra_ids": 2, "additional_special_tokens": ["<extra_id_0>", "<extra_id_1>"],
          "added_tokens_decoder": {"1": {"content": "<s>", "special": true, "lstrip": true}}})";
  static const std::vector<VocabularyFile> kAll{
      {"sentencepiece-bpe", {{"tokenizer_config.json", kLlama}, {"tokenizer.model", sentencepiece(2)}}},
      {"sentencepiece-unigram", {{"tokenizer_config.json", kListed}, {"spiece.model", sentencepiece(1)}}},
      {"ranks",
       {{"tokenizer_config.json", R"({"tokenizer_class": "TokenizersBackend", "extra_special_tokens": ["<|a|>"]})"},
        {"tokenizer.model", "YQ== 0\nYg== 1\nIA== 2\nYWI= 3\n"}}},
      {"merges",
       {{"config.json", R"({"model_type": "roberta"})"},
        {"special_tokens_map.json",
         R"({"mask_token": {"content": "<m>", "lstrip": true}, "additional_special_tokens": ["<y>"]})"},
        {"added_tokens.json", R"({"<m>": 8, "<y>": 9})"},
        {"vocab.json", R"({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5, "ab": 6, "\u0120": 7})"},
        {"merges.txt", "#version: 0.2\na b\n"}}},
      {"lines",
       {{"config.json", R"({"model_type": "mpnet"})"}, {"vocab.txt", "<s>\n<pad>\n</s>\n[UNK]\na\nb\n##b\n<mask>\n"}}},
      {"letters",
       {{"config.json", R"({"model_type": "wav2vec2"})"},
        {"vocab.json", R"({"<pad>": 0, "<unk>": 1, "|": 2, "a": 3, "b": 4})"}}},
      {"json", {{"tokenizer.json", kJson}, {"tokenizer_config.json", R"({"pad_token": {"content": "<x>"}})"}}},
  };
  return kAll;
}

void write_vocabulary(const std::filesystem::path& folder, const VocabularyFile& kind) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, text] : kind.files) std::ofstream(folder / name, std::ios::binary) << text;
}

}  // namespace gamut::faults
