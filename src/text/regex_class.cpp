#include "text/regex_class.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "text/category.h"

namespace gamut::text {
namespace {

constexpr std::string_view kCategoryNames[] = {"Cn", "Cc", "Cf", "Co", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn",
                                               "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi",
                                               "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp"};
constexpr uint32_t kLetterNumbers = category_bit(Category::kNl), kDecimals = category_bit(Category::kNd);
constexpr std::string_view kSpaceMembers = "\\t-\\r\\x{85}\\p{Z}";

/// A name without what does not count in it: case, spaces, - and _.
std::string plain_name(std::string_view name) {
  std::string out;
  for (char c : name) {
    if (c != ' ' && c != '-' && c != '_') out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  return out;
}

std::string range(char32_t first, char32_t last) {
  return fmt::format("\\x{{{:x}}}-\\x{{{:x}}}", uint32_t{first}, uint32_t{last});
}

std::string ranges(std::span<const CharSpan> spans) {
  std::string out;
  for (const CharSpan& span : spans) out += range(span.first, span.last);
  return out;
}

/// Every character of a category, for one that characters have left since Unicode 14: no bracket can take them out.
std::string spelled_out(Category category) {
  std::string out;
  constexpr char32_t kEnd = 0x110000;
  for (char32_t c = 0, first = kEnd; c <= kEnd; ++c) {
    const bool is_member = c < kEnd && (category_mask(c) & category_bit(category));
    if (is_member && first == kEnd) first = c;
    if (is_member || first == kEnd) continue;
    out += range(first, c - 1);
    first = kEnd;
  }
  return out;
}

bool was_left(Category category, uint32_t set) {
  const auto changes = category_changes();
  return std::any_of(changes.begin(), changes.end(), [&](const CategoryChange& change) {
    return change.old_category == category && !(set & category_bit(change.category));
  });
}

/// The characters of a set of categories. Those that Unicode 14 puts elsewhere, whose tables PCRE2 has, by their range.
std::string members_of(uint32_t set) {
  std::string out;
  for (std::string_view group : {"L", "M", "N", "P", "S", "Z"}) {
    uint32_t all = 0;
    for (size_t i = 0; i < std::size(kCategoryNames); ++i) all |= kCategoryNames[i][0] == group[0] ? 1u << i : 0;
    if ((set & all) == all) out += fmt::format("\\p{{{}}}", group);
  }
  for (size_t i = 0; i < std::size(kCategoryNames); ++i) {
    const bool named = out.find(fmt::format("\\p{{{}}}", kCategoryNames[i][0])) != std::string::npos;
    if (!(set >> i & 1) || named) continue;
    const auto category = static_cast<Category>(i);
    out += was_left(category, set) ? spelled_out(category) : fmt::format("\\p{{{}}}", kCategoryNames[i]);
  }
  for (const CategoryChange& change : category_changes()) {
    const bool is_member = set & category_bit(change.category), was = set & category_bit(change.old_category);
    if (is_member && !was) out += range(change.first, change.last);
  }
  return out;
}

/// The categories of a name such as "L", "LU" or "LETTER"; nothing for other names.
std::optional<uint32_t> categories_of(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kLong[] = {
      {"LETTER", "L"}, {"MARK", "M"}, {"NUMBER", "N"}, {"PUNCTUATION", "P"}, {"SYMBOL", "S"}, {"SEPARATOR", "Z"}};
  for (const auto& [spelled, brief] : kLong) {
    if (name == spelled) name = brief;
  }
  uint32_t set = 0;
  for (size_t i = 0; i < std::size(kCategoryNames); ++i) {
    const bool same = plain_name(kCategoryNames[i]) == name;
    if (same || (name.size() == 1 && kCategoryNames[i][0] == name[0])) set |= 1u << i;
  }
  return set == 0 ? std::nullopt : std::optional(set);
}

// Superscript one to three and the vulgar fractions of Latin-1, which only \\w and \\p{Word} have.
constexpr const char* kWordNumbers = "\\xb2\\xb3\\xb9\\xbc-\\xbe";

CharacterClass word_class(bool negated = false) {
  const uint32_t categories = kLetters | kMarks | kDecimals | kLetterNumbers | category_bit(Category::kPc);
  return {members_of(categories) + ranges(further_alphabetic()), negated, kWordNumbers};
}
std::string alphabetic_members() { return members_of(kLetters | kLetterNumbers) + ranges(further_alphabetic()); }

}  // namespace

std::optional<CharacterClass> escape_class(char letter) {
  switch (letter) {
    case 'h':
    case 'H': return CharacterClass{"0-9a-fA-F", letter == 'H'};
    case 's':
    case 'S': return CharacterClass{std::string(kSpaceMembers), letter == 'S'};
    case 'w':
    case 'W': return word_class(letter == 'W');
    case 'd':
    case 'D': return CharacterClass{members_of(kDecimals), letter == 'D'};
    default: return std::nullopt;
  }
}

std::optional<CharacterClass> posix_class(std::string_view name) {
  const uint32_t control = category_bit(Category::kCc), space = kSeparators;
  if (name == "alpha") return CharacterClass{alphabetic_members()};
  if (name == "alnum") return CharacterClass{alphabetic_members() + members_of(kDecimals)};
  if (name == "digit") return escape_class('d');
  if (name == "space") return escape_class('s');
  if (name == "upper") return CharacterClass{members_of(category_bit(Category::kLu)) + ranges(further_upper())};
  if (name == "lower") return CharacterClass{members_of(category_bit(Category::kLl)) + ranges(further_lower())};
  if (name == "punct") return CharacterClass{members_of(kPunctuations | kSymbols)};
  if (name == "cntrl") return CharacterClass{members_of(control)};
  if (name == "blank") return CharacterClass{"\\t" + members_of(category_bit(Category::kZs))};
  if (name == "xdigit") return escape_class('h');
  if (name == "ascii") return CharacterClass{"\\x00-\\x7f"};
  if (name == "word") return word_class();
  // All that is assigned, and what of it is no separator.
  const uint32_t assigned = category_bits(Category::kCf, Category::kZp);
  if (name == "graph") return CharacterClass{members_of(assigned & ~space)};
  if (name == "print") return CharacterClass{members_of(assigned & ~(space & ~category_bit(Category::kZs)))};
  return std::nullopt;
}

CharacterClass property_class(std::string_view name) {
  CharacterClass out;
  if (!name.empty() && name[0] == '^') out.negated = true, name.remove_prefix(1);
  const std::string plain = plain_name(name);
  std::string lower = plain;
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (auto set = categories_of(plain == "OTHER" ? "C" : plain)) {
    // What is unassigned is what is in none of the other categories: PCRE2 knows fewer of them.
    const uint32_t all = category_bits(Category::kCn, Category::kZp);
    if (*set & category_bit(Category::kCn)) out.negated = !out.negated, set = all & ~*set;
    out.members = members_of(*set);
  } else if (plain == "PUNCT") {
    out.members = members_of(kPunctuations);
  } else if (const auto posix = posix_class(lower)) {
    out.members = posix->members, out.alone = posix->alone;
  } else {
    // Scripts without the characters that several share, which PCRE2 counts to all of them unless told otherwise.
    const bool is_script = is_script_name(plain);
    out.members = fmt::format("\\p{{{}{}}}", is_script ? "sc:" : "", plain);
    for (const ScriptAddition& addition : script_additions()) {
      if (plain == addition.script) out.members += range(addition.first, addition.last);
    }
  }
  return out;
}

void CharacterSet::add(const CharacterClass& added) {
  if (added.negated) {
    others.push_back("[^" + added.members + "]");
  } else {
    members += added.members;
  }
}

std::string CharacterSet::pattern(bool negated) const {
  if (others.empty()) return (negated ? "[^" : "[") + members + "]";
  std::string any;
  for (const std::string& other : others) any += (any.empty() ? "" : "|") + other;
  if (negated) return "(?:(?!" + any + ")" + (members.empty() ? "(?s:.)" : "[^" + members + "]") + ")";
  return members.empty() ? "(?:" + any + ")" : "(?:[" + members + "]|" + any + ")";
}

std::string intersection_pattern(const std::vector<CharacterSet>& sets, bool negated) {
  std::string all;
  for (size_t i = 0; i < sets.size(); ++i) {
    const std::string set = sets[i].pattern(false);
    all += i + 1 < sets.size() ? "(?=" + set + ")" : set;
  }
  return negated ? "(?:(?!" + all + ")(?s:.))" : "(?:" + all + ")";
}

}  // namespace gamut::text
