// For tests: model folders with small tokenizer files of their own.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "gamut/tokenizer.h"

namespace gamut::text {

/// A folder that exists as long as the object.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "gamut-text-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
  }

 private:
  std::filesystem::path path_;
};

/// Lines of the test vocabulary; the line number is the id.
inline const char* const kTestVocabulary[] = {
    "[PAD]", "[UNK]",     "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "hello", "world", "cafe", "caf",
    "##e",   "##é",       "中",    "文",    ",",      ".",  "!",     "a",      "b",     "c",     "d",    "##s",
    "i",     "##stanbul", "Hello", "'",     "s",      "do", "not",   "n",      "##t",   "ᄒ",    "##ᅡ", "##ᆫ"};

/// A tokenizer.json over the test vocabulary: BERT's five special tokens ([MASK] with lstrip), "Tök" as a normalized
/// token that strips both sides, "word" as a single word.
inline nlohmann::json test_tokenizer_json() {
  auto added = [](int id, const char* content, bool special) {
    return nlohmann::json{{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
                          {"rstrip", false}, {"normalized", false}, {"special", special}};
  };
  nlohmann::json file = nlohmann::json::parse(R"({
    "version": "1.0", "truncation": null, "padding": null,
    "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
                   "lowercase": true},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                 {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
      "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
      "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                         "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 100, "vocab": {}}})");
  int id = 0;
  for (const char* token : kTestVocabulary) file["model"]["vocab"][token] = id++;
  for (int i = 0; i < 5; ++i) file["added_tokens"].push_back(added(i, kTestVocabulary[i], true));
  file["added_tokens"][4]["lstrip"] = true;
  nlohmann::json stripping = added(40, "Tök", false);
  stripping["lstrip"] = stripping["rstrip"] = stripping["normalized"] = true;
  nlohmann::json single = added(41, "word", false);
  single["single_word"] = true;
  file["added_tokens"].push_back(stripping);
  file["added_tokens"].push_back(single);
  return file;
}

/// Opens a tokenizer from the text of its tokenizer.json.
inline Tokenizer open_json(const nlohmann::json& file) {
  const TestFolder folder;
  folder.write("tokenizer.json", file.dump());
  return Tokenizer::open(folder.path());
}

}  // namespace gamut::text
