#include "text/template/number_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "text/template/numbers.h"
#include "text/template/repr.h"

namespace gamut::jinja {
namespace {

std::string sign_of(bool negative, char sign) {
  if (negative) return "-";
  return sign == '+' || sign == ' ' ? std::string(1, sign) : "";
}

}  // namespace

NumberText integer_parts(const Value& v, const NumberStyle& style) {
  const BigInteger value = big_of(v);
  const char kind = static_cast<char>(style.type | 0x20);
  const int base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 10;
  NumberText made;
  made.sign = sign_of(value.is_negative(), style.sign);
  const BigInteger magnitude = value.is_negative() ? -value : value;
  made.digits = base == 10 ? integer_text(magnitude) : magnitude.text(base);
  if (style.alternate && base != 10) made.prefix = std::string("0") + style.type;
  if (style.type == 'X')
    std::ranges::transform(made.digits, made.digits.begin(), [](unsigned char c) { return std::toupper(c); });
  return made;
}

NumberText real_parts(double d, const NumberStyle& style) {
  NumberText made;
  made.sign = sign_of(std::signbit(d) && !std::isnan(d), style.sign);
  const bool upper = style.type == 'E' || style.type == 'F' || style.type == 'G';
  if (!std::isfinite(d)) {
    made.digits = std::isnan(d) ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf");
    return made;
  }
  const int64_t precision = style.precision < 0 ? 6 : style.precision;
  if (style.alternate) {
    char format[] = {'%', '#', '.', '*', style.type, '\0'};
    made.digits.resize(
        static_cast<size_t>(std::snprintf(nullptr, 0, format, static_cast<int>(precision), std::abs(d))));
    std::snprintf(made.digits.data(), made.digits.size() + 1, format, static_cast<int>(precision), std::abs(d));
  } else {
    const std::string specification = "{:." + std::to_string(precision) + style.type + "}";
    made.digits = fmt::format(fmt::runtime(specification), std::abs(d));
  }
  return made;
}

}  // namespace gamut::jinja
