// Integers for untrusted sizes: arithmetic that remembers an overflow instead of wrapping.
#pragma once

#include <cstdint>
#include <optional>

namespace gamut {

/// A signed 64-bit count from an untrusted source. Once an operation overflows or a value is negative where a size is
/// expected, the result is invalid and stays so.
class Checked {
 public:
  constexpr Checked(int64_t value) : value_(value), valid_(true) {}  // NOLINT: converts on purpose
  static constexpr Checked from_unsigned(uint64_t value) {
    Checked c(static_cast<int64_t>(value));
    c.valid_ = value <= static_cast<uint64_t>(INT64_MAX);
    return c;
  }

  friend Checked operator+(Checked a, Checked b) {
    Checked r(0);
    r.valid_ = a.valid_ && b.valid_ && !__builtin_add_overflow(a.value_, b.value_, &r.value_);
    return r;
  }
  friend Checked operator-(Checked a, Checked b) {
    Checked r(0);
    r.valid_ = a.valid_ && b.valid_ && !__builtin_sub_overflow(a.value_, b.value_, &r.value_);
    return r;
  }
  friend Checked operator*(Checked a, Checked b) {
    Checked r(0);
    r.valid_ = a.valid_ && b.valid_ && !__builtin_mul_overflow(a.value_, b.value_, &r.value_);
    return r;
  }

  bool valid() const { return valid_; }
  /// The value, or nothing after an overflow.
  std::optional<int64_t> value() const { return valid_ ? std::optional<int64_t>(value_) : std::nullopt; }

 private:
  int64_t value_;
  bool valid_;
};

}  // namespace gamut
