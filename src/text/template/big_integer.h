// Whole numbers of any size, as Python's int: only what templates can ask of them.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gamut::jinja {

class BigInteger {
 public:
  BigInteger() = default;
  explicit BigInteger(int64_t value);
  /// Of a finite number, its fraction cut off.
  static BigInteger from_real(double value);
  /// Digits of a base from 2 to 36, without a sign; nothing for anything else.
  static std::optional<BigInteger> parse(std::string_view digits, int base);

  bool is_zero() const { return limbs_.empty(); }
  bool is_negative() const { return negative_; }
  size_t bits() const;
  bool fits_int64() const;
  int64_t to_int64() const;
  /// Rounded to the nearest; infinite where no double is near.
  double to_real() const;
  std::string text(int base = 10) const;

  BigInteger operator-() const;
  friend BigInteger operator+(const BigInteger& a, const BigInteger& b);
  friend BigInteger operator-(const BigInteger& a, const BigInteger& b) { return a + -b; }
  friend BigInteger operator*(const BigInteger& a, const BigInteger& b);
  /// Quotient rounded down, and remainder with the sign of b, which is not zero.
  static std::pair<BigInteger, BigInteger> divide(const BigInteger& a, const BigInteger& b);

  friend std::strong_ordering operator<=>(const BigInteger& a, const BigInteger& b);
  friend bool operator==(const BigInteger& a, const BigInteger& b) = default;

 private:
  using Limbs = std::vector<uint32_t>;  // the lowest first, no zero at the end
  static void trim(Limbs& limbs);
  static std::strong_ordering compare_limbs(const Limbs& a, const Limbs& b);
  static Limbs sum(const Limbs& a, const Limbs& b);
  static Limbs difference(const Limbs& a, const Limbs& b);
  /// Divides in place by a small number; the remainder is returned.
  static uint32_t divide_small(Limbs& limbs, uint32_t by);
  static std::pair<Limbs, Limbs> divide_limbs(const Limbs& a, const Limbs& b);
  void set(Limbs limbs, bool negative);

  Limbs limbs_;
  bool negative_ = false;
};

}  // namespace gamut::jinja
