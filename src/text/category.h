// General categories, scripts, grapheme classes and compositions of characters, as the tokenizers package sees them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gamut::text {

/// The general categories of Unicode; the order is that of tools/make_category_tables.py.
enum class Category : uint8_t {
  kCn,
  kCc,
  kCf,
  kCo,
  kLu,
  kLl,
  kLt,
  kLm,
  kLo,
  kMn,
  kMc,
  kMe,
  kNd,
  kNl,
  kNo,  // clang-format off
  kPc, kPd, kPs, kPe, kPi, kPf, kPo, kSm, kSc, kSk, kSo, kZs, kZl, kZp,  // clang-format on
};

/// Sets of categories, one bit each, as in regular expressions.
constexpr uint32_t category_bit(Category c) { return 1u << static_cast<int>(c); }
constexpr uint32_t category_bits(Category first, Category last) {
  return (category_bit(last) << 1) - category_bit(first);
}
constexpr uint32_t kLetters = category_bits(Category::kLu, Category::kLo);
constexpr uint32_t kMarks = category_bits(Category::kMn, Category::kMe);
constexpr uint32_t kNumbers = category_bits(Category::kNd, Category::kNo);
constexpr uint32_t kPunctuations = category_bits(Category::kPc, Category::kPo);
constexpr uint32_t kSymbols = category_bits(Category::kSm, Category::kSo);
constexpr uint32_t kSeparators = category_bits(Category::kZs, Category::kZp);
/// Bit of the control characters that \s matches; no category has it.
constexpr uint32_t kSpaceControl = 1u << 31;
constexpr uint32_t kSpaces = kSeparators | kSpaceControl;

Category category(char32_t c);

/// The bit of the character's category, and kSpaceControl where it applies.
uint32_t category_mask(char32_t c);

/// A range of characters whose category is not that of Unicode 14, which PCRE2 knows.
struct CategoryChange {
  char32_t first, last;
  Category old_category, category;
};
std::span<const CategoryChange> category_changes();

/// An inclusive range of characters.
struct CharSpan {
  char32_t first, last;
};
/// Members of [:alpha:], [:lower:] and [:upper:] besides the categories that belong there as a whole (letters and
/// letter numbers; Ll; Lu).
std::span<const CharSpan> further_alphabetic();
std::span<const CharSpan> further_lower();
std::span<const CharSpan> further_upper();

/// A range of characters of a script that Unicode 14 does not have in it; the script in capitals without spaces.
struct ScriptAddition {
  char32_t first, last;
  std::string_view script;
};
std::span<const ScriptAddition> script_additions();
/// Whether a regular expression may call a script so; in capitals without spaces.
bool is_script_name(std::string_view name);

/// Number of the character's script for the UnicodeScripts pre-tokenizer; 0 goes with any other.
uint8_t script(char32_t c);

enum class GraphemeClass : uint8_t {
  kOther,
  kControl,
  kCr,
  kLf,
  kExtend,
  kZwj,
  kSpacing,
  kPrepend,
  kPictographic,  // clang-format off
  kLead, kVowel, kTrail, kLv, kLvt, kRegional,  // clang-format on
};
GraphemeClass grapheme_class(char32_t c);

/// The full compatibility decomposition of a character where it differs from the canonical one, else empty.
std::span<const char32_t> compatibility_decomposition(char32_t c);

/// What canonical composition makes of two characters, 0 when it leaves them.
char32_t compose(char32_t first, char32_t second);

}  // namespace gamut::text
