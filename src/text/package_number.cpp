#include "text/package_number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace gamut::text {
namespace {

constexpr int64_t kMost = 308;

/// 10 to the `exponent`, correctly rounded; up to 308.
double power_of_ten(int64_t exponent) {
  static const std::array<double, kMost + 1> kPowers = [] {
    std::array<double, kMost + 1> powers{};
    for (size_t i = 0; i < powers.size(); ++i) {
      char text[8] = "1e";
      const char* const end = std::to_chars(text + 2, text + sizeof(text), i).ptr;
      std::from_chars(text, end, powers[i]);
    }
    return powers;
  }();
  return kPowers[static_cast<size_t>(exponent)];
}

double scaled(uint64_t significand, int64_t exponent) {
  auto value = static_cast<double>(significand);
  while (exponent < -kMost && value != 0) {
    value /= power_of_ten(kMost);
    exponent += kMost;
  }
  if (exponent < 0) return exponent < -kMost ? 0 : value / power_of_ten(-exponent);
  return exponent > kMost ? (value == 0 ? 0 : HUGE_VAL) : value * power_of_ten(exponent);
}

}  // namespace

double package_number(std::string_view digits) {
  const bool negative = !digits.empty() && digits[0] == '-';
  constexpr uint64_t kNearlyFull = UINT64_MAX / 10 - 1;
  uint64_t significand = 0;
  int64_t exponent = 0, written = 0;
  bool fraction = false, full = false;
  for (size_t i = negative; i < digits.size(); ++i) {
    const char c = digits[i];
    if (c == 'e' || c == 'E') {
      const size_t begin = i + 1 < digits.size() && digits[i + 1] == '+' ? i + 2 : i + 1;
      std::from_chars(digits.data() + begin, digits.data() + digits.size(), written);
      break;
    }
    if (c == '.') {
      fraction = true;
      continue;
    }
    const auto digit = static_cast<uint64_t>(c - '0');
    full = full || (significand >= kNearlyFull && significand > (UINT64_MAX - digit) / 10);
    if (full) {
      exponent += fraction ? 0 : 1;  // digits that no longer fit do not count, but their places do
      continue;
    }
    significand = significand * 10 + digit;
    exponent -= fraction ? 1 : 0;
  }
  const double value = scaled(significand, exponent + written);
  return negative ? -value : value;
}

double package_number(double value) {
  char text[32];
  const char* const end = std::to_chars(text, text + sizeof(text), value).ptr;
  return std::isfinite(value) ? package_number(std::string_view(text, static_cast<size_t>(end - text))) : value;
}

}  // namespace gamut::text
