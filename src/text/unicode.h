// What the tokenizers package knows about each character: classes, canonical decomposition, lowercase.
#pragma once

#include <cstdint>
#include <span>

namespace gamut::text {

/// Bits of CharClass::flags. tools/make_unicode_tables.py writes them, so the values are part of its output.
enum CharFlag : uint16_t {
  kControl = 1,         ///< removed by clean_text
  kCleanSpace = 2,      ///< turned into ' ' by clean_text
  kChinese = 4,         ///< set apart by handle_chinese_chars
  kNonspacingMark = 8,  ///< removed by strip_accents
  kWhitespace = 16,     ///< separates words
  kPunctuation = 32,    ///< a word of its own
  kWordCharacter = 64,  ///< \w of an added token's single_word
  kDecomposes = 128,    ///< has a canonical decomposition (Hangul syllables, which follow a rule, aside)
  kLowercases = 256,    ///< has a lowercase form other than itself
  kNumeric = 512,       ///< cut by the Digits pre-tokenizer
  kMark = 1024,         ///< removed by the StripAccents normalizer
  kNmtRemoved = 2048,   ///< removed by the Nmt normalizer
  kNmtSpace = 4096,     ///< turned into ' ' by the Nmt normalizer
};

struct CharClass {
  uint16_t flags;
  uint8_t combining;  ///< canonical combining class, 0 for a starter
};

/// The class of a character (any value up to U+10FFFF).
const CharClass& char_class(char32_t c);

/// The full canonical decomposition of a character with kDecomposes.
std::span<const char32_t> decomposition(char32_t c);

/// The lowercase form of a character with kLowercases.
std::span<const char32_t> lowercase(char32_t c);

/// Hangul syllables decompose by rule: writes 2 or 3 characters to `out` and returns how many, 0 for any other
/// character.
int decompose_hangul(char32_t c, char32_t out[3]);

}  // namespace gamut::text
