#include "base/excerpt.h"

namespace gamut {

std::string excerpt(std::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  auto begins_a_character = [&](size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80; };
  // A character has at most three later bytes; what has more of them is not text.
  size_t end = most;
  for (size_t back = 0; back <= 3 && back < most; ++back) {
    if (begins_a_character(most - back)) {
      end = most - back;
      break;
    }
  }
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace gamut
