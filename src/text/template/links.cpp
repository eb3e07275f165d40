// Addresses in texts, by the patterns of Jinja's urlize.
#include <algorithm>
#include <array>

#include "text/template/html.h"
#include "text/template/python_unicode.h"
#include "text/utf8.h"

namespace gamut::jinja {
namespace {

using Characters = std::u32string_view;

std::u32string decoded(std::string_view text) {
  std::u32string out;
  for (const char* p = text.data(); p != text.data() + text.size();) out += text::decode_utf8(p);
  return out;
}

std::string encoded(Characters text) {
  std::string out;
  for (char32_t c : text) {
    char bytes[4];
    out.append(bytes, static_cast<size_t>(text::encode_utf8(c, bytes)));
  }
  return out;
}

char32_t lower(char32_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
bool is_word(char32_t c) { return c == '_' || has_property(c, kAlphanumeric); }
bool is_digit(char32_t c) { return has_property(c, kDecimal); }
bool is_hex(char32_t c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }
bool is_letter(char32_t c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_label(char32_t c) { return is_word(c) || c == '%' || c == '-'; }

/// Whether a word is an address: a scheme or www and a domain, a domain with a well-known end, or a number.
class Address {
 public:
  explicit Address(Characters word) : word_(word) {}

  bool matches() const {
    size_t scheme = 0;
    for (Characters start : {Characters(U"https://"), Characters(U"http://")}) {
      if (has(0, start)) scheme = start.size();
    }
    if (scheme > 0 && (domain(scheme) || address4(scheme) || address6(scheme))) return true;
    return (has(0, U"www.") && domain(4)) || known_domain();
  }

 private:
  template <typename Is>
  size_t run(size_t from, Is is, size_t most = SIZE_MAX) const {
    size_t at = from;
    while (at < word_.size() && at - from < most && is(word_[at])) ++at;
    return at - from;
  }
  bool is_at(size_t at, char32_t c) const { return at < word_.size() && word_[at] == c; }
  bool has(size_t at, Characters what) const {
    if (at + what.size() > word_.size()) return false;
    return std::ranges::equal(word_.substr(at, what.size()), what,
                              [](char32_t a, char32_t b) { return lower(a) == b; });
  }
  /// A port, a path and nothing else.
  bool ends(size_t at) const {
    if (is_at(at, ':')) {
      const size_t digits = run(at + 1, is_digit);
      if (digits < 1 || digits > 5) return false;
      at += 1 + digits;
    }
    return at == word_.size() || is_at(at, '/') || is_at(at, '?') || is_at(at, '#');
  }
  bool domain(size_t at) const {
    while (true) {
      const size_t letters = run(at, is_letter);
      if (letters >= 2 && letters <= 63 && ends(at + letters)) return true;
      if (has(at, U"xn--")) {
        const size_t rest = run(at + 4, [](char32_t c) { return is_word(c) || c == '%'; });
        if (rest >= 2 && rest <= 59 && ends(at + 4 + rest)) return true;
      }
      const size_t label = run(at, is_label);
      if (label == 0 || !is_at(at + label, '.')) return false;
      at += label + 1;
    }
  }
  bool known_domain() const {
    for (size_t at = 0, label;; at += label + 1) {
      label = run(at, is_label);
      if (at > 0) {
        for (Characters end : {Characters(U"com"), Characters(U"net"), Characters(U"int"), Characters(U"edu"),
                               Characters(U"gov"), Characters(U"org"), Characters(U"info"), Characters(U"mil")}) {
          if (has(at, end) && ends(at + end.size())) return true;
        }
      }
      if (label < 2 || label > 63 || !is_at(at + label, '.')) return false;
    }
  }
  bool address4(size_t at) const {
    for (int part = 0; part < 4; ++part) {
      if (part > 0 && !is_at(at++, '.')) return false;
      const size_t digits = run(at, is_digit, 3);
      if (digits == 0) return false;
      at += digits;
    }
    return ends(at);
  }
  bool address6(size_t at) const {
    if (!is_at(at++, '[')) return false;
    for (int part = 0; part < 2; ++part) {
      at += run(at, is_hex, 4);
      if (!is_at(at++, ':')) return false;
    }
    for (int part = 0; part < 6 && !is_at(at, ']'); ++part) {
      at += run(at, is_hex, 4);
      if (is_at(at, ':')) ++at;
    }
    return is_at(at, ']') && ends(at + 1);
  }

  Characters word_;
};

bool is_mail(Characters word) {
  const size_t at = word.rfind(U'@');
  if (at == Characters::npos || at == 0) return false;
  const Characters domain = word.substr(at + 1);
  const size_t dot = domain.rfind(U'.');
  if (dot == Characters::npos || dot == 0 || dot + 1 == domain.size() || !is_word(domain[0])) return false;
  return std::ranges::all_of(domain.substr(dot + 1), is_word) &&
         std::ranges::all_of(domain, [](char32_t c) { return is_word(c) || c == '.' || c == '-'; });
}

size_t count(Characters text, Characters what) {
  size_t found = 0;
  for (size_t at = 0; (at = text.find(what, at)) != Characters::npos; at += what.size()) ++found;
  return found;
}

/// A word with the punctuation around it.
struct Word {
  Characters head, middle, tail;
};

Word parts_of(Characters word) {
  size_t begin = 0, end = word.size();
  while (true) {
    if (begin < end && (word[begin] == '(' || word[begin] == '<')) ++begin;
    else if (word.substr(begin).starts_with(U"&lt;")) begin += 4;
    else break;
  }
  while (true) {
    const Characters left = word.substr(begin, end - begin);
    if (!left.empty() && Characters(U")>.,\n").find(left.back()) != Characters::npos) --end;
    else if (left.ends_with(U"&gt;")) end -= 4;
    else break;
  }
  const std::array<std::pair<Characters, Characters>, 3> pairs = {{{U"(", U")"}, {U"<", U">"}, {U"&lt;", U"&gt;"}}};
  for (const auto& [open, close] : pairs) {
    const Characters middle = word.substr(begin, end - begin);
    const size_t opened = count(middle, open);
    if (opened <= count(middle, close)) continue;
    const size_t moves = std::min(opened, count(word.substr(end), close));
    for (size_t i = 0; i < moves; ++i) end = word.find(close, end) + close.size();
  }
  return {word.substr(0, begin), word.substr(begin, end - begin), word.substr(end)};
}

std::string linked(Characters word, const LinkStyle& style) {
  std::string text = encoded(word);
  std::string attributes;
  if (!style.rel.empty()) attributes += " rel=\"" + escaped_html(style.rel) + "\"";
  if (!style.target.empty()) attributes += " target=\"" + escaped_html(style.target) + "\"";
  if (Address(word).matches()) {
    std::string shown = text;
    if (style.longest >= 0 && word.size() > static_cast<size_t>(style.longest))
      shown = encoded(word.substr(0, static_cast<size_t>(style.longest))) + "...";
    const bool has_scheme = text.starts_with("https://") || text.starts_with("http://");
    return "<a href=\"" + (has_scheme ? "" : std::string("https://")) + text + "\"" + attributes + ">" + shown + "</a>";
  }
  if (text.starts_with("mailto:") && is_mail(word.substr(7)))
    return "<a href=\"" + text + "\">" + text.substr(7) + "</a>";
  if (!text.starts_with("www.") && !text.starts_with("@") && text.find(':') == std::string::npos && is_mail(word))
    return "<a href=\"mailto:" + text + "\">" + text + "</a>";
  for (const std::string& scheme : style.schemes) {
    if (text != scheme && text.starts_with(scheme))
      return "<a href=\"" + text + "\"" + attributes + ">" + text + "</a>";
  }
  return text;
}

}  // namespace

bool is_uri_scheme(std::string_view text) {
  const std::u32string characters = decoded(text);
  const size_t colon = characters.find(U':');
  if (colon == std::u32string::npos || colon < 2) return false;
  const Characters rest = Characters(characters).substr(colon + 1);
  return (rest.empty() || rest == U"/" || rest == U"//") &&
         std::all_of(characters.begin(), characters.begin() + static_cast<ptrdiff_t>(colon),
                     [](char32_t c) { return is_word(c) || c == '.' || c == '+' || c == '-'; });
}

std::string with_links(std::string_view text, const LinkStyle& style) {
  const std::u32string characters = decoded(text);
  std::string out;
  for (size_t at = 0; at < characters.size();) {
    const bool space = has_property(characters[at], kSpace);
    size_t end = at;
    while (end < characters.size() && has_property(characters[end], kSpace) == space) ++end;
    const Characters word = Characters(characters).substr(at, end - at);
    if (space) {
      out += encoded(word);
    } else {
      const Word parts = parts_of(word);
      out += encoded(parts.head) + linked(parts.middle, style) + encoded(parts.tail);
    }
    at = end;
  }
  return out;
}

}  // namespace gamut::jinja
