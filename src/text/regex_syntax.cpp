// From Oniguruma's syntax to PCRE2's.
#include <fmt/format.h>

#include <optional>

#include "base/error.h"
#include "text/category.h"
#include "text/regex.h"

namespace gamut::text {
namespace {

constexpr std::string_view kCategoryNames[] = {"Cn", "Cc", "Cf", "Co", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn",
                                               "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi",
                                               "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp"};

/// The categories of a property name such as "L", "Lu" or "Letter"; nothing for other properties.
std::optional<uint32_t> categories_of(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kLong[] = {
      {"Letter", "L"}, {"Mark", "M"}, {"Number", "N"}, {"Punctuation", "P"}, {"Symbol", "S"}, {"Separator", "Z"}};
  for (const auto& [spelled, brief] : kLong) {
    if (name == spelled) name = brief;
  }
  uint32_t set = 0;
  for (size_t i = 0; i < std::size(kCategoryNames); ++i) {
    if (kCategoryNames[i] == name || (name.size() == 1 && kCategoryNames[i][0] == name[0])) set |= 1u << i;
  }
  return set == 0 ? std::nullopt : std::optional(set);
}

/// The ranges that belong to `set` and that Unicode 14 puts elsewhere, for use inside a set.
std::string newer_members(uint32_t set) {
  std::string out;
  for (const CategoryChange& change : category_changes()) {
    if (!(set & category_bit(change.category)) || (set & category_bit(change.old_category))) continue;
    out += fmt::format("\\x{{{:x}}}-\\x{{{:x}}}", uint32_t{change.first}, uint32_t{change.last});
  }
  return out;
}

class Translator {
 public:
  Translator(std::string_view pattern, const std::string& where) : in_(pattern), where_(where) {}

  std::string run() {
    while (at_ < in_.size()) {
      const char c = in_[at_];
      if (c == '\\') {
        escape();
      } else if (in_set_) {
        set_member(c);
      } else if (c == '[') {
        open_set();
      } else if (c == '(' && in_.substr(at_, 2) == "(?") {
        group();
      } else if (c == '{' && in_.substr(at_, 2) == "{,") {
        out_ += "{0", ++at_;
      } else {
        out_ += c, ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void unsupported(const char* what) const {
    fail(ErrorCode::kUnsupported, "{}: pattern \"{}\": {} is not supported", where_, in_.substr(0, 80), what);
  }

  void open_set() {
    in_set_ = true;
    out_ += '[', ++at_;
    if (at_ < in_.size() && in_[at_] == '^') out_ += '^', ++at_;
    if (at_ < in_.size() && in_[at_] == ']') out_ += "\\]", ++at_;
  }

  void set_member(char c) {
    if (in_.substr(at_, 2) == "&&") unsupported("an intersection of sets");
    if (c == '[') {
      const size_t end = in_.substr(at_, 2) == "[:" ? in_.find(":]", at_) : std::string_view::npos;
      if (end == std::string_view::npos) unsupported("a set inside a set");
      out_ += in_.substr(at_, end + 2 - at_);
      at_ = end + 2;
      return;
    }
    in_set_ = c != ']';
    out_ += c, ++at_;
  }

  /// Options: Oniguruma's m is PCRE2's s.
  void group() {
    out_ += "(?", at_ += 2;
    const size_t end = in_.find_first_not_of("imx-", at_);
    if (end == std::string_view::npos || (in_[end] != ':' && in_[end] != ')')) return;
    for (; at_ < end; ++at_) out_ += in_[at_] == 'm' ? 's' : in_[at_];
  }

  void escape() {
    const char c = at_ + 1 < in_.size() ? in_[at_ + 1] : '\0';
    at_ += 2;
    switch (c) {
      case '\0': fail(ErrorCode::kInvalidFile, "{}: pattern \"{}\" ends with \\", where_, in_.substr(0, 80));
      case 'h': return in_class("0-9a-fA-F", false);
      case 'H': return in_class("0-9a-fA-F", true);
      // PCRE2's \\s has U+180E besides these.
      case 's': return in_class("\\t-\\r\\x{85}\\p{Z}", false);
      case 'S': return in_set_ ? in_class("\\S\\x{180e}", false) : in_class("\\t-\\r\\x{85}\\p{Z}", true);
      case 'w': return in_class(word(), false);
      case 'W': return in_class(word(), true);
      case 'd': return in_class("\\p{Nd}" + newer_members(*categories_of("Nd")), false);
      case 'D': return in_class("\\p{Nd}" + newer_members(*categories_of("Nd")), true);
      case 'u':
        out_ += fmt::format("\\x{{{}}}", in_.substr(std::min(at_, in_.size()), 4));
        at_ = std::min(at_ + 4, in_.size());
        return;
      case 'p':
      case 'P': return property(c == 'P');
      default: out_ += '\\', out_ += c;
    }
  }

  static std::string word() {
    const uint32_t set =
        kLetters | kMarks | category_bit(Category::kNd) | category_bit(Category::kNl) | category_bit(Category::kPc);
    return "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}" + newer_members(set);
  }

  /// Writes the members of a set, or the set of all others.
  void in_class(const std::string& members, bool negated) {
    if (in_set_ && negated) unsupported("a negated class with newer characters inside a set");
    out_ += in_set_ ? members : fmt::format("[{}{}]", negated ? "^" : "", members);
  }

  void property(bool negated) {
    const size_t end = at_ < in_.size() && in_[at_] == '{' ? in_.find('}', at_) : std::string_view::npos;
    if (end == std::string_view::npos) fail(ErrorCode::kInvalidFile, "{}: \\p without {{…}}", where_);
    std::string_view name = in_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (!name.empty() && name[0] == '^') negated = !negated, name.remove_prefix(1);
    const auto set = categories_of(name);
    const std::string newer = set ? newer_members(*set) : "";
    if (newer.empty() || (negated && in_set_)) {
      out_ += fmt::format("\\{}{{{}}}", negated ? 'P' : 'p', name);
      return;
    }
    const std::string_view brief = name.size() > 2 ? name.substr(0, 1) : name;
    in_class(fmt::format("\\p{{{}}}{}", brief, newer), negated);
  }

  std::string_view in_;
  const std::string& where_;
  std::string out_;
  size_t at_ = 0;
  bool in_set_ = false;
};

}  // namespace

std::string translate_regex(const std::string& pattern, const std::string& where) {
  return Translator(pattern, where).run();
}

}  // namespace gamut::text
