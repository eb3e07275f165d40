// The vector of simd.h in AVX-512: 16 floats, tails by mask registers.
#pragma once

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {

constexpr int kWidth = 16;
using V = __m512;
typedef int32_t I __attribute__((vector_size(64), may_alias));

GAMUT_INLINE __mmask16 first_lanes(int n) { return static_cast<__mmask16>((1u << n) - 1u); }
GAMUT_INLINE V load(const float* p) { return _mm512_loadu_ps(p); }
GAMUT_INLINE void store(float* p, V x) { _mm512_storeu_ps(p, x); }
GAMUT_INLINE V load_n(const float* p, int n) { return _mm512_maskz_loadu_ps(first_lanes(n), p); }
GAMUT_INLINE void store_n(float* p, V x, int n) { _mm512_mask_storeu_ps(p, first_lanes(n), x); }

GAMUT_INLINE V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
/// The second operand when one is NaN.
GAMUT_INLINE V max(V a, V b) { return _mm512_max_ps(a, b); }
GAMUT_INLINE V min(V a, V b) { return _mm512_min_ps(a, b); }
GAMUT_INLINE V sqrt(V x) { return _mm512_sqrt_ps(x); }
GAMUT_INLINE V round_even(V x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
GAMUT_INLINE V floor(V x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
GAMUT_INLINE V ceil(V x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
GAMUT_INLINE I to_int(V x) { return (I)_mm512_cvtps_epi32(x); }
GAMUT_INLINE V to_float(I x) { return _mm512_cvtepi32_ps((__m512i)x); }

/// 1 / x within 2 ulp, for x whose reciprocal is an ordinary number; a division takes as long as ten multiply-adds.
GAMUT_INLINE V reciprocal(V x) {
  const V r = _mm512_rcp14_ps(x);
  return _mm512_fmadd_ps(r, _mm512_fnmadd_ps(x, r, _mm512_set1_ps(1.0f)), r);
}

/// One step of a transposition, on rows `step` apart: lanes with (lane & step) of a and b change places.
template <int kStep>
GAMUT_INLINE void exchange(V* a, V* b) {
  typedef int32_t Index __attribute__((vector_size(64)));
  const Index lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const Index low = (lane & kStep) == 0 ? lane : lane - kStep + 16;
  const Index high = (lane & kStep) == 0 ? lane + kStep : lane + 16;
  const V x = *a, y = *b;
  *a = _mm512_permutex2var_ps(x, (__m512i)low, y);
  *b = _mm512_permutex2var_ps(x, (__m512i)high, y);
}

GAMUT_INLINE float sum_of(V x) { return _mm512_reduce_add_ps(x); }
GAMUT_INLINE float max_of_lanes(V x) { return _mm512_reduce_max_ps(x); }
GAMUT_INLINE float min_of_lanes(V x) { return _mm512_reduce_min_ps(x); }
GAMUT_INLINE bool any(I mask) { return _mm512_movepi32_mask((__m512i)mask) != 0; }

GAMUT_INLINE V load_f16(const uint16_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
GAMUT_INLINE V load_bf16(const uint16_t* p) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
GAMUT_INLINE void store_f16(uint16_t* p, V x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
GAMUT_INLINE void store_low_halves(uint16_t* p, I x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16((__m512i)x));
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
