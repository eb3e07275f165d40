#include "text/template/string_parts.h"

#include <algorithm>

#include "text/template/python_unicode.h"
#include "text/utf8.h"

namespace gamut::jinja {

bool all_characters(std::string_view text, uint16_t property) {
  for (const char* p = text.data(); p != text.data() + text.size();) {
    if (!has_property(text::decode_utf8(p), property)) return false;
  }
  return !text.empty();
}

/// str.istitle(): capitals only at the beginnings of words, and there always.
bool is_titled(std::string_view text) {
  bool cased = false, before = false;
  for (const char* p = text.data(); p != text.data() + text.size();) {
    const uint16_t properties = properties_of(text::decode_utf8(p));
    const bool begins = (properties & (kUpper | kTitleCase)) != 0;
    if (begins && before) return false;
    if (!begins && (properties & kLower) && !before) return false;
    before = begins || (properties & kLower);
    cased = cased || before;
  }
  return cased;
}

std::string_view strip_characters(std::string_view text, std::string_view set, StripSide side) {
  auto in_set = [&](std::string_view character) { return set.find(character) != std::string_view::npos; };
  while ((side & kStripLeft) && !text.empty()) {
    const char* p = text.data();
    text::decode_utf8(p);
    const auto length = static_cast<size_t>(p - text.data());
    if (!in_set(text.substr(0, length))) break;
    text.remove_prefix(length);
  }
  while ((side & kStripRight) && !text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && text::is_utf8_tail(text[at])) --at;
    if (!in_set(text.substr(at))) break;
    text = text.substr(0, at);
  }
  return text;
}

namespace {

bool ends_line(char32_t c) {
  return (c >= 10 && c <= 13) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/// The word that a text begins, or ends, with.
std::string_view word_of(std::string_view text, bool backwards) {
  if (!backwards) {
    const char* p = text.data();
    const char* end = p;
    while (end != text.data() + text.size() && (end = p, !has_property(text::decode_utf8(p), kSpace))) end = p;
    return text.substr(0, static_cast<size_t>(end - text.data()));
  }
  size_t start = text.size();
  while (start > 0) {
    size_t at = start - 1;
    while (at > 0 && text::is_utf8_tail(text[at])) --at;
    const char* p = text.data() + at;
    if (has_property(text::decode_utf8(p), kSpace)) break;
    start = at;
  }
  return text.substr(start);
}

}  // namespace

std::vector<std::string_view> split_at_space(std::string_view text, int64_t most, bool backwards) {
  const StripSide near = backwards ? kStripRight : kStripLeft;
  std::vector<std::string_view> parts;
  while (!(text = strip(text, near)).empty()) {
    if (most-- == 0) {
      parts.push_back(text);
      break;
    }
    const std::string_view word = word_of(text, backwards);
    parts.push_back(word);
    text = backwards ? text.substr(0, text.size() - word.size()) : text.substr(word.size());
  }
  if (backwards) std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view by, int64_t most, bool backwards) {
  std::vector<std::string_view> parts;
  while (most-- > 0) {
    const size_t at = backwards ? text.rfind(by) : text.find(by);
    if (at == std::string_view::npos) break;
    parts.push_back(backwards ? text.substr(at + by.size()) : text.substr(0, at));
    text = backwards ? text.substr(0, at) : text.substr(at + by.size());
  }
  parts.push_back(text);
  if (backwards) std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> parts;
  const char *start = text.data(), *end = start + text.size();
  for (const char* at = start; at != end;) {
    const char* before = at;
    const char32_t c = text::decode_utf8(at);
    if (!ends_line(c)) continue;
    if (c == '\r' && at != end && *at == '\n') ++at;
    parts.emplace_back(start, static_cast<size_t>((keep_ends ? at : before) - start));
    start = at;
  }
  if (start != end) parts.emplace_back(start, static_cast<size_t>(end - start));
  return parts;
}

}  // namespace gamut::jinja
