#include "text/template/text_wrap.h"

#include <algorithm>
#include <deque>

#include "text/template/exception.h"
#include "text/template/python_unicode.h"
#include "text/utf8.h"

namespace gamut::jinja {
namespace {

using Characters = std::u32string_view;

bool is_space(char32_t c) { return c == ' ' || (c >= 9 && c <= 13); }
bool is_word(char32_t c) { return c == '_' || has_property(c, kAlphanumeric); }
bool is_letter(char32_t c) { return is_word(c) && !has_property(c, kDecimal); }
bool ends_word(char32_t c) {
  return is_word(c) || (c < 0x80 && std::u32string_view(U"!\"'&.,?").find(c) != std::u32string_view::npos);
}

/// Cuts a text into words, white space, dashes, and the parts of hyphenated words.
class Splitter {
 public:
  Splitter(Characters text, bool at_hyphens) : text_(text), at_hyphens_(at_hyphens) {}

  std::deque<Characters> run() {
    std::deque<Characters> chunks;
    for (size_t at = 0; at < text_.size();) {
      const size_t length = next(at);
      chunks.push_back(text_.substr(at, length));
      at += length;
    }
    return chunks;
  }

 private:
  char32_t at(size_t i) const { return i < text_.size() ? text_[i] : U' '; }
  size_t run_of(size_t from, bool space) const {
    size_t end = from;
    while (end < text_.size() && is_space(text_[end]) == space) ++end;
    return end - from;
  }
  /// Of two and more dashes with a word behind them, whose first is at a place.
  size_t dashes(size_t from) const {
    size_t end = from;
    while (at(end) == '-') ++end;
    return end - from >= 2 && end < text_.size() && is_word(text_[end]) ? end - from : 0;
  }
  /// Whether a word may break behind the character: a hyphen with letters around it.
  bool is_hyphen(size_t i) const {
    if (at(i) != '-') return false;
    const bool behind_letters = i >= 2 && is_letter(text_[i - 1]) && is_letter(text_[i - 2]);
    const bool behind_part = i >= 3 && is_letter(text_[i - 3]) && text_[i - 2] == '-' && ends_word(text_[i - 1]);
    if (!behind_letters && !behind_part) return false;
    return is_letter(at(i + 1)) && (is_letter(at(i + 2)) || (at(i + 2) == '-' && is_letter(at(i + 3))));
  }

  size_t next(size_t from) const {
    if (is_space(text_[from])) return run_of(from, true);
    if (!at_hyphens_) return run_of(from, false);
    if (from > 0 && ends_word(text_[from - 1])) {
      if (const size_t length = dashes(from)) return length;
    }
    for (size_t end = from + 1;; ++end) {
      if (is_hyphen(end)) return end + 1 - from;
      if (end >= text_.size() || is_space(text_[end])) return end - from;
      if (ends_word(text_[end - 1]) && dashes(end) > 0) return end - from;
    }
  }

  Characters text_;
  bool at_hyphens_;
};

bool is_blank(Characters chunk) {
  return std::ranges::all_of(chunk, [](char32_t c) { return has_property(c, kSpace); });
}

std::string joined(const std::vector<Characters>& parts) {
  std::string out;
  for (Characters part : parts) {
    for (char32_t c : part) {
      char bytes[4];
      out.append(bytes, static_cast<size_t>(text::encode_utf8(c, bytes)));
    }
  }
  return out;
}

/// A word that is longer than a line: as much of it as fits, unless words stay whole.
void take_long_word(std::deque<Characters>& chunks, std::vector<Characters>& line, size_t room,
                    const WrapStyle& style) {
  Characters& chunk = chunks.front();
  if (style.break_long_words) {
    size_t end = room;
    if (style.break_on_hyphens && chunk.size() > room) {
      const size_t hyphen = chunk.substr(0, room).rfind(U'-');
      if (hyphen != Characters::npos && chunk.substr(0, hyphen).find_first_not_of(U'-') != Characters::npos)
        end = hyphen + 1;
    }
    line.push_back(chunk.substr(0, end));
    chunk.remove_prefix(std::min(end, chunk.size()));
  } else if (line.empty()) {
    line.push_back(chunk);
    chunks.pop_front();
  }
}

}  // namespace

std::vector<std::string> wrapped_lines(std::string_view text, const WrapStyle& style) {
  if (style.width <= 0) value_error("invalid width {} (must be > 0)", style.width);
  std::u32string characters;
  for (const char* p = text.data(); p != text.data() + text.size();) characters += text::decode_utf8(p);
  std::deque<Characters> chunks = Splitter(characters, style.break_on_hyphens).run();
  const auto width = static_cast<size_t>(style.width);
  std::vector<std::string> lines;
  while (!chunks.empty()) {
    std::vector<Characters> line;
    size_t length = 0;
    if (!lines.empty() && is_blank(chunks.front())) chunks.pop_front();
    while (!chunks.empty() && length + chunks.front().size() <= width) {
      length += chunks.front().size();
      line.push_back(chunks.front());
      chunks.pop_front();
    }
    if (!chunks.empty() && chunks.front().size() > width) take_long_word(chunks, line, width - length, style);
    if (!line.empty() && is_blank(line.back())) line.pop_back();
    if (!line.empty()) lines.push_back(joined(line));
  }
  return lines;
}

}  // namespace gamut::jinja
