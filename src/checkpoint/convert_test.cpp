#include "checkpoint/convert.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "checkpoint/seeded_weights.h"
#include "gamut/error.h"

namespace gamut {
namespace {

template <typename T>
Tensor tensor_of(DType dtype, const std::vector<T>& values, int64_t count = -1) {
  Tensor t = Tensor::allocate(dtype, {count < 0 ? static_cast<int64_t>(values.size()) : count});
  EXPECT_EQ(t.bytes(), values.size() * sizeof(T));
  std::memcpy(t.mutable_data(), values.data(), t.bytes());
  return t;
}

/// A tensor of every code of a dtype of 8 or 16 bits.
Tensor every_code(DType dtype) {
  std::vector<uint8_t> bytes;
  const int bits = dtype_bits(dtype);
  for (int code = 0; code < 1 << bits; ++code) {
    bytes.push_back(static_cast<uint8_t>(code));
    if (bits == 16) bytes.push_back(static_cast<uint8_t>(code >> 8));
  }
  return tensor_of(dtype, bytes, 1 << bits);
}

/// A hash of the bits of all values, with one spelling of NaN.
uint64_t digest(const Tensor& t) {
  std::string bytes;
  const Tensor f = to_f32(t);
  for (float value : f.f32()) {
    const uint32_t bits = std::isnan(value) ? 0x7fc00000u : std::bit_cast<uint32_t>(value);
    for (int i = 0; i < 4; ++i) bytes += static_cast<char>(bits >> (8 * i));
  }
  return fnv1a64(bytes);
}

// The expected digests are those of torch 2.15: arange(2**bits).view(dtype).float(), every code.
TEST(ToF32, EveryCodeEqualsTorch) {
  EXPECT_EQ(digest(every_code(DType::kF8E5M2)), 0x6c1e56b6fb09c905u);
  EXPECT_EQ(digest(every_code(DType::kF8E4M3)), 0xdad1d9c50f749ca5u);
  EXPECT_EQ(digest(every_code(DType::kF8E5M2Fnuz)), 0x94ae6fc493d49818u);
  EXPECT_EQ(digest(every_code(DType::kF8E4M3Fnuz)), 0xf51851cb11c63018u);
  EXPECT_EQ(digest(every_code(DType::kF8E8M0)), 0x6d2c8b41c3f0e5a5u);
  EXPECT_EQ(digest(every_code(DType::kF16)), 0x1f87f165810ea7c5u);
  EXPECT_EQ(digest(every_code(DType::kBf16)), 0xcf8e09175d8f5ba5u);
}

TEST(ToF32, KnownValuesOfNarrowFloats) {
  const float inf = std::numeric_limits<float>::infinity();
  auto at = [](DType dtype, int code) { return to_f32(every_code(dtype)).f32()[static_cast<size_t>(code)]; };
  EXPECT_EQ(at(DType::kF8E4M3, 0x7e), 448.0f);
  EXPECT_TRUE(std::isnan(at(DType::kF8E4M3, 0x7f)));
  EXPECT_EQ(at(DType::kF8E4M3, 0x01), 0x1p-9f);
  EXPECT_TRUE(std::signbit(at(DType::kF8E4M3, 0x80)));
  EXPECT_EQ(at(DType::kF8E5M2, 0x7b), 57344.0f);
  EXPECT_EQ(at(DType::kF8E5M2, 0xfc), -inf);
  EXPECT_EQ(at(DType::kF8E4M3Fnuz, 0x7f), 240.0f);
  EXPECT_TRUE(std::isnan(at(DType::kF8E4M3Fnuz, 0x80)));
  EXPECT_EQ(at(DType::kF8E5M2Fnuz, 0x7f), 57344.0f);
  EXPECT_EQ(at(DType::kF8E8M0, 0), 0x1p-127f);
  EXPECT_EQ(at(DType::kF8E8M0, 127), 1.0f);
  EXPECT_EQ(at(DType::kF8E8M0, 254), 0x1p127f);
  EXPECT_TRUE(std::isnan(at(DType::kF8E8M0, 255)));
}

TEST(ToF32, FourBitFloatsComeLowNibbleFirst) {
  std::vector<uint8_t> bytes;
  for (int code = 0; code < 16; code += 2) bytes.push_back(static_cast<uint8_t>(code | (code + 1) << 4));
  const std::vector<float> expected = {0, .5, 1, 1.5, 2, 3, 4, 6, -0.0f, -.5, -1, -1.5, -2, -3, -4, -6};
  const Tensor f = to_f32(tensor_of(DType::kF4, bytes, 16));
  for (size_t i = 0; i < 16; ++i) EXPECT_EQ(std::bit_cast<uint32_t>(f.f32()[i]), std::bit_cast<uint32_t>(expected[i]));
}

/// All 64 codes of a 6-bit dtype, packed from the lowest bit up.
Tensor six_bits(DType dtype) {
  std::vector<uint8_t> bytes(48, 0);
  for (size_t code = 0; code < 64; ++code) {
    for (size_t k = 0; k < 6; ++k) {
      const size_t bit = code * 6 + k;
      bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] | (code >> k & 1) << (bit % 8));
    }
  }
  return tensor_of(dtype, bytes, 64);
}

TEST(ToF32, SixBitFloats) {
  const Tensor a = to_f32(six_bits(DType::kF6E2M3));
  const Tensor b = to_f32(six_bits(DType::kF6E3M2));
  for (int code = 0; code < 64; ++code) {
    const double sign = code & 32 ? -1 : 1;
    const int e2 = code >> 3 & 3, m3 = code & 7;
    const double v = e2 == 0 ? m3 / 8.0 : (1 + m3 / 8.0) * std::pow(2.0, e2 - 1);
    EXPECT_EQ(a.f32()[static_cast<size_t>(code)], static_cast<float>(sign * v)) << code;
    const int e3 = code >> 2 & 7, m2 = code & 3;
    const double w = e3 == 0 ? m2 / 16.0 : (1 + m2 / 4.0) * std::pow(2.0, e3 - 3);
    EXPECT_EQ(b.f32()[static_cast<size_t>(code)], static_cast<float>(sign * w)) << code;
  }
  EXPECT_EQ(a.f32()[31], 7.5f);
  EXPECT_EQ(b.f32()[31], 28.0f);
}

TEST(ToF32, EveryNarrowInteger) {
  const Tensor boolean = to_f32(every_code(DType::kBool)), u8 = to_f32(every_code(DType::kU8));
  const Tensor i8 = to_f32(every_code(DType::kI8));
  for (size_t i = 0; i < 256; ++i) {
    EXPECT_EQ(boolean.f32()[i], i == 0 ? 0.0f : 1.0f);
    EXPECT_EQ(u8.f32()[i], static_cast<float>(i));
    EXPECT_EQ(i8.f32()[i], static_cast<float>(i) - (i < 128 ? 0.0f : 256.0f));
  }
  const Tensor u16 = to_f32(every_code(DType::kU16)), i16 = to_f32(every_code(DType::kI16));
  for (size_t i = 0; i < 65536; ++i) {
    ASSERT_EQ(u16.f32()[i], static_cast<float>(i));
    ASSERT_EQ(i16.f32()[i], static_cast<float>(i) - (i < 32768 ? 0.0f : 65536.0f));
  }
}

TEST(ToF32, WideNumbersAreRounded) {
  auto one = [](const Tensor& t) { return to_f32(t).f32()[0]; };
  EXPECT_EQ(one(tensor_of<int32_t>(DType::kI32, {-2147483647})), -2147483648.0f);
  EXPECT_EQ(one(tensor_of<uint32_t>(DType::kU32, {4294967295u})), 4294967296.0f);
  EXPECT_EQ(one(tensor_of<int64_t>(DType::kI64, {16777217})), 16777216.0f);
  EXPECT_EQ(one(tensor_of<int64_t>(DType::kI64, {16777219})), 16777220.0f);
  EXPECT_EQ(one(tensor_of<uint64_t>(DType::kU64, {UINT64_MAX})), 0x1p64f);
  EXPECT_EQ(one(tensor_of<double>(DType::kF64, {0.1})), 0.1f);
  EXPECT_EQ(one(tensor_of<double>(DType::kF64, {1e300})), std::numeric_limits<float>::infinity());
  EXPECT_EQ(one(tensor_of<double>(DType::kF64, {-1e-320})), -0.0f);
}

TEST(ToF32, SharesF32AndRefusesComplex) {
  const Tensor t = Tensor::from({2}, std::vector<float>{1, 2});
  EXPECT_EQ(to_f32(t).data(), t.data());
  EXPECT_THROW(to_f32(Tensor::allocate(DType::kC64, {1})), Error);
  EXPECT_EQ(to_f32(Tensor::allocate(DType::kF16, {2, 0})).dims(), (Dims{2, 0}));
}

}  // namespace
}  // namespace gamut
