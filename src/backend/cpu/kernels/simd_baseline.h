// The vector of simd.h for any processor: 4 floats in GCC's vector types, which become SSE2 on x86-64 and NEON on
// AArch64.
#pragma once

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {

constexpr int kWidth = 4;
typedef float V __attribute__((vector_size(16), may_alias));
typedef int32_t I __attribute__((vector_size(16), may_alias));

GAMUT_INLINE V load(const float* p) {
  V x;
  __builtin_memcpy(&x, p, sizeof(x));
  return x;
}
GAMUT_INLINE void store(float* p, V x) { __builtin_memcpy(p, &x, sizeof(x)); }
GAMUT_INLINE V load_n(const float* p, int n) {
  V x{};
  for (int i = 0; i < n; ++i) x[i] = p[i];
  return x;
}
GAMUT_INLINE void store_n(float* p, V x, int n) {
  for (int i = 0; i < n; ++i) p[i] = x[i];
}

/// Rounded twice: the baseline has no fused form.
GAMUT_INLINE V fma(V a, V b, V c) { return a * b + c; }
/// The second operand when one is NaN.
GAMUT_INLINE V max(V a, V b) { return a > b ? a : b; }
GAMUT_INLINE V min(V a, V b) { return a < b ? a : b; }
GAMUT_INLINE V sqrt(V x) {
#ifdef __SSE2__
  return _mm_sqrt_ps(x);
#else
  for (int i = 0; i < kWidth; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}
/// Adding and taking away 1.5 * 2^23 leaves the nearest integer for |x| < 2^22; from 2^23 on every number is an
/// integer.
GAMUT_INLINE V round_even(V x) {
  const I sign = (I)x & INT32_MIN;
  const V magnitude = (V)((I)x & INT32_MAX);
  const V rounded = (magnitude + 8388608.0f) - 8388608.0f;
  return magnitude < 8388608.0f ? (V)((I)rounded | sign) : x;
}
GAMUT_INLINE V floor(V x) {
  const V r = round_even(x);
  return r > x ? r - 1.0f : r;
}
GAMUT_INLINE V ceil(V x) {
  const V r = round_even(x);
  const V up = r < x ? r + 1.0f : r;
  return (V)((I)up | ((I)x & INT32_MIN));  // -0.5 gives -0
}
/// The nearest integer, of a number that is an integer already.
GAMUT_INLINE I to_int(V x) {
#ifdef __SSE2__
  return (I)_mm_cvtps_epi32(x);
#else
  return __builtin_convertvector(x, I);
#endif
}
GAMUT_INLINE V to_float(I x) { return __builtin_convertvector(x, V); }

/// 1 / x.
GAMUT_INLINE V reciprocal(V x) { return 1.0f / x; }

/// One step of a transposition, on rows `step` apart: lanes with (lane & step) of a and b change places.
template <int kStep>
GAMUT_INLINE void exchange(V* a, V* b) {
  const V x = *a, y = *b;
  if constexpr (kStep == 1) {
    *a = V{x[0], y[0], x[2], y[2]};
    *b = V{x[1], y[1], x[3], y[3]};
  } else {
    *a = V{x[0], x[1], y[0], y[1]};
    *b = V{x[2], x[3], y[2], y[3]};
  }
}

GAMUT_INLINE float sum_of(V x) { return (x[0] + x[2]) + (x[1] + x[3]); }
GAMUT_INLINE float max_of_lanes(V x) {
  const float a = x[0] > x[1] ? x[0] : x[1], b = x[2] > x[3] ? x[2] : x[3];
  return a > b ? a : b;
}
GAMUT_INLINE float min_of_lanes(V x) {
  const float a = x[0] < x[1] ? x[0] : x[1], b = x[2] < x[3] ? x[2] : x[3];
  return a < b ? a : b;
}
GAMUT_INLINE bool any(I mask) { return (mask[0] | mask[1] | mask[2] | mask[3]) != 0; }

/// Every finite f16 becomes its f32 by a product with 2^112, subnormal ones too; what is 2^16 or more was not finite.
GAMUT_INLINE V load_f16(const uint16_t* p) {
  const I bits = {p[0], p[1], p[2], p[3]};
  const V scaled = (V)((bits & 0x7fff) << 13) * 0x1p112f;
  const I magnitude = (I)scaled | (scaled >= 65536.0f ? (I{} + 0x7f800000) : I{});
  return (V)(magnitude | ((bits & 0x8000) << 16));
}
GAMUT_INLINE V load_bf16(const uint16_t* p) {
  const I bits = {p[0], p[1], p[2], p[3]};
  return (V)(bits << 16);
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
