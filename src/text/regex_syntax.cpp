// From Oniguruma's syntax (Ruby's) to PCRE2's.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/excerpt.h"
#include "text/regex.h"
#include "text/regex_class.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

/// Whether Oniguruma folds a character, without regard to case, to several, or several to it: PCRE2 knows no such
/// thing. ASCII pairs are looked at apart.
bool folds_to_several(char32_t c) {
  static constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0xDF, 0xDF},     {0x130, 0x130},   {0x149, 0x149},   {0x1F0, 0x1F0},   {0x2BC, 0x2BE},
      {0x300, 0x345},   {0x390, 0x390},   {0x3B0, 0x3B0},   {0x3B9, 0x3B9},   {0x399, 0x399},
      {0x587, 0x587},   {0x565, 0x565},   {0x582, 0x582},   {0x574, 0x574},   {0x57E, 0x57E},
      {0x1E96, 0x1E9E}, {0x1F50, 0x1F56}, {0x1F80, 0x1FFC}, {0xFB00, 0xFB06}, {0xFB13, 0xFB17},
  };
  return std::any_of(std::begin(kRanges), std::end(kRanges),
                     [&](const auto& range) { return range.first <= c && c <= range.second; });
}

class Translator {
 public:
  Translator(std::string_view pattern, const std::string& where) : in_(pattern), where_(where) {}

  std::string run() {
    groups_.push_back({0, 0, false});
    while (at_ < in_.size()) {
      const char c = in_[at_];
      if (c == '\\') {
        escape();
      } else if (c == '[') {
        begin_atom();
        ++at_;
        out_ += read_set(0);
      } else if (c == '(') {
        open_group();
      } else if (c == ')') {
        close_group();
      } else if (is_quantifier()) {
        quantifier();
      } else if (c == '|') {
        out_ += c, ++at_, last_ = 0;
      } else {
        literal();
      }
    }
    out_.append(groups_.back().options, ')');
    return std::move(out_);
  }

 private:
  struct Group {
    size_t begin;    ///< of the group in out_
    size_t options;  ///< groups opened for options that hold to the end of this one
    bool ignores_case;
  };

  [[noreturn]] void unsupported(std::string_view what) const {
    fail(ErrorCode::kUnsupported, "{}: pattern \"{}\": {} is not supported", where_, excerpt(in_, 80), what);
  }
  [[noreturn]] void invalid(std::string_view what) const {
    fail(ErrorCode::kInvalidFile, "{}: pattern \"{}\": {}", where_, excerpt(in_, 80), what);
  }

  bool looking_at(std::string_view text) const { return in_.substr(at_, text.size()) == text; }

  /// What a quantifier that follows repeats starts here.
  void begin_atom() { atom_ = out_.size(), last_ = 0; }

  char32_t read_character() {
    const char* p = in_.data() + at_;
    const char32_t c = decode_utf8(p);
    at_ = static_cast<size_t>(p - in_.data());
    return c;
  }

  void check_case(char32_t c) {
    if (!groups_.back().ignores_case) return;
    const char32_t lower = c >= 'A' && c <= 'Z' ? c + 32 : c;
    const bool pair = (last_ == 's' && (lower == 's' || lower == 't')) ||
                      (last_ == 'f' && (lower == 'f' || lower == 'i' || lower == 'l'));
    if (pair || folds_to_several(c)) unsupported("a letter that equals several others without regard to case");
    last_ = lower;
  }

  void literal() {
    const size_t begin = at_;
    const char32_t before = last_, c = read_character();
    begin_atom();
    last_ = before;
    check_case(c);
    out_ += in_.substr(begin, at_ - begin);
  }

  void open_group() {
    last_ = 0;
    if (looking_at("(?#")) {
      const size_t end = in_.find(')', at_);
      if (end == std::string_view::npos) invalid("a comment without end");
      at_ = end + 1;
      return;
    }
    if (looking_at("(?~")) unsupported("an absent operator");
    if (groups_.size() > 200) invalid("groups nested deeper than 200");
    if (looking_at("(?")) return open_special();
    groups_.push_back({out_.size(), 0, groups_.back().ignores_case});
    out_ += '(', ++at_;
  }

  /// (?i) holds to the end of the group that it is in, alternatives included, as a group around all of that.
  /// Oniguruma's m is PCRE2's s.
  void open_special() {
    bool ignores_case = groups_.back().ignores_case, on = true;
    const size_t end = in_.find_first_not_of("imx-", at_ + 2);
    const bool options = end != std::string_view::npos && (in_[end] == ':' || in_[end] == ')');
    if (!options) {
      groups_.push_back({out_.size(), 0, ignores_case});
      out_ += "(?", at_ += 2;
      // What is a name or an assertion is no literal.
      while (at_ < in_.size() && std::string_view("<=!>:").find(in_[at_]) != std::string_view::npos) out_ += in_[at_++];
      if (out_.back() == '<') copy_name('>');
      return;
    }
    std::string flags;
    for (at_ += 2; at_ < end; ++at_) {
      const char c = in_[at_];
      if (c == 'x' && on) unsupported("the option x");
      if (c == '-') on = false;
      if (c == 'i') ignores_case = on;
      if (c != 'x') flags += c == 'm' ? 's' : c;
    }
    if (in_[end] == ')') {
      ++groups_.back().options;
      groups_.back().ignores_case = ignores_case;
    } else {
      groups_.push_back({out_.size(), 0, ignores_case});
    }
    at_ = end + 1;
    out_ += "(?" + flags + ":";
    begin_atom();
  }

  void copy_name(char closing) {
    const size_t end = in_.find(closing, at_);
    if (end == std::string_view::npos) invalid("a name without end");
    out_ += in_.substr(at_, end + 1 - at_);
    at_ = end + 1;
  }

  void close_group() {
    if (groups_.size() == 1) invalid("an unmatched )");
    out_.append(groups_.back().options + 1, ')');
    begin_atom();
    atom_ = groups_.back().begin;
    groups_.pop_back();
    ++at_;
  }

  /// The length of {n}, {n,}, {,m} or {n,m} here, 0 for anything else.
  size_t interval_length() const {
    size_t p = at_ + 1;
    auto digits = [&] {
      const size_t begin = p;
      while (p < in_.size() && in_[p] >= '0' && in_[p] <= '9') ++p;
      return p > begin;
    };
    const bool low = digits();
    const bool comma = p < in_.size() && in_[p] == ',';
    if (comma) ++p;
    const bool high = comma && digits();
    return (low || high) && p < in_.size() && in_[p] == '}' ? p + 1 - at_ : 0;
  }

  bool is_quantifier() const {
    if (at_ >= in_.size()) return false;
    const char c = in_[at_];
    return c == '*' || c == '+' || c == '?' || (c == '{' && interval_length() > 0);
  }

  void wrap() {
    out_.insert(atom_, "(?:");
    out_ += ')';
  }

  /// Behind an interval + repeats once more; behind {n} so does ?.
  void quantifier() {
    if (out_.size() == atom_) invalid("a quantifier without anything to repeat");
    const size_t length = in_[at_] == '{' ? interval_length() : 1;
    const std::string_view text = in_.substr(at_, length);
    at_ += length;
    out_ += text.substr(0, 2) == "{," ? "{0" + std::string(text.substr(1)) : std::string(text);
    const bool fixed = length > 1 && text.find(',') == std::string_view::npos;
    if (at_ < in_.size() && (in_[at_] == '+' || in_[at_] == '?')) {
      if (length > 1 && (in_[at_] == '+' || fixed)) wrap();
      out_ += in_[at_++];
    }
    if (is_quantifier()) wrap();
    last_ = 0;
  }

  void escape() {
    const char c = at_ + 1 < in_.size() ? in_[at_ + 1] : '\0';
    begin_atom();
    if (c == 'b' || c == 'B') {
      const std::string w = escape_class('w')->pattern();
      const std::string a = "(?<=" + w + ")(?" + (c == 'b' ? '!' : '=') + w + ")";
      const std::string b = "(?<!" + w + ")(?" + (c == 'b' ? '=' : '!') + w + ")";
      out_ += "(?:" + a + "|" + b + ")", at_ += 2;
    } else if (c == 'k' || c == 'g') {
      out_ += '\\', out_ += c, at_ += 2;
      if (!looking_at("<")) unsupported("\\k or \\g without <name>");
      copy_name('>');
    } else if (c >= '1' && c <= '9') {
      out_ += '\\', ++at_;
      while (at_ < in_.size() && in_[at_] >= '0' && in_[at_] <= '9') out_ += in_[at_++];
    } else if (const auto known = read_class()) {
      out_ += known->pattern();
    } else if (std::string_view("RNAzZGK").find(c) != std::string_view::npos && c != '\0') {
      out_ += '\\', out_ += c, at_ += 2;
    } else {
      out_ += read_escaped();
    }
  }

  /// \w, \p{…} and their like, in a set or not; nothing, and no step, for other escapes.
  std::optional<CharacterClass> read_class() {
    const char c = at_ + 1 < in_.size() ? in_[at_ + 1] : '\0';
    if (c != 'p' && c != 'P') {
      auto known = escape_class(c);
      if (known) at_ += 2;
      return known;
    }
    const size_t end = in_.substr(at_ + 2, 1) == "{" ? in_.find('}', at_) : std::string_view::npos;
    if (end == std::string_view::npos) invalid("\\p without {…}");
    const std::string_view name = in_.substr(at_ + 3, end - at_ - 3);
    if (name.find_first_not_of("^ -_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") !=
        std::string_view::npos) {
      invalid("a property that is no name");
    }
    CharacterClass property = property_class(name);
    if (c == 'P') property.negated = !property.negated;
    at_ = end + 1;
    return property;
  }

  /// One escaped character, as PCRE2 reads it in a set and elsewhere.
  std::string read_escaped() {
    const char c = at_ + 1 < in_.size() ? in_[at_ + 1] : '\0';
    if (c == '\0') invalid("a \\ at the end");
    at_ += 2;
    if (c == 'v') return "\\x0b";
    if (c == 'x' || c == 'u') return read_code(c);
    if (c == '0') {
      std::string digits = "\\0";
      while (digits.size() < 4 && at_ < in_.size() && in_[at_] >= '0' && in_[at_] <= '7') digits += in_[at_++];
      return digits;
    }
    if (std::string_view("aefnrt").find(c) != std::string_view::npos) return {'\\', c};
    if (std::string_view("yYOCMcX").find(c) != std::string_view::npos) unsupported(fmt::format("\\{}", c));
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (word) return {c};
    --at_;
    const size_t begin = at_;
    const char32_t character = read_character();
    check_case(character);
    return (character < 128 ? "\\" : "") + std::string(in_.substr(begin, at_ - begin));
  }

  /// \x{…}, \xHH or \uHHHH behind its letter.
  std::string read_code(char kind) {
    std::string digits;
    const bool braces = kind == 'x' && looking_at("{");
    if (braces) ++at_;
    const size_t most = braces ? 8 : kind == 'u' ? 4 : 2;
    auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
    while (digits.size() < most && at_ < in_.size() && is_hex(in_[at_])) digits += in_[at_++];
    if (digits.empty() || (braces && !looking_at("}"))) invalid("a character code that is none");
    if (braces) ++at_;
    if (kind == 'x' && !braces && digits.size() == 2 && digits[0] >= '8') unsupported("a byte above 0x7f");
    return "\\x{" + digits + "}";
  }

  /// A set, behind its [, as an expression for one character.
  std::string read_set(int depth) {
    if (depth > 30) invalid("sets nested deeper than 30");
    const bool negated = looking_at("^");
    if (negated) ++at_;
    std::vector<CharacterSet> operands(1);
    if (looking_at("]")) operands[0].members = "\\]", ++at_;
    for (;;) {
      if (at_ >= in_.size()) invalid("a set without end");
      if (in_[at_] == ']') break;
      if (looking_at("&&")) {
        operands.emplace_back(), at_ += 2;
      } else {
        read_member(operands.back(), depth);
      }
    }
    ++at_;
    for (const CharacterSet& operand : operands) {
      if (operand.members.empty() && operand.others.empty()) invalid("an empty set");
      // Oniguruma does not make the union of the two.
      const bool alone = operand.members.empty() && operand.others.size() == 1;
      if (operand.has_negated_set && !alone) unsupported("a negated set beside other members of a set");
    }
    return operands.size() == 1 ? operands[0].pattern(negated) : intersection_pattern(operands, negated);
  }

  void read_member(CharacterSet& set, int depth) {
    const char c = in_[at_];
    last_ = 0;
    if (looking_at("[:")) {
      if (read_posix(set)) return;
    }
    if (c == '[') {
      ++at_;
      set.has_negated_set |= looking_at("^");
      set.others.push_back(read_set(depth + 1));
    } else if (c != '\\') {
      const size_t begin = at_;
      check_case(read_character());
      set.members += in_.substr(begin, at_ - begin);
    } else if (const auto known = read_class()) {
      set.add(*known);
    } else if (looking_at("\\b")) {
      set.members += "\\x08", at_ += 2;
    } else {
      set.members += read_escaped();
    }
  }

  bool read_posix(CharacterSet& set) {
    const size_t end = in_.find(":]", at_);
    if (end == std::string_view::npos) return false;
    std::string_view name = in_.substr(at_ + 2, end - at_ - 2);
    const bool negated = name.substr(0, 1) == "^";
    auto known = posix_class(name.substr(negated));
    if (!known) return false;
    known->negated = negated;
    set.add(*known);
    at_ = end + 2;
    return true;
  }

  std::string_view in_;
  const std::string& where_;
  std::string out_;
  size_t at_ = 0;
  size_t atom_ = 0;    ///< where what a quantifier repeats begins in out_
  char32_t last_ = 0;  ///< the letter before, where case does not count
  std::vector<Group> groups_;
};

}  // namespace

std::string translate_regex(const std::string& pattern, const std::string& where) {
  return Translator(pattern, where).run();
}

}  // namespace gamut::text
