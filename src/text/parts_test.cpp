// The parts of a tokenizer alone: UTF-8, character tables, normalizer, trie, decoder.
#include <gtest/gtest.h>

#include <random>

#include <algorithm>
#include <chrono>

#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/trie.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

std::string repaired(std::string_view text) {
  std::string storage;
  return std::string(repair_utf8(text, &storage));
}

std::string normalized(BertNormalizer options, std::string_view text) {
  NormalizerScratch scratch;
  AlignedText out;
  normalize({options}, {text}, scratch, out);
  return std::string(out.text());
}

TEST(Utf8, RepairsMaximalInvalidParts) {
  EXPECT_EQ(repaired("plain ascii, é, 中, 😀"), "plain ascii, é, 中, 😀");
  EXPECT_EQ(repaired("\xC0\x80|\xED\xA0\x80|\xF4\x90\x80\x80"),
            "\uFFFD\uFFFD|\uFFFD\uFFFD\uFFFD|\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(repaired("a\xE4\xB8|\xF0\x9F\x98|\xE4"), "a\uFFFD|\uFFFD|\uFFFD");
  EXPECT_EQ(repaired("\xFF"), "\uFFFD");
}

/// The table of well-formed sequences of the Unicode standard, byte by byte.
size_t valid_length(std::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0u; };
  auto in = [](uint32_t b, uint32_t low, uint32_t high) { return low <= b && b <= high; };
  for (size_t i = 0;;) {
    if (i >= text.size()) return i;
    const uint32_t a = byte(i), b = byte(i + 1);
    size_t length = 0;
    if (a < 0x80) length = 1;
    if (in(a, 0xC2, 0xDF) && in(b, 0x80, 0xBF)) length = 2;
    const bool third = in(byte(i + 2), 0x80, 0xBF);
    if (in(a, 0xE0, 0xEF) && in(b, a == 0xE0 ? 0xA0 : 0x80, a == 0xED ? 0x9F : 0xBF) && third) length = 3;
    const bool fourth = third && in(byte(i + 3), 0x80, 0xBF);
    if (in(a, 0xF0, 0xF4) && in(b, a == 0xF0 ? 0x90 : 0x80, a == 0xF4 ? 0x8F : 0xBF) && fourth) length = 4;
    if (length == 0) return i;
    i += length;
  }
}

TEST(Utf8, IsValidAsTheStandardSays) {
  static constexpr std::string_view kParts[] = {
      "a", "é", "中", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xE0\xA0\x80", "abcdefgh", "ĠĠĠĠ", "\xF4\x8F\xBF\xBF"};
  std::minstd_rand random(1);
  for (int round = 0; round < 200000; ++round) {
    std::string text;
    for (size_t i = random() % 12; i > 0; --i) text += kParts[random() % std::size(kParts)];
    for (size_t i = random() % 3; i > 0 && !text.empty(); --i) {
      static constexpr uint8_t kBytes[] = {0x80, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xED,
                                           0xEF, 0xF0, 0xF4, 0xF5, 0xFF, 0x9F, 0x41};
      text[random() % text.size()] = static_cast<char>(kBytes[random() % std::size(kBytes)]);
    }
    ASSERT_EQ(valid_utf8_prefix(text), valid_length(text)) << testing::PrintToString(text);
  }
}

TEST(Unicode, KnowsClasses) {
  EXPECT_TRUE(char_class(0xFFFD).flags & kControl);
  EXPECT_TRUE(char_class(0x200D).flags & kControl);
  EXPECT_TRUE(char_class(0x3000).flags & kWhitespace);
  EXPECT_TRUE(char_class('$').flags & kPunctuation);
  EXPECT_TRUE(char_class(0x4E00).flags & kChinese);
  EXPECT_EQ(char_class(0x0301).combining, 230);
}

TEST(Normalizer, ReordersAndStripsMarks) {
  const BertNormalizer strip{.lowercase = false};
  EXPECT_EQ(normalized(strip, "a\u0315\u0300\u302e"), "a\u302e");
  EXPECT_EQ(normalized(strip, "a\U0001d15e\u302e\u0f73x"), "a\U0001d157\U0001d165\u302ex");
  // A character that cleaning removes does not keep the marks around it apart.
  EXPECT_EQ(normalized(strip, "a\U0001d165\x01\u16fe\u302ex"), normalized(strip, "a\U0001d165\u16fe\u302ex"));
}

TEST(Normalizer, LowersEachCharacterAlone) {
  const BertNormalizer lower{.strip_accents = false};
  EXPECT_EQ(normalized(lower, "İΣΑΣ"), "i\u0307σασ");
}

TEST(Normalizer, SetsChineseApart) { EXPECT_EQ(normalized({}, "x中y"), "x 中 y"); }

TEST(Normalizer, TakesLinearTimeOverMarks) {
  std::string marks;
  for (int i = 0; i < 400000; ++i) marks += i % 2 ? "\u0301" : "\u0316";
  EXPECT_EQ(normalized({}, "a" + marks + "b"), "ab");
}

TEST(Trie, FindsKeysAndPrefixes) {
  const std::vector<Trie::Entry> entries{{"", 9}, {"a", 0}, {"ab", 1}, {"abcd", 2}, {"b", 3}, {"\xff\xff", 4}};
  const Trie trie(entries);
  for (const auto& entry : entries) EXPECT_EQ(trie.find(entry.key), entry.value);
  EXPECT_EQ(trie.find("abc"), Trie::kNoValue);
  EXPECT_EQ(trie.find("c"), Trie::kNoValue);
  EXPECT_EQ(trie.longest_prefix(Trie::kRoot, "abcx").length, 2u);
  EXPECT_EQ(trie.longest_prefix(Trie::kRoot, "abcx").value, 1);
  EXPECT_EQ(trie.longest_prefix(Trie::kRoot, "x").value, Trie::kNoValue);
  EXPECT_EQ(trie.longest_prefix(trie.walk(Trie::kRoot, "ab"), "cd").value, 2);
  EXPECT_EQ(Trie().find("a"), Trie::kNoValue);
}

/// Nodes of 62 children that no other fits between, and then many of two: a search through all holes took 30 seconds.
TEST(Trie, TakesLinearTimeWhenNothingFitsTheHoles) {
  auto prefix = [](char first, int number) {
    std::string text(1, first);
    for (int digit = 0; digit < 3; ++digit, number /= 64) text += static_cast<char>(0x20 + number % 64);
    return text;
  };
  std::vector<std::string> keys;
  for (int i = 0; i < 2000; ++i) {
    for (char c = 2; c <= 122; c = static_cast<char>(c + 2)) keys.push_back(prefix('~', i) + c);
    keys.push_back(prefix('~', i) + '{');
  }
  for (int i = 0; i < 16000; ++i) {
    for (const char c : {'a', 'b'}) keys.push_back(prefix('!', i) + c);
  }
  std::sort(keys.begin(), keys.end());
  std::vector<Trie::Entry> entries;
  for (const std::string& key : keys) entries.push_back({key, static_cast<int32_t>(entries.size())});
  const auto start = std::chrono::steady_clock::now();
  const Trie trie(entries);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  for (const Trie::Entry& entry : entries) ASSERT_EQ(trie.find(entry.key), entry.value);
}

TEST(Trie, HoldsZeroBytes) {
  const std::string zero("\0", 1), two("\0\0", 2);
  const std::vector<Trie::Entry> entries{{zero, 1}, {two, 2}};
  const Trie trie(entries);
  EXPECT_EQ(trie.find(zero), 1);
  EXPECT_EQ(trie.find(two), 2);
  EXPECT_EQ(trie.find(std::string("\0\0\0", 3)), Trie::kNoValue);
}

TEST(Decoder, CleansUp) {
  const std::vector<std::string_view> tokens{"##a", "b", "##c",      " do", "not", "n't",
                                             "'",   "s", "do not x", "' ",  "##.", "."};
  EXPECT_EQ(decode_tokens({WordPieceDecoder{}}, tokens), "##a bc  do notn't ' s don't x'..");
  EXPECT_EQ(decode_tokens({WordPieceDecoder{"##", false}}, {"##a", "b", "##c", ".", "####x"}), "##a bc .##x");
  EXPECT_EQ(decode_tokens({WordPieceDecoder{"", true}}, {"a", "b"}), "ab");
  EXPECT_EQ(decode_tokens({}, {"a", "b"}), "a b");
}

}  // namespace
}  // namespace gamut::text
