// One vector of f32 in the instruction set this file is compiled for: the vocabulary that every kernel is written in.
//
// V is a vector of kWidth floats and I of as many int32; + - * / & | ^ << >> and comparisons are those of GCC's vector
// types (a comparison gives an I of 0 or -1, `mask ? a : b` selects). Everything lives in a namespace named after the
// instruction set and nothing from the library is included: the linker must not find two versions of one inline
// function.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

#ifndef GAMUT_ISA_NAMESPACE
#define GAMUT_ISA_NAMESPACE baseline  // for tools that read one file alone
#endif

#define GAMUT_INLINE static inline __attribute__((always_inline))
#define GAMUT_INLINE_LAMBDA __attribute__((always_inline))

#if defined(GAMUT_ISA_AVX512)
#include "backend/cpu/kernels/simd_avx512.h"
#elif defined(GAMUT_ISA_AVX2)
#include "backend/cpu/kernels/simd_avx2.h"
#else
#include "backend/cpu/kernels/simd_baseline.h"
#endif

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {

GAMUT_INLINE V zero() { return V{}; }
GAMUT_INLINE V set1(float x) { return x - V{}; }
GAMUT_INLINE I as_int(V x) { return (I)x; }
GAMUT_INLINE V as_float(I x) { return (V)x; }
GAMUT_INLINE I set1_int(int32_t x) { return x - I{}; }
GAMUT_INLINE V select(I mask, V yes, V no) { return mask ? yes : no; }
/// The sign bit of x, and x without it.
GAMUT_INLINE I sign_of(V x) { return as_int(x) & set1_int(INT32_MIN); }
GAMUT_INLINE V abs_of(V x) { return as_float(as_int(x) & set1_int(INT32_MAX)); }
/// a - b * c, rounded once where the instruction set fuses.
GAMUT_INLINE V fnma(V b, V c, V a) { return fma(-b, c, a); }

GAMUT_INLINE int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
GAMUT_INLINE int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }
GAMUT_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Calls f(offset, count) for the vectors of [0,n): count is kWidth, for the last one maybe less. `f` is inlined twice,
/// so that the full vectors carry no mask.
template <typename F>
GAMUT_INLINE void for_vectors(int64_t n, F f) {
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) f(i, kWidth);
  if (i < n) f(i, static_cast<int>(n - i));
}
/// The `count` floats at p, zeros behind them; a plain load when count is kWidth at compile time.
GAMUT_INLINE V load_some(const float* p, int count) { return count == kWidth ? load(p) : load_n(p, count); }
GAMUT_INLINE void store_some(float* p, V x, int count) {
  if (count == kWidth) {
    store(p, x);
  } else {
    store_n(p, x, count);
  }
}

/// Turns kWidth rows of kWidth lanes into columns.
GAMUT_INLINE void transpose(V (&rows)[kWidth]) {
#pragma GCC unroll 16
  for (int i = 0; i < kWidth; ++i) {
    if ((i & 1) == 0) exchange<1>(&rows[i], &rows[i + 1]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kWidth; ++i) {
    if ((i & 2) == 0) exchange<2>(&rows[i], &rows[i + 2]);
  }
  if constexpr (kWidth > 4) {
#pragma GCC unroll 16
    for (int i = 0; i < kWidth; ++i) {
      if ((i & 4) == 0) exchange<4>(&rows[i], &rows[i + 4]);
    }
  }
  if constexpr (kWidth > 8) {
#pragma GCC unroll 16
    for (int i = 0; i < kWidth; ++i) {
      if ((i & 8) == 0) exchange<8>(&rows[i], &rows[i + 8]);
    }
  }
}
/// out[j * out_stride + i] = factor * in[i * in_stride + j] for i below `rows` and j below `columns`, both at most
/// kWidth. Whole vectors are written to out: lanes from `rows` on become zeros.
GAMUT_INLINE void transpose_to_lanes(const float* in, int64_t in_stride, int rows, int columns, V factor, float* out,
                                     int64_t out_stride) {
  V block[kWidth];
#pragma GCC unroll 16
  for (int i = 0; i < kWidth; ++i) block[i] = i < rows ? load_some(in + i * in_stride, columns) * factor : V{};
  transpose(block);
#pragma GCC unroll 16
  for (int j = 0; j < kWidth; ++j) {
    if (j < columns) store(out + j * out_stride, block[j]);
  }
}

/// One f16 or bf16 number widened exactly.
GAMUT_INLINE float bf16_to_f32(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float x;
  __builtin_memcpy(&x, &wide, 4);
  return x;
}
GAMUT_INLINE float f16_to_f32(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1fu, mantissa = bits & 0x3ffu;
  uint32_t wide;
  if (exponent == 0) {  // zero or subnormal: mantissa * 2^-24
    const float magnitude = static_cast<float>(mantissa) * 5.9604644775390625e-8f;
    __builtin_memcpy(&wide, &magnitude, 4);
  } else if (exponent == 31) {
    wide = 0x7f800000u | (mantissa << 13);
  } else {
    wide = ((exponent + 112) << 23) | (mantissa << 13);
  }
  wide |= sign;
  float x;
  __builtin_memcpy(&x, &wide, 4);
  return x;
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
