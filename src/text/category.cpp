#include "text/category.h"

#include <algorithm>
#include <cstddef>

namespace gamut::text {
namespace {

struct Composition {
  char32_t first, second, whole;
};

#include "text/category_tables.inc"

constexpr size_t kBlock = 128;

template <typename Index, typename Blocks>
auto look_up(const Index& index, const Blocks& blocks, char32_t c) {
  return blocks[index[c / kBlock] * kBlock + c % kBlock];
}

/// Hangul syllables compose by rule.
char32_t compose_hangul(char32_t first, char32_t second) {
  constexpr char32_t kFirst = 0xAC00, kLast = 0xD7A3, kLead = 0x1100, kVowel = 0x1161, kTrail = 0x11A7;
  if (first - kLead < 19 && second - kVowel < 21) return kFirst + ((first - kLead) * 21 + second - kVowel) * 28;
  const bool open = first >= kFirst && first <= kLast && (first - kFirst) % 28 == 0;
  return open && second - kTrail - 1 < 27 ? first + second - kTrail : 0;
}

}  // namespace

Category category(char32_t c) { return static_cast<Category>(look_up(kCategoryIndex, kCategoryBlocks, c)); }

uint32_t category_mask(char32_t c) {
  const bool space_control = (c >= 9 && c <= 13) || c == 0x85;
  return category_bit(category(c)) | (space_control ? kSpaceControl : 0);
}

std::span<const CategoryChange> category_changes() { return kCategoryChanges; }

std::span<const CharSpan> further_alphabetic() { return kFurtherAlpha; }
std::span<const CharSpan> further_lower() { return kFurtherLower; }
std::span<const CharSpan> further_upper() { return kFurtherUpper; }

std::span<const ScriptAddition> script_additions() { return kScriptAdditions; }

bool is_script_name(std::string_view name) {
  return std::find(std::begin(kScriptNames), std::end(kScriptNames), name) != std::end(kScriptNames);
}

uint8_t script(char32_t c) { return static_cast<uint8_t>(look_up(kScriptIndex, kScriptBlocks, c)); }

GraphemeClass grapheme_class(char32_t c) {
  return static_cast<GraphemeClass>(look_up(kGraphemeIndex, kGraphemeBlocks, c));
}

std::span<const char32_t> compatibility_decomposition(char32_t c) {
  const size_t at = look_up(kCompatibleIndex, kCompatibleBlocks, c);
  return {kCompatiblePool + at + 1, at == 0 ? 0 : kCompatiblePool[at]};
}

char32_t compose(char32_t first, char32_t second) {
  if (const char32_t syllable = compose_hangul(first, second)) return syllable;
  const auto* end = std::end(kCompositions);
  const auto* found = std::lower_bound(std::begin(kCompositions), end, Composition{first, second, 0},
                                       [](const Composition& a, const Composition& b) {
                                         return a.first != b.first ? a.first < b.first : a.second < b.second;
                                       });
  return found != end && found->first == first && found->second == second ? found->whole : 0;
}

}  // namespace gamut::text
