// The parts of a number as a text, for both of Python's ways of formatting.
#pragma once

#include <cstdint>
#include <string>

#include "text/template/value.h"

namespace gamut::jinja {

struct NumberStyle {
  char type = 'd';         ///< d x X o b, or e E f F g G
  char sign = '-';         ///< what stands before a number that is not negative, if not '-'
  bool alternate = false;  ///< '#': a prefix, a point
  int64_t precision = -1;  ///< digits behind the point, or significant ones; negative: 6
};

struct NumberText {
  std::string sign, prefix, digits;
  std::string whole() const { return sign + prefix + digits; }
};

/// Of an int of any size, or a bool.
NumberText integer_parts(const Value& v, const NumberStyle& style);
NumberText real_parts(double d, const NumberStyle& style);

}  // namespace gamut::jinja
