#include "checkpoint/convert.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace gamut {
namespace {

/// What the codes with the largest exponent, and negative zero, mean.
enum class Special {
  kIeee,    ///< infinities and NaNs as in IEEE 754
  kOneNan,  ///< all bits set is NaN; no infinities ("fn")
  kFnuz,    ///< the code of negative zero is the only NaN
  kNone,    ///< every code is a finite number
};

/// A float of at most 8 bits: a sign, `exponent` bits, `mantissa` bits.
struct MiniFloat {
  int exponent;
  int mantissa;
  int bias;
  Special special;
};

float decode(MiniFloat f, int code) {
  const int exponent_ones = (1 << f.exponent) - 1;
  const int mantissa_ones = (1 << f.mantissa) - 1;
  const int m = code & mantissa_ones;
  const int e = code >> f.mantissa & exponent_ones;
  const bool negative = code >> (f.exponent + f.mantissa) & 1;
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  if (f.special == Special::kIeee && e == exponent_ones) {
    if (m != 0) return kNan;
    return negative ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
  }
  if (f.special == Special::kOneNan && e == exponent_ones && m == mantissa_ones) return kNan;
  if (f.special == Special::kFnuz && negative && e == 0 && m == 0) return kNan;
  const float magnitude = e == 0 ? std::ldexp(static_cast<float>(m), 1 - f.bias - f.mantissa)
                                 : std::ldexp(static_cast<float>(m + (1 << f.mantissa)), e - f.bias - f.mantissa);
  return negative ? -magnitude : magnitude;
}

/// The values of all codes of a dtype of at most 8 bits.
std::array<float, 256> make_table(DType dtype) {
  std::array<float, 256> table{};
  auto fill = [&](MiniFloat f) {
    for (int code = 0; code < 2 << (f.exponent + f.mantissa); ++code) {
      table[static_cast<size_t>(code)] = decode(f, code);
    }
  };
  switch (dtype) {
    case DType::kF4: fill({2, 1, 1, Special::kNone}); break;
    case DType::kF6E2M3: fill({2, 3, 1, Special::kNone}); break;
    case DType::kF6E3M2: fill({3, 2, 3, Special::kNone}); break;
    case DType::kF8E5M2: fill({5, 2, 15, Special::kIeee}); break;
    case DType::kF8E4M3: fill({4, 3, 7, Special::kOneNan}); break;
    case DType::kF8E5M2Fnuz: fill({5, 2, 16, Special::kFnuz}); break;
    case DType::kF8E4M3Fnuz: fill({4, 3, 8, Special::kFnuz}); break;
    case DType::kF8E8M0:
      for (int code = 0; code < 255; ++code) table[static_cast<size_t>(code)] = std::ldexp(1.0f, code - 127);
      table[255] = std::numeric_limits<float>::quiet_NaN();
      break;
    default: check_internal(false, "make_table: not a narrow float");
  }
  return table;
}

/// Looks up elements of `bits` bits, packed from the lowest bit up.
void unpack(const std::array<float, 256>& table, int bits, const uint8_t* in, float* out, size_t count) {
  if (bits == 8) {
    for (size_t i = 0; i < count; ++i) out[i] = table[in[i]];
    return;
  }
  const unsigned mask = (1u << bits) - 1;
  const size_t bytes = (count * static_cast<size_t>(bits) + 7) / 8;
  for (size_t i = 0; i < count; ++i) {
    const size_t bit = i * static_cast<size_t>(bits);
    unsigned window = in[bit / 8];
    if (bit / 8 + 1 < bytes) window |= static_cast<unsigned>(in[bit / 8 + 1]) << 8;
    out[i] = table[window >> (bit % 8) & mask];
  }
}

float from_f16(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16;
  const uint32_t exponent = h >> 10 & 0x1fu;
  const uint32_t mantissa = h & 0x3ffu;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  const uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

float from_bf16(uint16_t b) { return std::bit_cast<float>(static_cast<uint32_t>(b) << 16); }

template <typename T, typename Rule>
void convert(const Tensor& t, float* out, Rule rule) {
  const T* in = static_cast<const T*>(t.data());
  const size_t count = static_cast<size_t>(t.count());
  for (size_t i = 0; i < count; ++i) out[i] = rule(in[i]);
}

template <typename T>
void convert_number(const Tensor& t, float* out) {
  convert<T>(t, out, [](T value) { return static_cast<float>(value); });
}

}  // namespace

Tensor to_f32(const Tensor& t) {
  if (t.dtype() == DType::kF32) return t;
  if (t.dtype() == DType::kC64) {
    fail(ErrorCode::kUnsupported, "tensor {}: C64 has no form in F32; take its parts", to_string(t.dims()));
  }
  Tensor result = Tensor::allocate(DType::kF32, t.dims());
  float* out = static_cast<float*>(result.mutable_data());
  switch (t.dtype()) {
    case DType::kBool: convert<uint8_t>(t, out, [](uint8_t v) { return v != 0 ? 1.0f : 0.0f; }); break;
    case DType::kU8: convert_number<uint8_t>(t, out); break;
    case DType::kI8: convert_number<int8_t>(t, out); break;
    case DType::kI16: convert_number<int16_t>(t, out); break;
    case DType::kU16: convert_number<uint16_t>(t, out); break;
    case DType::kF16: convert<uint16_t>(t, out, from_f16); break;
    case DType::kBf16: convert<uint16_t>(t, out, from_bf16); break;
    case DType::kI32: convert_number<int32_t>(t, out); break;
    case DType::kU32: convert_number<uint32_t>(t, out); break;
    case DType::kF64: convert_number<double>(t, out); break;
    case DType::kI64: convert_number<int64_t>(t, out); break;
    case DType::kU64: convert_number<uint64_t>(t, out); break;
    case DType::kF4:
    case DType::kF6E2M3:
    case DType::kF6E3M2:
    case DType::kF8E5M2:
    case DType::kF8E4M3:
    case DType::kF8E5M2Fnuz:
    case DType::kF8E4M3Fnuz:
    case DType::kF8E8M0:
      unpack(make_table(t.dtype()), dtype_bits(t.dtype()), static_cast<const uint8_t*>(t.data()), out,
             static_cast<size_t>(t.count()));
      break;
    case DType::kF32:
    case DType::kC64: break;
  }
  return result;
}

}  // namespace gamut
