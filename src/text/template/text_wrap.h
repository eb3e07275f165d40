// Breaking a text into lines, as Python's textwrap does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gamut::jinja {

struct WrapStyle {
  int64_t width = 79;  ///< in characters
  bool break_long_words = true, break_on_hyphens = true;
};

/// The lines, without white space at their ends. Raises ValueError for a width that is not positive.
std::vector<std::string> wrapped_lines(std::string_view text, const WrapStyle& style);

}  // namespace gamut::jinja
