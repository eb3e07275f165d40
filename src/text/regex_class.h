// Classes of characters in regular expressions: their members as PCRE2 is told them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gamut::text {

/// A class under one of the names of an expression: \w, \p{Lu}, [:alpha:].
struct CharacterClass {
  std::string members;  ///< what stands between the brackets of a set
  bool negated = false;
  std::string alone = {};  ///< members that the class has only where it is not in a set

  /// An expression for one character outside of sets.
  std::string pattern() const { return (negated ? "[^" : "[") + members + alone + "]"; }
};

/// The class of \h \H \s \S \w \W \d \D; nothing for other letters.
std::optional<CharacterClass> escape_class(char letter);
/// The class of [:name:]; nothing for other names.
std::optional<CharacterClass> posix_class(std::string_view name);
/// The class of \p{name}: a category, a POSIX class, or what PCRE2 makes of the name.
CharacterClass property_class(std::string_view name);

/// What a set has between its brackets: members, and expressions of one character for what no bracket can hold.
struct CharacterSet {
  std::string members;
  std::vector<std::string> others = {};
  bool has_negated_set = false;  ///< one of the others is a set in the set, as [^a] in [b[^a]]

  void add(const CharacterClass& added);
  /// An expression for one character.
  std::string pattern(bool negated) const;
};

/// The characters that are in all of `sets`, or not (`negated`).
std::string intersection_pattern(const std::vector<CharacterSet>& sets, bool negated);

}  // namespace gamut::text
