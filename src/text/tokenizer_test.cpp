// Expectations are the answers of tokenizers 0.23 for the same files.
#include "gamut/tokenizer.h"

#include <gtest/gtest.h>

#include <chrono>

#include "gamut/error.h"
#include "text/tokenizer_test_files.h"

namespace gamut::text {
namespace {

using Ids = std::vector<int64_t>;
using Tokens = std::vector<std::string>;
using Ranges = std::vector<CharRange>;

Tokenizer open_with(const char* option, bool value) {
  nlohmann::json file = test_tokenizer_json();
  file["normalizer"][option] = value;
  return open_json(file);
}

std::vector<Ids> overflowing_ids(const Encoding& encoding) {
  std::vector<Ids> ids;
  for (const Encoding& part : encoding.overflowing) ids.push_back(part.ids);
  return ids;
}

EncodeOptions truncated(Truncation truncation) { return {.truncation = truncation}; }

TEST(Tokenizer, EncodesAText) {
  const Encoding e = open_json(test_tokenizer_json()).encode("Unaffable, HELLO wörld!");
  EXPECT_EQ(e.ids, (Ids{2, 5, 6, 7, 16, 8, 9, 18, 3}));
  EXPECT_EQ(e.tokens, (Tokens{"[CLS]", "un", "##aff", "##able", ",", "hello", "world", "!", "[SEP]"}));
  EXPECT_EQ(e.offsets, (Ranges{{0, 0}, {0, 2}, {2, 5}, {5, 9}, {9, 10}, {11, 16}, {17, 22}, {22, 23}, {0, 0}}));
  EXPECT_EQ(e.type_ids, Ids(9, 0));
  EXPECT_EQ(e.attention_mask, Ids(9, 1));
  EXPECT_EQ(e.special_tokens_mask, (Ids{1, 0, 0, 0, 0, 0, 0, 0, 1}));
}

TEST(Tokenizer, EncodesAPair) {
  const Tokenizer tokenizer = open_json(test_tokenizer_json());
  const Encoding e = tokenizer.encode("hello", "world !");
  EXPECT_EQ(e.ids, (Ids{2, 8, 3, 9, 18, 3}));
  EXPECT_EQ(e.offsets, (Ranges{{0, 0}, {0, 5}, {0, 0}, {0, 5}, {6, 7}, {0, 0}}));
  EXPECT_EQ(e.type_ids, (Ids{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(e.special_tokens_mask, (Ids{1, 0, 1, 0, 0, 1}));
  const Encoding plain = tokenizer.encode("hello", "b", {.add_special_tokens = false});
  EXPECT_EQ(plain.ids, (Ids{8, 20}));
  EXPECT_EQ(plain.type_ids, (Ids{0, 1}));
}

TEST(Tokenizer, EncodesNothing) {
  const Tokenizer tokenizer = open_json(test_tokenizer_json());
  EXPECT_EQ(tokenizer.encode("").ids, (Ids{2, 3}));
  EXPECT_EQ(tokenizer.encode(" \u0301").ids, (Ids{2, 3}));
}

TEST(Tokenizer, KeepsOffsetsThroughNormalization) {
  const std::string text = std::string("cafe\u0301 CAFÉ 中文\u3000İstanbul") + '\0' + "s 한";
  const Encoding e = open_json(test_tokenizer_json()).encode(text);
  EXPECT_EQ(e.ids, (Ids{2, 10, 10, 14, 15, 24, 25, 23, 33, 34, 35, 3}));
  EXPECT_EQ(e.offsets, (Ranges{{0, 0},
                               {0, 4},
                               {6, 10},
                               {11, 12},
                               {12, 13},
                               {14, 15},
                               {15, 22},
                               {23, 24},
                               {25, 26},
                               {25, 26},
                               {25, 26},
                               {0, 0}}));
}

TEST(Tokenizer, FindsAddedTokens) {
  const Tokenizer tokenizer = open_json(test_tokenizer_json());
  const Encoding mask = tokenizer.encode("a [MASK] b");
  EXPECT_EQ(mask.tokens, (Tokens{"[CLS]", "a", " [MASK]", "b", "[SEP]"}));
  EXPECT_EQ(mask.offsets, (Ranges{{0, 0}, {0, 1}, {1, 8}, {9, 10}, {0, 0}}));
  const Encoding more = tokenizer.encode("a  TÖK  b xword word");
  EXPECT_EQ(more.ids, (Ids{2, 19, 36, 20, 1, 37, 3}));
  EXPECT_EQ(more.tokens, (Tokens{"[CLS]", "a", "  tok  ", "b", "[UNK]", "word", "[SEP]"}));
  EXPECT_EQ(more.offsets, (Ranges{{0, 0}, {0, 1}, {1, 8}, {8, 9}, {10, 15}, {16, 20}, {0, 0}}));
}

TEST(Tokenizer, AppliesTheNormalizerOptions) {
  EXPECT_EQ(open_with("lowercase", false).encode("Hello CAFÉ café İ").ids, (Ids{2, 26, 1, 11, 13, 1, 3}));
  EXPECT_EQ(open_with("strip_accents", false).encode("Hello Café İstanbul").ids, (Ids{2, 8, 11, 13, 1, 3}));
  EXPECT_EQ(open_with("handle_chinese_chars", false).encode("中文").ids, (Ids{2, 1, 3}));
  const Encoding unclean = open_with("clean_text", false).encode(std::string("a\0b\u00a0c", 6));
  EXPECT_EQ(unclean.ids, (Ids{2, 1, 21, 3}));
  EXPECT_EQ(unclean.offsets, (Ranges{{0, 0}, {0, 3}, {4, 5}, {0, 0}}));
}

TEST(Tokenizer, AppliesSequences) {
  nlohmann::json file = test_tokenizer_json();
  nlohmann::json clean = file["normalizer"];
  clean["lowercase"] = false;
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", {clean, file["normalizer"]}}};
  file["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {file["pre_tokenizer"], file["pre_tokenizer"]}}};
  const Encoding e = open_json(file).encode("cafe\u0301, CAFÉ 中 한");
  EXPECT_EQ(e.ids, (Ids{2, 10, 16, 10, 14, 33, 34, 35, 3}));
  EXPECT_EQ(e.offsets, (Ranges{{0, 0}, {0, 4}, {5, 6}, {7, 11}, {12, 13}, {14, 15}, {14, 15}, {14, 15}, {0, 0}}));
}

TEST(Tokenizer, TakesTheWholeTextAsAWordWithoutPreTokenizer) {
  nlohmann::json file = test_tokenizer_json();
  file["pre_tokenizer"] = file["normalizer"] = nullptr;
  EXPECT_EQ(open_json(file).encode("hello", {.add_special_tokens = false}).ids, (Ids{8}));
  EXPECT_EQ(open_json(file).encode("a b", {.add_special_tokens = false}).ids, (Ids{1}));
}

TEST(Tokenizer, GivesUpOnLongWords) {
  const Tokenizer tokenizer = open_json(test_tokenizer_json());
  const Encoding e = tokenizer.encode(std::string(101, 'a') + " b");
  EXPECT_EQ(e.ids, (Ids{2, 1, 20, 3}));
  EXPECT_EQ(e.offsets, (Ranges{{0, 0}, {0, 101}, {102, 103}, {0, 0}}));
}

TEST(Tokenizer, ReplacesInvalidUtf8) {
  const Tokenizer tokenizer = open_with("clean_text", false);
  // Four maximal invalid parts: a lone tail, a cut character, a surrogate's lead and its two tails count each.
  const Encoding e = tokenizer.encode("a \x80 \xE4\xB8 b");
  EXPECT_EQ(e.ids, (Ids{2, 19, 1, 1, 20, 3}));
  EXPECT_EQ(e.offsets, (Ranges{{0, 0}, {0, 1}, {2, 3}, {4, 5}, {6, 7}, {0, 0}}));
}

TEST(Tokenizer, Decodes) {
  const Tokenizer tokenizer = open_json(test_tokenizer_json());
  EXPECT_EQ(tokenizer.decode(Ids{2, 8, 9, 18, 3}), "hello world!");
  EXPECT_EQ(tokenizer.decode(Ids{2, 8, 9, 18, 3}, false), "[CLS] hello world! [SEP]");
  EXPECT_EQ(tokenizer.decode(Ids{5, 6, 7, 16, 25, 26, 27, 28}), "unaffable,stanbul Hello ' s");
  EXPECT_EQ(tokenizer.decode(Ids{29, 30, 8, 99, -1, 1}, false), "do not hello [UNK]");
  EXPECT_EQ(tokenizer.decode(Ids{36}), "tok");
  EXPECT_EQ(tokenizer.decode(Ids{}), "");
}

TEST(Tokenizer, KnowsItsVocabulary) {
  const Tokenizer tokenizer = open_json(test_tokenizer_json());
  EXPECT_EQ(tokenizer.vocab_size(), 38u);
  EXPECT_EQ(tokenizer.token_to_id("Tök"), 36);
  EXPECT_EQ(tokenizer.token_to_id("tok"), std::nullopt);
  EXPECT_EQ(tokenizer.token_to_id("##ᆫ"), 35);
  EXPECT_EQ(tokenizer.id_to_token(35), "##ᆫ");
  EXPECT_EQ(tokenizer.id_to_token(38), std::nullopt);
  EXPECT_EQ(tokenizer.special_token_ids().cls, 2);
  EXPECT_EQ(tokenizer.special_token_ids().pad, 0);
  EXPECT_EQ(tokenizer.special_token_ids().unk, 1);
}

TEST(Tokenizer, TruncatesAText) {
  const Tokenizer tokenizer = open_json(test_tokenizer_json());
  Encoding e = tokenizer.encode("a b c d", truncated({.max_length = 4}));
  EXPECT_EQ(e.ids, (Ids{2, 19, 20, 3}));
  EXPECT_EQ(overflowing_ids(e), (std::vector<Ids>{{2, 21, 22, 3}}));
  EXPECT_EQ(e.overflowing[0].offsets, (Ranges{{0, 0}, {4, 5}, {6, 7}, {0, 0}}));
  e = tokenizer.encode("a b c d", truncated({.max_length = 5, .stride = 1, .direction = TextSide::kLeft}));
  EXPECT_EQ(e.ids, (Ids{2, 20, 21, 22, 3}));
  EXPECT_EQ(overflowing_ids(e), (std::vector<Ids>{{2, 19, 20, 3}}));
  e = tokenizer.encode("a b c d", truncated({.max_length = 2}));
  EXPECT_EQ(e.ids, (Ids{2, 3}));
  EXPECT_EQ(overflowing_ids(e), (std::vector<Ids>{{2, 19, 20, 21, 22, 3}}));
  EXPECT_EQ(tokenizer.encode("a b c d", truncated({.max_length = 1})).ids, (Ids{2, 19, 20, 21, 22, 3}));
}

TEST(Tokenizer, TruncatesAPair) {
  const Tokenizer tokenizer = open_json(test_tokenizer_json());
  Encoding e = tokenizer.encode("a b c d", "a b", truncated({.max_length = 6}));
  EXPECT_EQ(e.ids, (Ids{2, 19, 20, 3, 19, 3}));
  EXPECT_EQ(overflowing_ids(e),
            (std::vector<Ids>{{2, 21, 22, 3, 19, 3}, {2, 21, 22, 3, 20, 3}, {2, 19, 20, 3, 20, 3}}));
  const auto only_first = TruncationStrategy::kOnlyFirst;
  e = tokenizer.encode("a b c d", "a b", truncated({.max_length = 7, .strategy = only_first, .stride = 1}));
  EXPECT_EQ(e.ids, (Ids{2, 19, 20, 3, 19, 20, 3}));
  EXPECT_EQ(overflowing_ids(e), (std::vector<Ids>{{2, 20, 21, 3, 19, 20, 3}, {2, 21, 22, 3, 19, 20, 3}}));
  const auto only_second = TruncationStrategy::kOnlySecond;
  e = tokenizer.encode("a b", "a b c d", truncated({.max_length = 6, .strategy = only_second}));
  EXPECT_EQ(e.ids, (Ids{2, 19, 20, 3, 19, 3}));
  EXPECT_EQ(e.overflowing.size(), 3u);
}

TEST(Tokenizer, RefusesImpossibleTruncation) {
  const Tokenizer tokenizer = open_json(test_tokenizer_json());
  EXPECT_THROW(tokenizer.encode("a b c", truncated({.max_length = 4, .stride = 2})), Error);
  EXPECT_THROW(tokenizer.encode("a b c", truncated({.max_length = 4, .strategy = TruncationStrategy::kOnlySecond})),
               Error);
  EXPECT_THROW(
      tokenizer.encode("a", "a b c d", truncated({.max_length = 5, .strategy = TruncationStrategy::kOnlyFirst})),
      Error);
}

TEST(Tokenizer, Pads) {
  const Tokenizer tokenizer = open_json(test_tokenizer_json());
  Encoding e = tokenizer.encode("a b", {.padding = Padding{.length = 6, .direction = TextSide::kLeft}});
  EXPECT_EQ(e.ids, (Ids{0, 0, 2, 19, 20, 3}));
  EXPECT_EQ(e.special_tokens_mask, (Ids{1, 1, 1, 0, 0, 1}));
  EXPECT_EQ(e.attention_mask, (Ids{0, 0, 1, 1, 1, 1}));
  const Padding padding{.multiple_of = 4, .id = 7, .type_id = 1, .token = "<p>"};
  e = tokenizer.encode("a b c", {.padding = padding});
  EXPECT_EQ(e.tokens, (Tokens{"[CLS]", "a", "b", "c", "[SEP]", "<p>", "<p>", "<p>"}));
  EXPECT_EQ(e.type_ids, (Ids{0, 0, 0, 0, 0, 1, 1, 1}));
  const std::vector<TextInput> batch{{"a"}, {"a b c d"}};
  const auto encodings = tokenizer.encode_batch(batch, {.padding = padding}, 2);
  EXPECT_EQ(encodings[0].ids, (Ids{2, 19, 3, 7, 7, 7, 7, 7}));
  EXPECT_EQ(encodings[1].ids, (Ids{2, 19, 20, 21, 22, 3, 7, 7}));
}

/// A blank that takes the blanks behind it: each one of a run begins a token, and the tokens overlap.
nlohmann::json file_with_blank_token() {
  nlohmann::json file = test_tokenizer_json(), blank = file["added_tokens"][0];
  blank["content"] = " ", blank["rstrip"] = true;
  file["added_tokens"].push_back(blank);
  return file;
}

TEST(Tokenizer, BlanksThatAreTokensOverlap) {
  const Tokenizer tokenizer = open_json(file_with_blank_token());
  const int64_t blank = *tokenizer.token_to_id(" ");
  const Encoding e = tokenizer.encode("   a");
  EXPECT_EQ(std::vector<int64_t>(e.ids.begin() + 1, e.ids.begin() + 4), (Ids{blank, blank, blank}));
  EXPECT_EQ(e.offsets, (std::vector<CharRange>{{0, 0}, {0, 3}, {1, 3}, {2, 3}, {3, 4}, {0, 0}}));
}

TEST(Tokenizer, ManyOverlappingBlanksAreRefusedSoon) {
  const Tokenizer tokenizer = open_json(file_with_blank_token());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(tokenizer.encode(std::string(1 << 13, ' ')).ids.size(), size_t{1 << 13} + 2);
  try {
    tokenizer.encode(std::string(1 << 20, ' '));
    FAIL() << "512 GiB of overlapping tokens";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResourceLimit) << error.message();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(Tokenizer, PadsNothingToIdsOnly) {
  const Tokenizer tokenizer = open_json(test_tokenizer_json());
  const Encoding e =
      tokenizer.encode("", {.add_special_tokens = false, .ids_only = true, .padding = Padding{.length = 3}});
  EXPECT_EQ(e.ids, (Ids{0, 0, 0}));
  EXPECT_TRUE(e.tokens.empty());
  EXPECT_TRUE(e.offsets.empty());
}

TEST(Tokenizer, RefusesSizesThatNoMemoryHolds) {
  const Tokenizer tokenizer = open_json(test_tokenizer_json());
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "a ";
  auto refusal = [&](const EncodeOptions& options) {
    try {
      tokenizer.encode(text, options);
    } catch (const Error& error) {
      return std::string(error_code_name(error.code())) + " " + error.message();
    }
    return std::string();
  };
  for (const size_t size : {size_t{1} << 26, size_t{1} << 40, SIZE_MAX - 1, SIZE_MAX}) {
    EXPECT_NE(refusal({.padding = Padding{.length = size}}).find("resource_limit padding: 1 encodings"),
              std::string::npos);
    EXPECT_NE(refusal({.padding = Padding{.multiple_of = size}}).find("resource_limit padding: "), std::string::npos);
  }
  // 9,000 windows of 11,000 tokens that share all but one with the next.
  const std::string windows = refusal({.truncation = Truncation{.max_length = 11002, .stride = 10999}});
  EXPECT_NE(windows.find("resource_limit truncation: 9000 overflowing encodings of"), std::string::npos) << windows;
}

TEST(Tokenizer, EncodesBatchesOnThreads) {
  const Tokenizer tokenizer = open_json(test_tokenizer_json());
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back(i % 3 == 0 ? "hello" : std::string(static_cast<size_t>(i % 7), '.'));
  std::vector<TextInput> inputs(texts.begin(), texts.end());
  const auto encodings = tokenizer.encode_batch(inputs, {.ids_only = true}, 4);
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(encodings[i].ids, tokenizer.encode(texts[i]).ids);
    EXPECT_TRUE(encodings[i].tokens.empty() && encodings[i].offsets.empty());
  }
}

}  // namespace
}  // namespace gamut::text
