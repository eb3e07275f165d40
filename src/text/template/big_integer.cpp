#include "text/template/big_integer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace gamut::jinja {
namespace {

constexpr int kLimbBits = 32;

}  // namespace

void BigInteger::trim(Limbs& limbs) {
  while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
}

void BigInteger::set(Limbs limbs, bool negative) {
  trim(limbs);
  limbs_ = std::move(limbs);
  negative_ = negative && !limbs_.empty();
}

BigInteger::BigInteger(int64_t value) {
  const uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  set({static_cast<uint32_t>(magnitude), static_cast<uint32_t>(magnitude >> kLimbBits)}, value < 0);
}

BigInteger BigInteger::from_real(double value) {
  int exponent = 0;
  const double fraction = std::frexp(std::abs(value), &exponent);
  BigInteger made;
  if (exponent <= 0) return made;
  constexpr int kDigits = std::numeric_limits<double>::digits;
  auto mantissa = static_cast<uint64_t>(std::ldexp(fraction, kDigits));
  int shift = exponent - kDigits;
  if (shift < 0) {
    mantissa >>= -shift;
    shift = 0;
  }
  Limbs limbs(static_cast<size_t>(shift / kLimbBits), 0);
  const unsigned __int128 wide = static_cast<unsigned __int128>(mantissa) << (shift % kLimbBits);
  for (int i = 0; i < 3; ++i) limbs.push_back(static_cast<uint32_t>(wide >> (kLimbBits * i)));
  made.set(std::move(limbs), value < 0);
  return made;
}

std::optional<BigInteger> BigInteger::parse(std::string_view digits, int base) {
  if (digits.empty()) return std::nullopt;
  Limbs limbs;
  for (char c : digits) {
    const int letter = c | 0x20;
    const int digit = c >= '0' && c <= '9' ? c - '0' : letter >= 'a' && letter <= 'z' ? letter - 'a' + 10 : 99;
    if (digit >= base) return std::nullopt;
    uint64_t carry = static_cast<uint64_t>(digit);
    for (uint32_t& limb : limbs) {
      carry += static_cast<uint64_t>(limb) * static_cast<uint64_t>(base);
      limb = static_cast<uint32_t>(carry);
      carry >>= kLimbBits;
    }
    if (carry > 0) limbs.push_back(static_cast<uint32_t>(carry));
  }
  BigInteger made;
  made.set(std::move(limbs), false);
  return made;
}

size_t BigInteger::bits() const {
  return limbs_.empty() ? 0 : limbs_.size() * kLimbBits - static_cast<size_t>(std::countl_zero(limbs_.back()));
}

bool BigInteger::fits_int64() const {
  if (bits() < 64) return true;
  return negative_ && limbs_.size() == 2 && limbs_[0] == 0 && limbs_[1] == 0x80000000U;
}

int64_t BigInteger::to_int64() const {
  uint64_t magnitude = 0;
  for (size_t i = limbs_.size(); i-- > 0;) magnitude = magnitude << kLimbBits | limbs_[i];
  return static_cast<int64_t>(negative_ ? 0 - magnitude : magnitude);
}

double BigInteger::to_real() const {
  // The highest 64 bits, the last of which says whether there is anything below: that decides how they are rounded.
  const size_t count = bits();
  uint64_t top = 0;
  const size_t shift = count > 64 ? count - 64 : 0;
  for (size_t i = 0; i < 64 && i < count; ++i) {
    const size_t bit = shift + i;
    top |= static_cast<uint64_t>(limbs_[bit / kLimbBits] >> (bit % kLimbBits) & 1U) << i;
  }
  for (size_t bit = 0; bit < shift; ++bit) {
    if (limbs_[bit / kLimbBits] >> (bit % kLimbBits) & 1U) {
      top |= 1;
      break;
    }
  }
  const double magnitude = std::ldexp(static_cast<double>(top), static_cast<int>(std::min<size_t>(shift, 4096)));
  return negative_ ? -magnitude : magnitude;
}

std::string BigInteger::text(int base) const {
  if (limbs_.empty()) return "0";
  std::string out;
  Limbs left = limbs_;
  while (!left.empty()) {
    const uint32_t digit = divide_small(left, static_cast<uint32_t>(base));
    out += static_cast<char>(digit < 10 ? '0' + digit : 'a' + (digit - 10));
    trim(left);
  }
  if (negative_) out += '-';
  std::reverse(out.begin(), out.end());
  return out;
}

std::strong_ordering BigInteger::compare_limbs(const Limbs& a, const Limbs& b) {
  if (a.size() != b.size()) return a.size() <=> b.size();
  return std::lexicographical_compare_three_way(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

BigInteger::Limbs BigInteger::sum(const Limbs& a, const Limbs& b) {
  Limbs out(std::max(a.size(), b.size()) + 1);
  uint64_t carry = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    carry += (i < a.size() ? a[i] : 0ULL) + (i < b.size() ? b[i] : 0ULL);
    out[i] = static_cast<uint32_t>(carry);
    carry >>= kLimbBits;
  }
  return out;
}

BigInteger::Limbs BigInteger::difference(const Limbs& a, const Limbs& b) {
  Limbs out(a.size());
  int64_t borrow = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    int64_t value = static_cast<int64_t>(a[i]) - (i < b.size() ? static_cast<int64_t>(b[i]) : 0) - borrow;
    borrow = value < 0 ? 1 : 0;
    out[i] = static_cast<uint32_t>(value + (borrow << kLimbBits));
  }
  return out;
}

BigInteger BigInteger::operator-() const {
  BigInteger made;
  made.set(limbs_, !negative_);
  return made;
}

BigInteger operator+(const BigInteger& a, const BigInteger& b) {
  BigInteger made;
  if (a.negative_ == b.negative_) {
    made.set(BigInteger::sum(a.limbs_, b.limbs_), a.negative_);
  } else if (BigInteger::compare_limbs(a.limbs_, b.limbs_) >= 0) {
    made.set(BigInteger::difference(a.limbs_, b.limbs_), a.negative_);
  } else {
    made.set(BigInteger::difference(b.limbs_, a.limbs_), b.negative_);
  }
  return made;
}

BigInteger operator*(const BigInteger& a, const BigInteger& b) {
  BigInteger::Limbs out(a.limbs_.size() + b.limbs_.size() + 1);
  for (size_t i = 0; i < a.limbs_.size(); ++i) {
    uint64_t carry = 0;
    for (size_t j = 0; j < b.limbs_.size() || carry > 0; ++j) {
      carry += out[i + j];
      if (j < b.limbs_.size()) carry += static_cast<uint64_t>(a.limbs_[i]) * b.limbs_[j];
      out[i + j] = static_cast<uint32_t>(carry);
      carry >>= kLimbBits;
    }
  }
  BigInteger made;
  made.set(std::move(out), a.negative_ != b.negative_);
  return made;
}

uint32_t BigInteger::divide_small(Limbs& limbs, uint32_t by) {
  uint64_t remainder = 0;
  for (size_t i = limbs.size(); i-- > 0;) {
    remainder = remainder << kLimbBits | limbs[i];
    limbs[i] = static_cast<uint32_t>(remainder / by);
    remainder %= by;
  }
  return static_cast<uint32_t>(remainder);
}

/// One bit after the other: numbers of this size are rare in templates.
std::pair<BigInteger::Limbs, BigInteger::Limbs> BigInteger::divide_limbs(const Limbs& a, const Limbs& b) {
  if (b.size() == 1) {
    Limbs quotient = a;
    const uint32_t remainder = divide_small(quotient, b[0]);
    return {quotient, remainder > 0 ? Limbs{remainder} : Limbs{}};
  }
  Limbs quotient(a.size(), 0), remainder;
  for (size_t bit = a.size() * kLimbBits; bit-- > 0;) {
    uint32_t carry = a[bit / kLimbBits] >> (bit % kLimbBits) & 1U;
    for (uint32_t& limb : remainder) {
      const uint32_t high = limb >> (kLimbBits - 1);
      limb = limb << 1U | carry;
      carry = high;
    }
    if (carry > 0) remainder.push_back(carry);
    if (compare_limbs(remainder, b) < 0) continue;
    remainder = difference(remainder, b);
    trim(remainder);
    quotient[bit / kLimbBits] |= 1U << (bit % kLimbBits);
  }
  return {quotient, remainder};
}

std::pair<BigInteger, BigInteger> BigInteger::divide(const BigInteger& a, const BigInteger& b) {
  auto [quotient_limbs, remainder_limbs] = divide_limbs(a.limbs_, b.limbs_);
  BigInteger quotient, remainder;
  quotient.set(std::move(quotient_limbs), a.negative_ != b.negative_);
  remainder.set(std::move(remainder_limbs), a.negative_);
  if (!remainder.is_zero() && remainder.negative_ != b.negative_) {
    quotient = quotient - BigInteger(1);
    remainder = remainder + b;
  }
  return {quotient, remainder};
}

std::strong_ordering operator<=>(const BigInteger& a, const BigInteger& b) {
  if (a.negative_ != b.negative_) return a.negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  const std::strong_ordering magnitude = BigInteger::compare_limbs(a.limbs_, b.limbs_);
  return a.negative_ ? 0 <=> magnitude : magnitude;
}

}  // namespace gamut::jinja
