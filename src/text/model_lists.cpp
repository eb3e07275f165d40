#include "text/model_lists.h"

#include <charconv>
#include <cstdint>
#include <cstring>

#include "text/package_number.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

/// Thrown and caught here: the text is not of the plain form that this reads.
struct NotPlain {};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  SplitFile run() {
    members([&](std::string_view key) {
      if (key == "model" && peek() == '{') {
        members([&](std::string_view field) { read_field(field); });
      } else {
        skip_value();
      }
    });
    blanks();
    if (at_ != text_.size()) throw NotPlain();
    out_.rest += text_.substr(copied_);
    return std::move(out_);
  }

 private:
  char peek() const {
    if (at_ >= text_.size()) throw NotPlain();
    return text_[at_];
  }
  void expect(char c) {
    if (peek() != c) throw NotPlain();
    ++at_;
  }
  bool blank(char c) const { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
  void blanks() {
    while (at_ < text_.size() && blank(text_[at_])) ++at_;
  }

  /// Calls item() for each of the comma-separated items between `open` and `close`, blanks around them left out.
  template <typename Item>
  void list(char open, char close, const Item& item) {
    blanks();
    expect(open);
    blanks();
    if (peek() == close) {
      ++at_;
      return;
    }
    for (;;) {
      item();
      blanks();
      if (peek() == close) break;
      expect(',');
      blanks();
    }
    ++at_;
  }

  template <typename Member>
  void members(const Member& member) {
    list('{', '}', [&] {
      const std::string_view key = string();
      blanks();
      expect(':');
      blanks();
      member(key);
    });
  }

  void read_field(std::string_view field) {
    const size_t begin = at_;
    ModelLists& lists = out_.lists;
    if (field == "vocab" && !lists.has_tokens && !lists.has_pieces) {
      (peek() == '{' ? lists.has_tokens : lists.has_pieces) = true;
      if (peek() == '{') {
        lists.tokens.reserve(text_.size() / 24);
        members([&](std::string_view token) { lists.tokens.emplace_back(token, whole_number()); });
        replace(begin, "{}");
      } else {
        lists.pieces.reserve(text_.size() / 24);
        list('[', ']', [&] { read_piece(); });
        replace(begin, "[]");
      }
    } else if (field == "merges" && !lists.has_merges) {
      lists.has_merges = true;
      lists.merges.reserve(text_.size() / 24);
      list('[', ']', [&] { read_merge(); });
      replace(begin, "[]");
    } else {
      skip_value();
    }
  }

  void replace(size_t begin, std::string_view with) {
    out_.rest += text_.substr(copied_, begin - copied_);
    out_.rest += with;
    copied_ = at_;
  }

  void read_piece() {
    expect('[');
    blanks();
    const std::string_view piece = string();
    blanks();
    expect(',');
    blanks();
    out_.lists.pieces.emplace_back(piece, package_number(number()));
    blanks();
    expect(']');
  }

  void read_merge() {
    if (peek() == '[') {
      std::string_view parts[2];
      size_t count = 0;
      list('[', ']', [&] {
        if (count == 2) throw NotPlain();
        parts[count++] = string();
      });
      if (count != 2) throw NotPlain();
      out_.lists.merges.emplace_back(parts[0], parts[1]);
      return;
    }
    const std::string_view merge = string();
    const size_t space = merge.find(' ');
    if (space == std::string_view::npos || merge.find(' ', space + 1) != std::string_view::npos) throw NotPlain();
    out_.lists.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
  }

  int64_t whole_number() {
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    if (at_ == begin || at_ - begin > 10 || (text_[begin] == '0' && at_ - begin > 1)) throw NotPlain();
    int64_t value = 0;
    std::from_chars(text_.data() + begin, text_.data() + at_, value);
    return value;
  }

  /// A number as JSON writes it.
  std::string_view number() {
    const size_t begin = at_;
    auto digits = [&] {
      const size_t first = at_;
      while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
      if (at_ == first) throw NotPlain();
      return at_ - first;
    };
    if (peek() == '-') ++at_;
    const bool zero = peek() == '0';
    if (digits() > 1 && zero) throw NotPlain();
    if (peek() == '.') ++at_, digits();
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '-' || peek() == '+') ++at_;
      if (digits() > 3) throw NotPlain();
    }
    return text_.substr(begin, at_ - begin);
  }

  /// Whether eight bytes have no quote, backslash or control character.
  bool is_plain(size_t at) const {
    constexpr uint64_t kOnes = 0x0101010101010101u, kHigh = 0x8080808080808080u;
    uint64_t word;
    std::memcpy(&word, text_.data() + at, sizeof(word));
    auto below = [&](uint64_t x, uint64_t limit) { return (x - kOnes * limit) & ~x & kHigh; };
    return (below(word, 0x20) | below(word ^ kOnes * '"', 1) | below(word ^ kOnes * '\\', 1)) == 0;
  }

  /// A string, its escapes resolved.
  std::string_view string() {
    expect('"');
    const size_t begin = at_;
    while (at_ + 8 <= text_.size() && is_plain(at_)) at_ += 8;
    for (;; ++at_) {
      const auto c = static_cast<uint8_t>(peek());
      if (c == '"') return text_.substr(begin, at_++ - begin);
      if (c == '\\') break;
      if (c < 0x20) throw NotPlain();
    }
    std::string& out = out_.lists.unescaped.emplace_back(text_.substr(begin, at_ - begin));
    while (peek() != '"') {
      const char c = text_[at_++];
      if (static_cast<uint8_t>(c) < 0x20) throw NotPlain();
      if (c == '\\') {
        escape(out);
      } else {
        out += c;
      }
    }
    ++at_;
    return out;
  }

  void escape(std::string& out) {
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    const char c = peek();
    ++at_;
    if (c == 'u') return unicode(out);
    const size_t known = kFrom.find(c);
    if (known == std::string_view::npos) throw NotPlain();
    out += kTo[known];
  }

  uint32_t four_digits() {
    uint32_t code = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || error != std::errc() || end != digits.data() + 4) throw NotPlain();
    at_ += 4;
    return code;
  }

  void unicode(std::string& out) {
    char32_t code = four_digits();
    if (code >= 0xDC00 && code < 0xE000) throw NotPlain();
    if (code >= 0xD800 && code < 0xDC00) {
      expect('\\');
      expect('u');
      const uint32_t low = four_digits();
      if (low < 0xDC00 || low >= 0xE000) throw NotPlain();
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    char buffer[4];
    out.append(buffer, static_cast<size_t>(encode_utf8(code, buffer)));
  }

  /// Any value; the strict parser reads it again.
  void skip_value() {
    int depth = 0;
    do {
      const char c = peek();
      if (c == '"') {
        skip_string();
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}' || c == ']')) return;
      depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
      ++at_;
    } while (depth > 0 || (peek() != ',' && peek() != '}' && peek() != ']'));
  }

  void skip_string() {
    for (++at_; peek() != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t copied_ = 0;
  SplitFile out_;
};

}  // namespace

std::optional<SplitFile> split_file(std::string_view text) {
  if (valid_utf8_prefix(text) != text.size()) return std::nullopt;
  try {
    return Scanner(text).run();
  } catch (const NotPlain&) {
    return std::nullopt;
  }
}

}  // namespace gamut::text
