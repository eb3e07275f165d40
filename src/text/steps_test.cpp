// Expected values are the answers of tokenizers 0.23.
#include <gtest/gtest.h>

#include "gamut/error.h"
#include "text/bpe.h"
#include "text/normalizer.h"
#include "text/regex.h"
#include "text/word_patterns.h"

namespace gamut::text {
namespace {

using Words = std::vector<std::string>;

Words words(WordPattern pattern, std::string_view text) {
  std::vector<ByteSpan> matches;
  find_words(pattern, text, matches);
  Words out;
  for (ByteSpan match : matches) out.emplace_back(text.substr(match.begin, match.end - match.begin));
  return out;
}

TEST(WordPatterns, CutAsTheirExpressions) {
  EXPECT_EQ(words(WordPattern::kGpt2, "I'll go   on 12ab!?"),
            (Words{"I", "'ll", " go", "  ", " on", " 12", "ab", "!?"}));
  EXPECT_EQ(words(WordPattern::kLlama3, "I'LL 12345\n\n x!\n"),
            (Words{"I", "'LL", " ", "123", "45", "\n\n", " x", "!\n"}));
  EXPECT_EQ(words(WordPattern::kClip, "a12 b"), (Words{"a", "1", "2", "b"}));
}

/// A scanner and PCRE2 must agree wherever both exist.
TEST(WordPatterns, AgreeWithTheRegex) {
  const std::string pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
  ASSERT_EQ(known_pattern(pattern), WordPattern::kGpt2);
  const std::string text = "it's  \xC3\xA9t\xC3\xA9 \xE2\x80\xA8x \xE1\xA0\x8E\t9 \xF0\x9F\x98\x80  ";
  std::vector<ByteSpan> matches;
  Regex(pattern, "test").find_all(text, matches);
  Words out;
  for (ByteSpan match : matches) out.push_back(text.substr(match.begin, match.end - match.begin));
  EXPECT_EQ(words(WordPattern::kGpt2, text), out);
}

TEST(Regex, HostilePatternsEndInErrors) {
  std::vector<ByteSpan> matches;
  EXPECT_THROW(Regex("(", "test"), Error);
  EXPECT_THROW(Regex("[a&&]", "test"), Error);
  EXPECT_THROW(Regex("(?i)stra\xC3\x9F"
                     "e",
                     "test"),
               Error);
  EXPECT_THROW(Regex(std::string(300, '(') + std::string(300, ')'), "test"), Error);
  EXPECT_THROW(Regex(std::string(300, '['), "test"), Error);
  EXPECT_THROW(Regex("(a+)+$", "test").find_all(std::string(5000, 'a') + "b", matches), Error);
}

std::vector<std::string> matches_of(const std::string& pattern, const std::string& text) {
  std::vector<ByteSpan> matches;
  Regex(pattern, "test").find_all(text, matches);
  std::vector<std::string> found;
  for (ByteSpan match : matches) found.push_back(text.substr(match.begin, match.end - match.begin));
  return found;
}

TEST(Regex, ReadsOnigurumasSyntax) {
  using Found = std::vector<std::string>;
  EXPECT_EQ(matches_of("[a-f&&[^b-d]]+", "abcdefg"), (Found{"a", "ef"}));
  EXPECT_EQ(matches_of("[a[x-z]]+", "axbyz"), (Found{"ax", "yz"}));
  EXPECT_EQ(matches_of("[^[a-y]z]+", "az-Z"), (Found{"-Z"}));
  EXPECT_EQ(matches_of("\\d{1,2}+", "12345"), (Found{"12345"}));  // an interval repeated, not a possessive one
  EXPECT_EQ(matches_of("a{2}?b", "aabb"), (Found{"aab", "b"}));
  EXPECT_EQ(matches_of("a(?i)b|C", "aBac"), (Found{"aB", "ac"}));  // the option holds for both alternatives behind a
  EXPECT_EQ(matches_of("[[:^alpha:]]", "a1"), (Found{"1"}));
  EXPECT_EQ(matches_of("\\v", "\n\x0b"), (Found{"\x0b"}));
}

TEST(Regex, HasOnigurumasClasses) {
  auto matches = [](const char* pattern, std::string_view text) {
    std::vector<ByteSpan> found;
    Regex(pattern, "test").find_all(text, found);
    return !found.empty();
  };
  // Superscript one: part of a word on its own, not in a set.
  EXPECT_TRUE(matches("\\w", "\xC2\xB9"));
  EXPECT_TRUE(matches("\\p{Word}", "\xC2\xB9"));
  EXPECT_FALSE(matches("[\\w]", "\xC2\xB9"));
  EXPECT_TRUE(matches("[^\\w\\s]", "\xC2\xB9"));
  EXPECT_TRUE(matches("[\\W_]", "\xC2\xB9"));
  // U+1171E was a nonspacing mark in Unicode 14.
  EXPECT_FALSE(matches("\\p{Mn}", "\xF0\x91\x9C\x9E"));
  EXPECT_TRUE(matches("\\p{M}", "\xF0\x91\x9C\x9E"));
}

TEST(UnicodeForm, ComposesWithOrigins) {
  NormalizerScratch scratch;
  AlignedText out;
  normalize({UnicodeForm{false, true}}, {"e\xCC\x81x"}, scratch, out);
  EXPECT_EQ(out.text(), "\xC3\xA9x");
  EXPECT_EQ(out.origin()[2], 2u);
}

TEST(Bpe, LongAndShortWordsMergeAlike) {
  const Bpe bpe(Vocabulary({{"a", 0}, {"aa", 1}, {"aaaa", 2}, {"b", 3}}, "test"), {{"a", "a"}, {"aa", "aa"}}, {},
                "test");
  for (size_t length : {7u, 40u, 41u, 4003u}) {
    BpeWork work;
    WordTokens tokens;
    const std::string word(length, 'a');
    bpe.tokenize(word, {0, length}, work, tokens);
    ASSERT_EQ(tokens.size(), length / 4 + (length % 4 + 1) / 2) << length;
    EXPECT_EQ(tokens.back().span.end, length);
  }
}

}  // namespace
}  // namespace gamut::text
