#include "text/template/python_unicode.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "text/utf8.h"

namespace gamut::jinja {
namespace {

struct PropertyRange {
  char32_t first;
  uint16_t properties;
};
struct CaseMapping {
  char32_t from;
  uint16_t offset;
  uint8_t count;
};

#include "text/template/python_unicode.inc"

void append(std::string& out, char32_t c) {
  char bytes[4];
  out.append(bytes, static_cast<size_t>(text::encode_utf8(c, bytes)));
}

void append_mapped(std::string& out, char32_t c, std::span<const CaseMapping> mappings) {
  auto found = std::ranges::lower_bound(mappings, c, {}, &CaseMapping::from);
  if (found == mappings.end() || found->from != c) return append(out, c);
  for (int i = 0; i < found->count; ++i) append(out, kMappedTo[found->offset + i]);
}

/// Whether a capital sigma at `at` ends a word: a cased letter before it, none behind.
bool is_final_sigma(std::string_view text, size_t at) {
  size_t before = at;
  bool found = false;
  while (before > 0 && !found) {
    do --before;
    while (before > 0 && text::is_utf8_tail(text[before]));
    const char* p = text.data() + before;
    const uint16_t properties = properties_of(text::decode_utf8(p));
    if (properties & kCaseIgnorable) continue;
    if (!(properties & kCased)) return false;
    found = true;
  }
  if (!found) return false;
  const char* p = text.data() + at;
  text::decode_utf8(p);
  while (p != text.data() + text.size()) {
    const uint16_t properties = properties_of(text::decode_utf8(p));
    if (!(properties & kCaseIgnorable)) return !(properties & kCased);
  }
  return true;
}

void append_lower(std::string& out, std::string_view text, size_t at, char32_t c) {
  constexpr char32_t kCapitalSigma = 0x3A3, kFinalSigma = 0x3C2, kSigma = 0x3C3;
  if (c == kCapitalSigma) return append(out, is_final_sigma(text, at) ? kFinalSigma : kSigma);
  append_mapped(out, c, kLowerMappings);
}

/// Calls each(character, position in bytes) for the characters of valid UTF-8.
template <typename Each>
void for_each_character(std::string_view text, Each each) {
  for (const char* p = text.data(); p != text.data() + text.size();) {
    const auto at = static_cast<size_t>(p - text.data());
    each(text::decode_utf8(p), at);
  }
}

}  // namespace

uint16_t properties_of(char32_t c) {
  auto behind = std::upper_bound(std::begin(kPropertyRanges), std::end(kPropertyRanges), c,
                                 [](char32_t value, const PropertyRange& range) { return value < range.first; });
  return std::prev(behind)->properties;
}

int decimal_value(char32_t c) {
  auto behind = std::upper_bound(std::begin(kDecimalZeros), std::end(kDecimalZeros), c);
  if (behind == std::begin(kDecimalZeros) || c - *std::prev(behind) > 9) return -1;
  return static_cast<int>(c - *std::prev(behind));
}

std::string to_upper(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&](char32_t c, size_t) {
    if (c < 0x80) {
      out += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    } else {
      append_mapped(out, c, kUpperMappings);
    }
  });
  return out;
}

std::string to_lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for_each_character(text, [&](char32_t c, size_t at) {
    if (c < 0x80) {
      out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    } else {
      append_lower(out, text, at, c);
    }
  });
  return out;
}

std::string to_title(std::string_view text) {
  std::string out;
  bool inside = false;
  for_each_character(text, [&](char32_t c, size_t at) {
    inside ? append_lower(out, text, at, c) : append_mapped(out, c, kTitleMappings);
    inside = has_property(c, kCased);
  });
  return out;
}

std::string to_capitalized(std::string_view text) {
  std::string out;
  for_each_character(text, [&](char32_t c, size_t at) {
    at == 0 ? append_mapped(out, c, kTitleMappings) : append_lower(out, text, at, c);
  });
  return out;
}

std::string to_swapped_case(std::string_view text) {
  std::string out;
  for_each_character(text, [&](char32_t c, size_t at) {
    const uint16_t properties = properties_of(c);
    if (properties & kUpper) return append_lower(out, text, at, c);
    if (properties & kLower) return append_mapped(out, c, kUpperMappings);
    append(out, c);
  });
  return out;
}

std::string to_casefolded(std::string_view text) {
  std::string out;
  for_each_character(text, [&](char32_t c, size_t) { append_mapped(out, c, kFoldMappings); });
  return out;
}

bool is_cased(std::string_view text, uint16_t wanted, uint16_t refused) {
  bool found = false, clean = true;
  for_each_character(text, [&](char32_t c, size_t) {
    const uint16_t properties = properties_of(c);
    clean = clean && !(properties & refused);
    found = found || (properties & wanted);
  });
  return found && clean;
}

bool is_identifier(std::string_view text) {
  bool valid = !text.empty();
  for_each_character(
      text, [&](char32_t c, size_t at) { valid = valid && has_property(c, at == 0 ? kNameStart : kNameContinue); });
  return valid;
}

}  // namespace gamut::jinja
