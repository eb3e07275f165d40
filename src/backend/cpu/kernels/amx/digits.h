// Blocks of floats as fixed-point numbers of four digits to the base 256, in the order in which AMX tiles read them.
#pragma once

#include "backend/cpu/kernels/functions.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {

// A tile is 16 rows of 64 bytes. One step of the depth is 64 numbers, one byte of each in a tile.
constexpr int64_t kTileEdge = 16;
constexpr int64_t kStep = 64;
constexpr int64_t kTileBytes = 1024;
constexpr int kDigits = 4;
constexpr int64_t kStepBytes = kDigits * kTileBytes;  // the digits of 16 rows or columns, the highest first

// The numbers of a row, or column, that share one scale: few enough for sums of products of digits to be exact in
// 32 bits, and for the digits of 16 columns to stay in L1.
constexpr int64_t kBlock = 384;
constexpr int64_t kBlockSteps = kBlock / kStep;

/// How one block of numbers becomes fixed-point: x = digits * scale, the highest digit counting 1, the next 1/256 …
/// The largest has 30 bits, so numbers down to 1/64 of it keep all of theirs; none is off by more than 2^-30 of it.
struct BlockScale {
  __m512 to_integer;  // x * to_integer is below 2^30
  __m512 scale;       // 0 when all are 0
};

// Scales and their products stay far from the limits of f32.
constexpr float kMostExponent = 60;
// A block is too wide when most of its numbers are below this part of the largest: digits would drop their lower bits.
constexpr float kSmallPart = 0x1p-12f;

GAMUT_INLINE __m512 absolute(__m512 x) { return _mm512_abs_ps(x); }

/// For the largest absolute values of 16 blocks; lanes whose numbers no scale fits are marked in `unfit`.
GAMUT_INLINE BlockScale block_scale(__m512 largest, __mmask16* unfit) {
  const __mmask16 some = _mm512_cmp_ps_mask(largest, zero(), _CMP_NEQ_UQ);
  const __m512 exponent = _mm512_getexp_ps(largest);
  const __mmask16 fits = _mm512_cmp_ps_mask(absolute(exponent), set1(kMostExponent), _CMP_LE_OQ);
  *unfit = static_cast<__mmask16>(some & ~fits);
  const __mmask16 used = static_cast<__mmask16>(some & fits);
  return {.to_integer = _mm512_maskz_scalef_ps(used, set1(1.0f), set1(29.0f) - exponent),
          .scale = _mm512_maskz_scalef_ps(used, set1(1.0f), exponent - set1(5.0f))};
}

/// The digits of 4 x 16 numbers, kTileBytes apart from `out` on. Byte 4 i + j of a line of 64 is of lane i of x[j].
GAMUT_INLINE void store_digits(const __m512 x[4], __m512 to_integer, char* out) {
  // Adding half a digit everywhere turns carries into plain bytes; taking it away byte by byte leaves signed digits.
  const __m512i half = _mm512_set1_epi32(0x00808080);
  __m512i v[4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    v[j] = _mm512_xor_si512(_mm512_add_epi32(_mm512_cvtps_epi32(x[j] * to_integer), half), half);
  }
  constexpr int kSelect = 0xca;  // a ? b : c
  const __m512i bytes = _mm512_set1_epi32(0x00ff00ff), words = _mm512_set1_epi32(0x0000ffff);
  __m512i even[2], odd[2];
#pragma GCC unroll 2
  for (int p = 0; p < 2; ++p) {
    const __m512i a = v[2 * p], b = v[2 * p + 1];
    even[p] = _mm512_ternarylogic_epi32(bytes, a, _mm512_slli_epi32(b, 8), kSelect);
    odd[p] = _mm512_ternarylogic_epi32(bytes, _mm512_srli_epi32(a, 8), b, kSelect);
  }
  const auto low = [&](const __m512i* pair) {
    return _mm512_ternarylogic_epi32(words, pair[0], _mm512_slli_epi32(pair[1], 16), kSelect);
  };
  const auto high = [&](const __m512i* pair) {
    return _mm512_ternarylogic_epi32(words, _mm512_srli_epi32(pair[0], 16), pair[1], kSelect);
  };
  _mm512_store_si512(out, high(odd));
  _mm512_store_si512(out + kTileBytes, high(even));
  _mm512_store_si512(out + 2 * kTileBytes, low(odd));
  _mm512_store_si512(out + 3 * kTileBytes, low(even));
}

/// Counts the numbers of a block, lane by lane.
struct WidthCount {
  __m512i small = _mm512_setzero_si512(), all = _mm512_setzero_si512();

  __attribute__((always_inline)) void add(__m512 x, __m512 limit) {
    const __m512i one = _mm512_set1_epi32(1);
    const __mmask16 some = _mm512_cmp_ps_mask(x, zero(), _CMP_NEQ_UQ);
    all = _mm512_mask_add_epi32(all, some, all, one);
    small = _mm512_mask_add_epi32(small, _mm512_mask_cmp_ps_mask(some, absolute(x), limit, _CMP_LT_OQ), small, one);
  }
};

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
