#include "text/template/lexer.h"

#include <algorithm>

#include "text/template/exception.h"
#include "text/template/python_unicode.h"
#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut::jinja {
namespace {

[[noreturn]] void syntax_error(std::string message, int line) {
  throw Exception{ExceptionType::kTemplateSyntaxError, std::move(message), line};
}

/// CRLF and CR become LF, and one newline at the end goes.
std::string normalized(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string source) : source_(std::move(source)) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) root();
    add(TokenType::kEnd, "");
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return std::string_view(source_).substr(at_); }
  bool starts(std::string_view what) const { return rest().starts_with(what); }
  void advance(size_t bytes) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<ptrdiff_t>(at_),
                                         source_.begin() + static_cast<ptrdiff_t>(at_ + bytes), '\n'));
    at_ += bytes;
  }
  void add(TokenType type, std::string text) { tokens_.push_back({type, line_, std::move(text)}); }

  size_t space_at(size_t from) const {
    size_t at = from;
    while (at < source_.size()) {
      const char* p = source_.data() + at;
      if (!has_property(text::decode_utf8(p), kSpace)) break;
      at = static_cast<size_t>(p - source_.data());
    }
    return at - from;
  }

  /// The length of `word` with white space around it and the end of a block, from `from`; 0 if it is not there.
  size_t tag_length(size_t from, std::string_view word, bool plus_allowed) const {
    size_t at = from + space_at(from);
    if (source_.compare(at, word.size(), word) != 0) return 0;
    at += word.size();
    at += space_at(at);
    const size_t end = block_end_length(at, plus_allowed);
    return end == 0 ? 0 : at + end - from;
  }
  /// Of `%}` with its sign and what it takes of the text behind it.
  size_t block_end_length(size_t at, bool trims) const {
    if (source_.compare(at, 3, "-%}") == 0) return 3 + space_at(at + 3);
    if (trims && source_.compare(at, 3, "+%}") == 0) return 3;
    if (source_.compare(at, 2, "%}") != 0) return 0;
    return trims && at + 2 < source_.size() && source_[at + 2] == '\n' ? 3 : 2;
  }

  /// Data up to a tag at `end`, stripped as the sign behind the tag's first two characters says.
  void data_until(size_t end, bool is_variable, char sign) {
    std::string_view data = std::string_view(source_).substr(at_, end - at_);
    const size_t whole = data.size();
    if (sign == '-') {
      data = strip(data, kStripRight);
    } else if (sign != '+' && !is_variable) {
      const size_t line_start = data.rfind('\n') + 1;  // npos + 1 is 0
      if ((line_start > 0 || line_starting_) && line_start < data.size() && is_all_space(data.substr(line_start))) {
        data = data.substr(0, line_start);
      }
    }
    if (!data.empty()) add(TokenType::kData, std::string(data));
    advance(whole);
  }
  static bool is_all_space(std::string_view text) { return strip(text, kStripLeft).empty(); }

  char sign_at(size_t at) const {
    return at < source_.size() && (source_[at] == '-' || source_[at] == '+') ? source_[at] : ' ';
  }

  void root() {
    size_t tag = at_;
    while ((tag = source_.find('{', tag)) != std::string::npos) {
      const char next = tag + 1 < source_.size() ? source_[tag + 1] : ' ';
      if (next == '%' || next == '{' || next == '#') break;
      ++tag;
    }
    if (tag == std::string::npos) {
      add(TokenType::kData, std::string(rest()));
      return advance(rest().size());
    }
    const char kind = source_[tag + 1], sign = sign_at(tag + 2);
    const size_t open = sign == ' ' ? 2 : 3;
    if (kind == '%') {
      if (const size_t raw = tag_length(tag + open, "raw", false)) {
        data_until(tag, false, sign);
        advance(open + raw);
        line_starting_ = at_ > 0 && source_[at_ - 1] == '\n';
        return raw_block();
      }
    }
    data_until(tag, kind == '{', sign);
    if (kind == '#') {
      advance(open);
      return comment();
    }
    add(kind == '%' ? TokenType::kBlockBegin : TokenType::kVariableBegin, "");
    advance(open);
    expression(kind == '%');
  }

  void comment() {
    const size_t end = source_.find("#}", at_);
    if (end == std::string::npos) syntax_error("Missing end of comment tag", line_);
    const char sign = end > at_ ? source_[end - 1] : ' ';
    advance(end + 2 - at_);
    if (sign == '-') {
      advance(space_at(at_));
    } else if (sign != '+' && starts("\n")) {
      advance(1);
    }
    line_starting_ = at_ > 0 && source_[at_ - 1] == '\n';
  }

  void raw_block() {
    if (at_ >= source_.size()) return;
    for (size_t tag = at_; (tag = source_.find("{%", tag)) != std::string::npos; ++tag) {
      const char sign = sign_at(tag + 2);
      const size_t open = sign == ' ' ? 2 : 3;
      const size_t length = tag_length(tag + open, "endraw", true);
      if (length == 0) continue;
      data_until(tag, false, sign);
      advance(open + length);
      line_starting_ = at_ > 0 && source_[at_ - 1] == '\n';
      return;
    }
    syntax_error("Missing end of raw directive", line_);
  }

  void expression(bool is_block) {
    std::vector<char> open;
    while (true) {
      if (at_ >= source_.size()) return;
      if (open.empty()) {
        size_t end = 0;
        if (is_block) {
          end = block_end_length(at_, true);
        } else if (starts("-}}")) {
          end = 3 + space_at(at_ + 3);
        } else if (starts("}}")) {
          end = 2;
        }
        if (end > 0) {
          add(is_block ? TokenType::kBlockEnd : TokenType::kVariableEnd, "");
          advance(end);
          line_starting_ = source_[at_ - 1] == '\n';
          return;
        }
      }
      token(open);
    }
  }

  void token(std::vector<char>& open) {
    if (const size_t space = space_at(at_)) return advance(space);
    const char c = source_[at_];
    if (const size_t length = float_length()) return number(TokenType::kFloat, length);
    if (const size_t length = integer_length()) return number(TokenType::kInteger, length);
    if (const size_t length = name_length()) return name(length);
    if ((c == '"' || c == '\'') && string(c)) return;
    for (std::string_view op : {"//", "**", "==", "!=", ">=", "<="}) {
      if (starts(op)) return operators(op, open);
    }
    if (std::string_view("+-/*%~[](){}><=.:|,;").find(c) != std::string_view::npos) {
      return operators(std::string_view(source_).substr(at_, 1), open);
    }
    const char* p = source_.data() + at_;
    text::decode_utf8(p);
    const auto length = static_cast<size_t>(p - source_.data()) - at_;
    syntax_error(fmt::format("unexpected char {} at {}", quoted(source_.substr(at_, length)),
                             text::count_characters(std::string_view(source_).substr(0, at_))),
                 line_);
  }

  void operators(std::string_view op, std::vector<char>& open) {
    const char c = op[0];
    if (c == '(' || c == '[' || c == '{') {
      open.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
    } else if (c == ')' || c == ']' || c == '}') {
      if (open.empty()) syntax_error(fmt::format("unexpected '{}'", c), line_);
      const char expected = open.back();
      open.pop_back();
      if (expected != c) syntax_error(fmt::format("unexpected '{}', expected '{}'", c, expected), line_);
    }
    add(TokenType::kOperator, std::string(op));
    advance(op.size());
  }

  size_t name_length() const {
    size_t at = at_;
    while (at < source_.size()) {
      const char* p = source_.data() + at;
      if (!has_property(text::decode_utf8(p), kName)) break;
      at = static_cast<size_t>(p - source_.data());
    }
    return at - at_;
  }
  void name(size_t length) {
    std::string text = source_.substr(at_, length);
    if (!is_identifier(text)) syntax_error("Invalid character in identifier", line_);
    add(TokenType::kName, std::move(text));
    advance(length);
  }

  static bool is_digit(char c, int base) {
    if (base == 16 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) return true;
    return c >= '0' && c < '0' + std::min(base, 10);
  }
  /// Digits with single underscores between them, from `at`; 0 if there are none.
  size_t digits(size_t at, int base, bool leading_underscore) const {
    const size_t from = at;
    while (at < source_.size()) {
      const bool underscore = source_[at] == '_' && (at > from || leading_underscore);
      if (at + underscore >= source_.size() || !is_digit(source_[at + underscore], base)) break;
      at += 1 + underscore;
    }
    return at - from;
  }
  size_t integer_length() const {
    const char c = source_[at_];
    if (c == '0' && at_ + 1 < source_.size()) {
      const char kind = static_cast<char>(source_[at_ + 1] | 0x20);
      const int base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 0;
      if (base > 0) {
        if (const size_t length = digits(at_ + 2, base, true)) return length + 2;
      }
    }
    if (c < '0' || c > '9') return 0;
    if (c != '0') return digits(at_, 10, false);
    size_t at = at_ + 1;
    while (at < source_.size() &&
           (source_[at] == '0' || (source_[at] == '_' && at + 1 < source_.size() && source_[at + 1] == '0'))) {
      ++at;
    }
    return at - at_;
  }
  size_t float_length() const {
    if (at_ > 0 && source_[at_ - 1] == '.') return 0;
    size_t at = at_ + digits(at_, 10, false);
    if (at == at_) return 0;
    bool is_float = false;
    if (at < source_.size() && source_[at] == '.') {
      if (const size_t fraction = digits(at + 1, 10, false)) {
        at += 1 + fraction;
        is_float = true;
      }
    }
    if (at < source_.size() && (source_[at] | 0x20) == 'e') {
      size_t exponent = at + 1;
      if (exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-')) ++exponent;
      if (const size_t length = digits(exponent, 10, false)) return exponent + length - at_;
    }
    return is_float ? at - at_ : 0;
  }
  void number(TokenType type, size_t length) {
    std::string text = source_.substr(at_, length);
    std::erase(text, '_');
    add(type, std::move(text));
    advance(length);
  }

  bool string(char quote) {
    size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) return false;
    add(TokenType::kString, unescape(std::string_view(source_).substr(at_ + 1, end - at_ - 1)));
    advance(end + 1 - at_);
    return true;
  }

  std::string unescape(std::string_view raw) const {
    std::string out;
    for (size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] != '\\' || i + 1 == raw.size()) {
        out += raw[i];
        continue;
      }
      const char c = raw[++i];
      static constexpr std::string_view kFrom = "\\'\"abfnrtv", kTo = "\\'\"\a\b\f\n\r\t\v";
      if (const size_t simple = kFrom.find(c); simple != std::string_view::npos) {
        out += kTo[simple];
      } else if (c == 'x' || c == 'u' || c == 'U') {
        const size_t count = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        append_code(out, raw, i, count,
                    c == 'x'   ? "truncated \\xXX escape"
                    : c == 'u' ? "truncated \\uXXXX escape"
                               : "truncated \\UXXXXXXXX escape");
      } else if (is_digit(c, 8)) {
        size_t count = 1;
        while (count < 3 && i + count < raw.size() && is_digit(raw[i + count], 8)) ++count;
        --i;
        append_code(out, raw, i, count, nullptr);
      } else if (c == 'N') {
        syntax_error(raw.substr(i).starts_with("N{") ? "names of characters (\\N{...}) are not supported"
                                                     : "malformed \\N character escape",
                     line_);
      } else if (c != '\n') {
        out += '\\';
        out += c;
      }
    }
    return out;
  }
  /// Appends the character whose number has `count` digits behind raw[i], and moves i to the last of them: octal ones,
  /// which are there, without an error for what is not a digit.
  void append_code(std::string& out, std::string_view raw, size_t& i, size_t count, const char* error) const {
    const int base = error == nullptr ? 8 : 16;
    char32_t code = 0;
    for (size_t k = 1; k <= count; ++k) {
      if (i + k >= raw.size() || !is_digit(raw[i + k], base)) syntax_error(error, line_);
      const char d = raw[i + k];
      code = code * static_cast<char32_t>(base) + static_cast<char32_t>(d <= '9' ? d - '0' : (d | 0x20) - 'a' + 10);
    }
    i += count;
    if (code > 0x10FFFF) syntax_error("illegal Unicode character", line_);
    if (code >= 0xD800 && code < 0xE000) syntax_error("surrogates not allowed", line_);
    char bytes[4];
    out.append(bytes, static_cast<size_t>(text::encode_utf8(code, bytes)));
  }

  std::string source_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(normalized(source)).run(); }

}  // namespace gamut::jinja
