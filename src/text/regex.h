// Regular expressions of tokenizer files: Oniguruma's syntax, run by PCRE2.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/aligned_text.h"

namespace gamut::text {

/// A compiled expression; immutable, may be used by several threads at once.
class Regex {
 public:
  /// Throws Error{kInvalidFile}, naming `where`, for a pattern that is none and Error{kUnsupported} for what
  /// Oniguruma knows and gamut does not (set operations, nested sets).
  Regex(const std::string& pattern, const std::string& where);

  /// Appends all matches in `text` (valid UTF-8), from left to right without overlap. Throws Error{kResourceLimit} when
  /// the pattern needs too many steps on this text.
  void find_all(std::string_view text, std::vector<ByteSpan>& matches) const;

 private:
  std::shared_ptr<const void> code_;
  std::string pattern_;
};

/// The PCRE2 pattern that matches what Oniguruma matches with `pattern`; errors as Regex.
std::string translate_regex(const std::string& pattern, const std::string& where);

}  // namespace gamut::text
