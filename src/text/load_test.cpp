// Expectations are the answers of tokenizers 0.23 and transformers 5 for the same files.
#include "text/load.h"

#include <gtest/gtest.h>

#include "gamut/error.h"
#include "text/tokenizer_test_files.h"

namespace gamut::text {
namespace {

using Ids = std::vector<int64_t>;

std::string test_vocabulary() {
  std::string text;
  for (const char* token : kTestVocabulary) text += std::string(token) + "\n";
  return text;
}

/// The message of the error that opening gives, or "".
std::string failure(const nlohmann::json& file) {
  try {
    open_json(file);
  } catch (const Error& error) {
    return std::string(error_code_name(error.code())) + " " + error.message();
  }
  return "";
}

nlohmann::json with(const char* component, nlohmann::json value) {
  nlohmann::json file = test_tokenizer_json();
  file[component] = std::move(value);
  return file;
}

TEST(LoadVocabulary, IsBertsDefaultWithoutConfig) {
  const TestFolder folder;
  folder.write("vocab.txt", test_vocabulary());
  folder.write("tokenizer_config.json", R"({"do_lower_case": true})");
  const Tokenizer tokenizer = Tokenizer::open(folder.path());
  const Encoding e = tokenizer.encode("HELLO wörld [MASK]", "a");
  EXPECT_EQ(e.ids, (Ids{2, 8, 9, 4, 3, 19, 3}));
  EXPECT_EQ(e.type_ids, (Ids{0, 0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(tokenizer.decode(e.ids), "hello world a");
  EXPECT_EQ(tokenizer.vocab_size(), 36u);
  EXPECT_EQ(tokenizer.special_token_ids().mask, 4);
}

TEST(LoadVocabulary, TakesTheCaseFromTheVocabularyWhenNothingSaysIt) {
  const TestFolder cased, uncased;
  cased.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nParis\nparis\ncaf\u00e9\n");
  uncased.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nparis\ncafe\n");
  EXPECT_EQ(Tokenizer::open(cased.path()).encode("Paris paris caf\u00e9").ids, (Ids{2, 5, 6, 7, 3}));
  EXPECT_EQ(Tokenizer::open(uncased.path()).encode("Paris paris Caf\u00e9").ids, (Ids{2, 5, 5, 6, 3}));
}

TEST(LoadVocabulary, HonoursTheConfig) {
  const TestFolder folder;
  folder.write("vocab.txt", test_vocabulary());
  folder.write("tokenizer_config.json", R"({"do_lower_case": false, "tokenize_chinese_chars": false,
    "mask_token": {"content": "[MASK]", "lstrip": true, "rstrip": false, "single_word": false, "normalized": false},
    "cls_token": "<cls>"})");
  folder.write("added_tokens.json", R"({"<new>": 99, "<newer>": 98})");
  const Tokenizer tokenizer = Tokenizer::open(folder.path());
  // Added tokens are numbered in the order of their ids, roles that the vocabulary lacks after them.
  EXPECT_EQ(tokenizer.token_to_id("<newer>"), 36);
  EXPECT_EQ(tokenizer.token_to_id("<new>"), 37);
  EXPECT_EQ(tokenizer.special_token_ids().cls, 38);
  const Encoding e = tokenizer.encode("Hello café 中文 [MASK]");
  EXPECT_EQ(e.ids, (Ids{38, 26, 11, 13, 1, 4, 3}));
  EXPECT_EQ(e.offsets[5], (CharRange{13, 20}));
}

TEST(LoadVocabulary, HonoursTheSpecialTokensMap) {
  const TestFolder folder;
  folder.write("vocab.txt", test_vocabulary());
  folder.write("special_tokens_map.json", R"({"sep_token": "!", "unk_token": {"content": "."}})");
  const Tokenizer tokenizer = Tokenizer::open(folder.path());
  EXPECT_EQ(tokenizer.encode("a zzz").ids, (Ids{2, 19, 17, 18}));
}

TEST(LoadVocabulary, ReadsLinesAsTheOracle) {
  const TestFolder folder;
  folder.write("vocab.txt", "[UNK]\r\nfoo \nbar\u00a0\n\nbaz\nbaz\n  lead\n[CLS]\n[SEP]\n[PAD]\n[MASK]");
  const Tokenizer tokenizer = Tokenizer::open(folder.path());
  EXPECT_EQ(tokenizer.token_to_id("foo"), 1);
  EXPECT_EQ(tokenizer.token_to_id("bar"), 2);
  EXPECT_EQ(tokenizer.token_to_id("baz"), 5);
  EXPECT_EQ(tokenizer.id_to_token(4), std::nullopt);
  EXPECT_EQ(tokenizer.token_to_id("  lead"), 6);
  EXPECT_EQ(tokenizer.vocab_size(), 10u);
}

TEST(LoadVocabulary, RefusesBadFiles) {
  const TestFolder folder;
  EXPECT_THROW(Tokenizer::open(folder.path()), Error);
  folder.write("vocab.txt", "a\n\xff\n");
  EXPECT_THROW(Tokenizer::open(folder.path()), Error);
  folder.write("vocab.txt", "");
  EXPECT_THROW(Tokenizer::open(folder.path()), Error);
}

TEST(LoadJson, NamesUnsupportedComponents) {
  EXPECT_NE(failure(with("normalizer", {{"type", "Other"}})).find("normalizer \"Other\" is not supported"),
            std::string::npos);
  EXPECT_NE(failure(with("pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {{{"type", "Other"}}}}}))
                .find("pre_tokenizer.pretokenizers[0]: pre-tokenizer \"Other\" is not supported"),
            std::string::npos);
  for (const char* part : {"model", "post_processor", "decoder"}) {
    EXPECT_EQ(failure(with(part, {{"type", "Other"}})).substr(0, 12), "unsupported ") << part;
  }
}

TEST(LoadJson, RefusesWrongFields) {
  nlohmann::json file = test_tokenizer_json();
  file["model"]["vocab"]["zzz"] = 4000000000;
  EXPECT_NE(failure(file).find("token \"zzz\" has id 4000000000"), std::string::npos) << failure(file);
  file = test_tokenizer_json();
  file["model"].erase("unk_token");
  EXPECT_NE(failure(file).find("model.unk_token: null, expected a string"), std::string::npos) << failure(file);
  file = test_tokenizer_json();
  file["post_processor"]["special_tokens"].erase("[SEP]");
  EXPECT_NE(failure(file).find("special_tokens.[SEP]"), std::string::npos) << failure(file);
  file = test_tokenizer_json();
  file["added_tokens"][0]["special"] = "yes";
  EXPECT_NE(failure(file).find("added_tokens[0].special"), std::string::npos) << failure(file);
  EXPECT_EQ(failure(nlohmann::json::array()).substr(0, 13), "invalid_file ");
}

TEST(LoadJson, ReadsBertProcessing) {
  const Tokenizer tokenizer =
      open_json(with("post_processor", {{"type", "BertProcessing"}, {"sep", {"[SEP]", 3}}, {"cls", {"[CLS]", 2}}}));
  const Encoding e = tokenizer.encode("a", "b");
  EXPECT_EQ(e.ids, (Ids{2, 19, 3, 20, 3}));
  EXPECT_EQ(e.type_ids, (Ids{0, 0, 0, 1, 1}));
}

TEST(LoadJson, ReadsAnyTemplate) {
  nlohmann::json file = test_tokenizer_json();
  file["post_processor"] = nlohmann::json::parse(R"({"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "x", "type_id": 5}}, {"Sequence": {"id": "A", "type_id": 3}}],
    "pair": [{"Sequence": {"id": "B", "type_id": 1}}, {"Sequence": {"id": "A", "type_id": 2}},
             {"Sequence": {"id": "A", "type_id": 4}}],
    "special_tokens": {"x": {"id": "x", "ids": [1, 2], "tokens": ["p", "q"]}}})");
  const Tokenizer tokenizer = open_json(file);
  EXPECT_EQ(tokenizer.encode("a").tokens, (std::vector<std::string>{"p", "q", "a"}));
  EXPECT_EQ(tokenizer.encode("a").type_ids, (Ids{5, 5, 3}));
  EXPECT_EQ(tokenizer.encode("a", "b").ids, (Ids{20, 19, 19}));
  EXPECT_EQ(tokenizer.encode("a", "b").type_ids, (Ids{1, 2, 4}));
}

TEST(LoadJson, ExposesTruncationAndPaddingWithoutApplyingThem) {
  nlohmann::json file = with("truncation", {{"max_length", 3}, {"strategy", "OnlyFirst"}, {"stride", 0}});
  file["padding"] = {
      {"strategy", {{"Fixed", 8}}}, {"direction", "Left"}, {"pad_to_multiple_of", nullptr}, {"pad_id", 0},
      {"pad_type_id", 1},           {"pad_token", "[PAD]"}};
  const Tokenizer tokenizer = open_json(file);
  EXPECT_EQ(tokenizer.encode("a b c").ids.size(), 5u);
  EXPECT_EQ(tokenizer.file_truncation()->max_length, 3u);
  EXPECT_EQ(tokenizer.file_truncation()->strategy, TruncationStrategy::kOnlyFirst);
  EXPECT_EQ(tokenizer.file_padding()->length, 8u);
  EXPECT_EQ(tokenizer.file_padding()->direction, TextSide::kLeft);
  EXPECT_EQ(tokenizer.file_padding()->type_id, 1);
}

}  // namespace
}  // namespace gamut::text
