#include "text/template/html.h"

#include <algorithm>
#include <iterator>

#include "text/template/python_unicode.h"
#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut::jinja {
namespace {

struct Entity {
  std::string_view name, text;
};

#include "text/template/html_entities.inc"

const Entity* find_entity(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kEntities, name, {}, &Entity::name);
  return found != std::end(kEntities) && found->name == name ? found : nullptr;
}

void append(std::string& out, char32_t c) {
  char bytes[4];
  out.append(bytes, static_cast<size_t>(text::encode_utf8(c, bytes)));
}

/// Appends the character of a number, as browsers read it.
void append_numbered(std::string& out, uint64_t code) {
  static constexpr char16_t kWindows[] = {0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021,
                                          0x2C6,  0x2030, 0x160,  0x2039, 0x152,  0x8D,   0x17D,  0x8F,
                                          0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                          0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178};
  if (code == 0) return append(out, 0xFFFD);
  if (code == 0x0D) return append(out, '\r');
  if (code >= 0x80 && code < 0xA0) return append(out, kWindows[code - 0x80]);
  if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) return append(out, 0xFFFD);
  const bool invalid = (code >= 0x1 && code <= 0x8) || (code >= 0xE && code <= 0x1F) || code == 0x7F || code == 0xB ||
                       (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
  if (!invalid) append(out, static_cast<char32_t>(code));
}

/// Reads "#65;" or "#x41;" behind an ampersand; the bytes read, 0 if there are none.
size_t read_number(std::string_view text, std::string& out) {
  const bool hex = text.size() > 1 && (text[1] == 'x' || text[1] == 'X');
  size_t at = hex ? 2 : 1;
  const size_t first = at;
  uint64_t code = 0;
  for (; at < text.size(); ++at) {
    const char lower = static_cast<char>(text[at] | 0x20);
    const bool decimal = text[at] >= '0' && text[at] <= '9';
    if (!decimal && !(hex && lower >= 'a' && lower <= 'f')) break;
    code = std::min<uint64_t>(
        code * (hex ? 16 : 10) + static_cast<uint64_t>(decimal ? text[at] - '0' : lower - 'a' + 10), 0x110000);
  }
  if (at == first) return 0;
  append_numbered(out, code);
  return at < text.size() && text[at] == ';' ? at + 1 : at;
}

/// Reads a name behind an ampersand, or as much of it as is one.
size_t read_name(std::string_view text, std::string& out) {
  size_t end = 0, characters = 0;
  while (end < text.size() && characters < 32 &&
         std::string_view("\t\n\f <&#;").find(text[end]) == std::string_view::npos) {
    ++end;
    while (end < text.size() && text::is_utf8_tail(text[end])) ++end;
    ++characters;
  }
  if (end == 0) return 0;
  const size_t whole = end < text.size() && text[end] == ';' ? end + 1 : end;
  if (const Entity* found = find_entity(text.substr(0, whole))) return out += found->text, whole;
  for (size_t length = whole - 1; length > 1; --length) {
    if (const Entity* found = find_entity(text.substr(0, length))) return out += found->text, length;
  }
  return 0;
}

}  // namespace

std::string escaped_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\'': out += "&#39;"; break;
      case '"': out += "&#34;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string unescaped_html(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t at = std::min(text.find('&'), text.size());
    out += text.substr(0, at);
    text.remove_prefix(at);
    if (text.empty()) break;
    const std::string_view behind = text.substr(1);
    const size_t read = behind.starts_with('#') ? read_number(behind, out) : read_name(behind, out);
    if (read == 0) out += '&';
    text.remove_prefix(1 + read);
  }
  return out;
}

std::string without_tags(std::string_view text) {
  std::string kept;
  while (true) {
    const size_t open = text.find('<');
    if (open == std::string_view::npos) break;
    const bool is_comment = text.substr(open).starts_with("<!--");
    const size_t close = is_comment ? text.find("-->", open + 4) : text.find('>', open);
    if (close == std::string_view::npos) break;
    kept += text.substr(0, open);
    text.remove_prefix(close + (is_comment ? 3 : 1));
  }
  kept += text;
  std::string collapsed;
  bool space = false;
  for (const char* p = kept.data(); p != kept.data() + kept.size();) {
    const char* start = p;
    if (has_property(text::decode_utf8(p), kSpace)) {
      space = true;
      continue;
    }
    if (std::exchange(space, false) && !collapsed.empty()) collapsed += ' ';
    collapsed.append(start, p);
  }
  return unescaped_html(collapsed);
}

}  // namespace gamut::jinja
