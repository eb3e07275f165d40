// The vector of simd.h in AVX2 with FMA and F16C: 8 floats, tails by maskload and maskstore.
#pragma once

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {

constexpr int kWidth = 8;
using V = __m256;
typedef int32_t I __attribute__((vector_size(32), may_alias));

GAMUT_INLINE __m256i first_lanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
GAMUT_INLINE V load(const float* p) { return _mm256_loadu_ps(p); }
GAMUT_INLINE void store(float* p, V x) { _mm256_storeu_ps(p, x); }
GAMUT_INLINE V load_n(const float* p, int n) { return _mm256_maskload_ps(p, first_lanes(n)); }
GAMUT_INLINE void store_n(float* p, V x, int n) { _mm256_maskstore_ps(p, first_lanes(n), x); }

GAMUT_INLINE V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
/// The second operand when one is NaN.
GAMUT_INLINE V max(V a, V b) { return _mm256_max_ps(a, b); }
GAMUT_INLINE V min(V a, V b) { return _mm256_min_ps(a, b); }
GAMUT_INLINE V sqrt(V x) { return _mm256_sqrt_ps(x); }
GAMUT_INLINE V round_even(V x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
GAMUT_INLINE V floor(V x) { return _mm256_floor_ps(x); }
GAMUT_INLINE V ceil(V x) { return _mm256_ceil_ps(x); }
GAMUT_INLINE I to_int(V x) { return (I)_mm256_cvtps_epi32(x); }
GAMUT_INLINE V to_float(I x) { return _mm256_cvtepi32_ps((__m256i)x); }

/// 1 / x.
GAMUT_INLINE V reciprocal(V x) { return _mm256_set1_ps(1.0f) / x; }

/// One step of a transposition, on rows `step` apart: lanes with (lane & step) of a and b change places.
template <int kStep>
GAMUT_INLINE void exchange(V* a, V* b) {
  const V x = *a, y = *b;
  if constexpr (kStep == 1) {
    *a = _mm256_blend_ps(x, _mm256_permute_ps(y, 0xa0), 0xaa);
    *b = _mm256_blend_ps(_mm256_permute_ps(x, 0xf5), y, 0xaa);
  } else if constexpr (kStep == 2) {
    *a = _mm256_shuffle_ps(x, y, 0x44);
    *b = _mm256_shuffle_ps(x, y, 0xee);
  } else {
    *a = _mm256_permute2f128_ps(x, y, 0x20);
    *b = _mm256_permute2f128_ps(x, y, 0x31);
  }
}

GAMUT_INLINE float sum_of(V x) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
GAMUT_INLINE float max_of_lanes(V x) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
GAMUT_INLINE float min_of_lanes(V x) {
  __m128 s = _mm_min_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  s = _mm_min_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_min_ss(s, _mm_movehdup_ps(s)));
}
GAMUT_INLINE bool any(I mask) { return _mm256_movemask_ps((V)mask) != 0; }

GAMUT_INLINE V load_f16(const uint16_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
GAMUT_INLINE V load_bf16(const uint16_t* p) {
  const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
GAMUT_INLINE void store_f16(uint16_t* p, V x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
GAMUT_INLINE void store_low_halves(uint16_t* p, I x) {
  for (int i = 0; i < kWidth; ++i) p[i] = static_cast<uint16_t>(x[i]);
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
