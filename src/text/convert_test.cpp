// Folders without tokenizer.json, and decoding as ids come.
#include <gtest/gtest.h>

#include <cstring>

#include "gamut/error.h"
#include "text/sentencepiece.h"
#include "text/stream_decoder.h"
#include "text/tokenizer_test_files.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

using Ids = std::vector<int64_t>;
using Words = std::vector<std::string>;

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

void expect_in(const std::string& part, const std::string& message) {
  EXPECT_NE(message.find(part), std::string::npos) << message;
}

/// Protobuf, as far as a test needs it.
std::string number(int field, uint64_t value) {
  std::string out;
  for (uint64_t part : {static_cast<uint64_t>(field) << 3, value}) {
    for (; part >= 128; part >>= 7) out += static_cast<char>(part | 128);
    out += static_cast<char>(part);
  }
  return out;
}
std::string content(int field, const std::string& bytes) {
  std::string out = number(field, bytes.size());
  out[0] = static_cast<char>(out[0] | 2);
  return out + bytes;
}
std::string piece(const std::string& text, float score, int type = 1) {
  char bits[4];
  std::memcpy(bits, &score, 4);
  return content(1, content(1, text) + "\x15" + std::string(bits, 4) + number(3, static_cast<uint64_t>(type)));
}
std::string small_model(int kind) {
  std::string model = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3);
  for (const char* text : {"▁", "a", "b", "▁a", "ab", "▁ab"}) model += piece(text, -1);
  return model + content(2, number(3, static_cast<uint64_t>(kind)));
}

TEST(SentencePiece, ReadsPiecesAndSettings) {
  const auto model = read_sentencepiece(small_model(2) + content(3, content(2, "map")) + content(77, "?"), "m");
  ASSERT_EQ(model.pieces.size(), 9u);
  EXPECT_EQ(model.pieces[3].text, "▁");
  EXPECT_EQ(model.pieces[3].score, -1);
  EXPECT_EQ(model.pieces[1].type, SentencePieceModel::PieceType::kControl);
  EXPECT_EQ(model.kind, SentencePieceModel::Kind::kBpe);
  EXPECT_EQ(model.char_map, "map");
  EXPECT_EQ(model.unk_piece, "<unk>");
}

TEST(SentencePiece, SaysWhereAFileIsWrong) {
  auto message = [](const std::string& bytes) { return message_of([&] { read_sentencepiece(bytes, "m"); }); };
  EXPECT_EQ(message(""), "m: a SentencePiece model without pieces");
  EXPECT_EQ(message("\x0a\x05"
                    "abc"),
            "m: no SentencePiece model: expected as many bytes as a length says at byte 2");
  EXPECT_EQ(message("\x0a\x03\x0a\x05x"),
            "m: no SentencePiece model: expected as many bytes as a length says at byte 4");
  expect_in("a number of at most 10 bytes", message(std::string("\x08") + std::string(10, '\xFF')));
  expect_in("a field of a known wire type at byte 1", message("\x0b"));
  expect_in("a field number", message(std::string(1, '\0')));
  expect_in("text in UTF-8", message(piece("\xFF", 0)));
}

TEST(SentencePiece, FollowsTheClass) {
  const TestFolder folder;
  folder.write("tokenizer.model", small_model(2));
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "LlamaTokenizer", "add_bos_token": true})");
  EXPECT_EQ(Tokenizer::open(folder.path()).encode("ab a").tokens, (Words{"<s>", "▁ab", "▁a"}));
  const TestFolder unigram;
  unigram.write("sentencepiece.bpe.model", small_model(1));
  unigram.write("config.json", R"({"model_type": "xlm-roberta"})");
  const Tokenizer tokenizer = Tokenizer::open(unigram.path());
  EXPECT_EQ(tokenizer.encode("ab").ids, (Ids{0, 9, 2}));
  EXPECT_EQ(tokenizer.token_to_id("<mask>"), 10);
}

TEST(VocabularyFiles, ReadsMergesAndSettings) {
  const TestFolder folder;
  folder.write("vocab.json", R"({"a": 0, "b": 1, "ab": 2, "Ġ": 3, "<|endoftext|>": 4})");
  folder.write("merges.txt", "#version: 0.2\na b\r\n");
  folder.write("config.json", R"({"model_type": "gpt2"})");
  folder.write("tokenizer_config.json", R"({"add_bos_token": true})");
  folder.write("special_tokens_map.json", R"({"bos_token": "<bos>", "additional_special_tokens": ["<x>"]})");
  const Tokenizer tokenizer = Tokenizer::open(folder.path());
  EXPECT_EQ(tokenizer.encode("ab<x> b").tokens, (Words{"<bos>", "ab", "<x>", "Ġ", "b"}));
  EXPECT_EQ(tokenizer.encode("ab<x> b").ids, (Ids{5, 2, 6, 3, 1}));
  EXPECT_EQ(tokenizer.decode(std::vector<int64_t>{5, 2, 3, 1}), "ab b");
}

TEST(VocabularyFiles, NamesWhatIsMissing) {
  const TestFolder folder;
  folder.write("config.json", R"({"model_type": "gpt2"})");
  auto open = [&] { Tokenizer::open(folder.path()); };
  expect_in("no tokenizer.json, and no vocab.json as class GPT2Tokenizer has it", message_of(open));
  folder.write("vocab.json", R"({"a": 0})");
  folder.write("merges.txt", "a\n");
  expect_in("merges.txt: line 1: \"a\", expected \"left right\"", message_of(open));
  folder.write("config.json", R"({"model_type": "flaubert"})");
  expect_in("tokenizer class \"FlaubertTokenizer\" is not supported", message_of(open));
}

TEST(VocabularyFiles, ReadsRanks) {
  const TestFolder folder;
  folder.write("tokenizer.model", "YQ== 0\nYg== 1\nYWI= 2\nIA== 3\n");
  folder.write(
      "tokenizer_config.json",
      R"({"tokenizer_class": "TokenizersBackend", "added_tokens_decoder": {"5": {"content": "<e>", "special": true}}})");
  const Tokenizer tokenizer = Tokenizer::open(folder.path());
  EXPECT_EQ(tokenizer.encode("ab b<e>").ids, (Ids{2, 3, 1, 5}));
  EXPECT_EQ(tokenizer.id_to_token(4), "<|reserved_token_4|>");
  folder.write("tokenizer.model", "YQ== 0\n\xFF\n");
  expect_in("invalid UTF-8 at byte 7", message_of([&] { Tokenizer::open(folder.path()); }));
  folder.write("tokenizer.model", "YQ== 0\nYg== x\n");
  expect_in("line 2: Yg== x, expected base64", message_of([&] { Tokenizer::open(folder.path()); }));
}

TEST(VocabularyFiles, ReadsTekken) {
  const TestFolder folder;
  folder.write("tekken.json", R"({"config": {"pattern": "\\w+|\\s", "default_num_special_tokens": 3},
    "special_tokens": [{"rank": 1, "token_str": "<s>"}, {"rank": 0, "token_str": "<unk>"}],
    "vocab": [{"token_bytes": "YQ=="}, {"token_bytes": "Yg=="}, {"token_bytes": "YWI="}]})");
  folder.write("config.json", R"({"model_type": "mistral"})");
  const Tokenizer tokenizer = Tokenizer::open(folder.path());
  EXPECT_EQ(tokenizer.encode("ab<s>").ids, (Ids{5, 1}));
  EXPECT_EQ(tokenizer.id_to_token(2), "<SPECIAL_2>");
}

TEST(VocabularyFiles, ReadsBytesCharactersAndLetters) {
  const TestFolder bytes;
  bytes.write("tokenizer_config.json", R"({"tokenizer_class": "ByT5Tokenizer"})");
  EXPECT_EQ(Tokenizer::open(bytes.path()).encode("aé").ids, (Ids{100, 198, 172, 1}));
  EXPECT_EQ(Tokenizer::open(bytes.path()).decode(std::vector<int64_t>{100, 198, 172, 198, 100}), "aéa");
  const TestFolder characters;
  characters.write("config.json", R"({"model_type": "canine"})");
  EXPECT_EQ(Tokenizer::open(characters.path()).encode("a中").ids, (Ids{0xE000, 'a', 0x4E2D, 0xE001}));
  const TestFolder letters;
  letters.write("config.json", R"({"model_type": "wav2vec2"})");
  letters.write("vocab.json", R"({"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4, "A": 5, "B": 6})");
  const Tokenizer tokenizer = Tokenizer::open(letters.path());
  EXPECT_EQ(tokenizer.encode("A B?").ids, (Ids{5, 4, 6, 3}));
  EXPECT_EQ(tokenizer.decode(std::vector<int64_t>{4, 5, 5, 0, 5, 4, 4, 6, 4}, false), "AA B");
}

/// Every way to take bytes and spaces apart, over tokens that meet them.
TEST(StreamDecoder, SaysTheSameAsDecodingAtOnce) {
  const std::vector<Decoder> decoders{{},
                                      {SimpleDecoder::kByteLevel},
                                      {WordPieceDecoder{}},
                                      {MetaspaceDecoder{}},
                                      {BpeDecoder{}},
                                      {CtcDecoder{}},
                                      {CtcDecoder{"<pad>", "|", false, " "}, TrimDecoder{}},
                                      {BytesDecoder{true}},
                                      {BytesDecoder{false}},
                                      {ReplaceDecoder{std::string("▁"), " "}, SimpleDecoder::kByteFallback,
                                       SimpleDecoder::kFuse, StripDecoder{" ", 1, 0}},
                                      {SimpleDecoder::kFuse, StripDecoder{"a", 2, 2}},
                                      {SimpleDecoder::kFuse, ReplaceDecoder{std::string("ab"), "c"}},
                                      {StripDecoder{"a", 1, 1}, SimpleDecoder::kByteLevel}};
  const std::vector<std::string> words{"a",      "##b", "▁a", "b</w>", "|",      "<pad>",  "ð",      "Ł",
                                       "ĺ",      "Ģ",   "é",  "Ã",     "©",      "<0xE4>", "<0xB8>", "<0xAD>",
                                       "<0xFF>", " ",   "aa", " .",    "\u2028", "\u0080", "中",     ""};
  uint32_t random = 1;
  for (size_t i = 0; i < 4000; ++i) {
    const Decoder& decoder = decoders[i % decoders.size()];
    std::vector<std::string_view> tokens;
    StreamDecoder stream(decoder);
    std::string text;
    for (random = random * 1664525 + 1013904223; random >> 28 != 0; random = random * 1664525 + 1013904223) {
      tokens.push_back(words[(random >> 8) % words.size()]);
      const std::string part = stream.push(tokens.back());
      ASSERT_EQ(valid_utf8_prefix(part), part.size());
      text += part;
    }
    ASSERT_EQ(text + stream.finish(), decode_tokens(decoder, tokens)) << "decoder " << i % decoders.size();
  }
}

TEST(StreamDecoder, WaitsForNoMoreThanACharacter) {
  const Decoder decoder{SimpleDecoder::kByteLevel};
  StreamDecoder stream(decoder);
  EXPECT_EQ(stream.push("ä"), "");
  EXPECT_EQ(stream.push("¸"), "");
  EXPECT_EQ(stream.push("Ńa"), "中a");
  EXPECT_EQ(stream.push("ÿ"), "\uFFFD");
  EXPECT_EQ(stream.push("ä"), "");
  EXPECT_EQ(stream.finish(), "\uFFFD");
}

}  // namespace
}  // namespace gamut::text
