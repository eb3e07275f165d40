// What Python's str knows about characters: classes, case mappings, digits. The tables come from Python itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gamut::jinja {

/// Bits of what is true of a character. tools/make_python_unicode.py writes them, so the order is part of its output.
enum CharProperty : uint16_t {
  kPrintable = 1,
  kAlpha = 2,
  kDecimal = 4,
  kDigit = 8,
  kNumeric = 16,
  kLower = 32,
  kUpper = 64,
  kTitleCase = 128,
  kSpace = 256,
  kName = 512,  ///< what Jinja takes for part of a name
  kNameStart = 1024,
  kNameContinue = 2048,
  kCaseIgnorable = 4096,
  kAlphanumeric = kAlpha | kDecimal | kDigit | kNumeric,
  kCased = kLower | kUpper | kTitleCase,
};

/// All the bits of a character.
uint16_t properties_of(char32_t c);
inline bool has_property(char32_t c, uint16_t property) { return (properties_of(c) & property) != 0; }

/// The value of a decimal digit of any script, or -1.
int decimal_value(char32_t c);

/// str.upper(), lower(), title(), capitalize(), swapcase() and casefold().
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_title(std::string_view text);
std::string to_capitalized(std::string_view text);
std::string to_swapped_case(std::string_view text);
std::string to_casefolded(std::string_view text);

/// Whether a character has one of the wanted properties, and none a refused one.
bool is_cased(std::string_view text, uint16_t wanted, uint16_t refused);

/// str.isidentifier().
bool is_identifier(std::string_view text);

}  // namespace gamut::jinja
