// Blocks of floats as fixed-point numbers of four digits to the base 256, in the order in which AMX tiles read them.
#pragma once

#include "backend/cpu/kernels/amx/tile_config.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {

// One step of the depth is 64 numbers, one byte of each in a tile.
constexpr int64_t kStep = 64;
// The first three digits of 16 rows or columns lie together, the highest first; the fourth lies elsewhere, since most
// products do without.
constexpr int kCoarseDigits = 3;
constexpr int64_t kStepBytes = kCoarseDigits * kTileBytes;

// The numbers of a row, or column, that share one scale: few enough for sums of products of digits to be exact in
// 32 bits, and for the digits of 16 columns to stay in L1.
constexpr int64_t kBlock = 384;
constexpr int64_t kBlockSteps = kBlock / kStep;

GAMUT_INLINE int64_t blocks_of(int64_t k) { return ceil_div(k, kBlock); }
GAMUT_INLINE int64_t steps_of(int64_t depth) { return ceil_div(depth, kStep); }

/// How one block of numbers becomes fixed-point: x = digits * scale, the highest digit counting 1, the next 1/256 …
struct BlockScale {
  __m512 to_integer;  // x * to_integer is below 127.5 * 2^24, so that rounding up leaves the highest digit below 128
  __m512 scale;       // 0 when all are 0
};

// Scales and their products stay far from the limits of f32.
constexpr float kMostExponent = 60;

/// When three digits are enough. They round a number by 2^-16 / sqrt(12) of what the highest digit counts on average,
/// which moves a product of random numbers by 3.45e-8 * largest / (root mean square) of its size, for either factor;
/// f32 multiply-adds over K numbers move it by 2.4e-8 * sqrt(K / 2). Both are equal where (largest / root mean
/// square)^2 is this times K in both factors.
constexpr float kTame = 0.121f;
// Where a few peaks make up the root mean square, most products miss them and are smaller than that: not above this.
constexpr float kMostPeak = 96;
// Nor may most numbers be below this part of the largest: where the larger ones meet zeros, lost bits would show.
// Beyond the second bound four digits lose them, too.
constexpr float kSmallPartTame = 1.0f / 254;
constexpr float kSmallPart = 0x1p-12f;

GAMUT_INLINE __m512 absolute(__m512 x) { return _mm512_abs_ps(x); }

/// Blocks of `depth` numbers, out of K, need three digits only when the square of their largest is at most this times
/// the sum of squares.
GAMUT_INLINE float tame_bound(int64_t depth, int64_t k) {
  const float bound = kTame * static_cast<float>(k);
  return (bound < kMostPeak ? bound : kMostPeak) / static_cast<float>(depth);
}

/// Lanes whose blocks are such.
GAMUT_INLINE __mmask16 tame_lanes(__m512 largest, __m512 squares, float bound) {
  return _mm512_cmp_ps_mask(largest * largest, squares * set1(bound), _CMP_LE_OQ);
}

/// For the largest absolute values of 16 blocks; lanes whose numbers no scale fits are marked in `unfit`. Three digits
/// use their whole range. With four the scale is a power of two: numbers down to 1/128 of the largest keep all bits,
/// and none is off by more than 2^-30 of it.
GAMUT_INLINE BlockScale block_scale(__m512 largest, bool tame, __mmask16* unfit) {
  constexpr float kMost = 127.4f * 0x1p24f;
  const __mmask16 some = _mm512_cmp_ps_mask(largest, zero(), _CMP_NEQ_UQ);
  const __m512 exponent = _mm512_getexp_ps(largest);
  const __mmask16 fits = _mm512_cmp_ps_mask(absolute(exponent), set1(kMostExponent), _CMP_LE_OQ);
  *unfit = static_cast<__mmask16>(some & ~fits);
  const __mmask16 used = static_cast<__mmask16>(some & fits);
  __m512 to_integer = _mm512_maskz_div_ps(used, set1(kMost), largest);
  if (!tame) to_integer = _mm512_maskz_scalef_ps(used, set1(1.0f), _mm512_maskz_getexp_ps(used, to_integer));
  return {.to_integer = to_integer, .scale = _mm512_maskz_div_ps(used, set1(0x1p24f), to_integer)};
}

/// The digits of 4 x 16 numbers: three, kTileBytes apart, and the fourth. Byte 4 i + j of a line of 64 is of lane i of
/// x[j]. Returns the numbers whose highest digit is 0, which are below 1/254 of the largest.
GAMUT_INLINE __mmask64 store_digits(const __m512 x[4], __m512 to_integer, char* coarse, char* fine) {
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
  const __m512i highest = high(odd);
  _mm512_store_si512(coarse, highest);
  _mm512_store_si512(coarse + kTileBytes, high(even));
  _mm512_store_si512(coarse + 2 * kTileBytes, low(odd));
  _mm512_store_si512(fine, low(even));
  return _mm512_testn_epi8_mask(highest, highest);
}

/// The numbers of 16 columns at depth k of a block that their digits stand for, the fourth ones left out when `fine` is
/// null.
GAMUT_INLINE __m512 number_line(const char* coarse, const char* fine, int64_t k, __m512 scale) {
  const int64_t step = k / kStep, r = k % kTileEdge;
  const __m128i left = _mm_cvtsi32_si128(static_cast<int>(24 - 8 * (k % kStep / kTileEdge)));
  const auto digits = [&](const char* tile) GAMUT_INLINE_LAMBDA {
    return _mm512_srai_epi32(_mm512_sll_epi32(_mm512_load_si512(tile + r * 64), left), 24);
  };
  const char* tiles = coarse + step * kStepBytes;
  __m512i x = _mm512_add_epi32(_mm512_slli_epi32(digits(tiles), 8), digits(tiles + kTileBytes));
  x = _mm512_add_epi32(_mm512_slli_epi32(x, 8), digits(tiles + 2 * kTileBytes));
  __m512 y = _mm512_cvtepi32_ps(x) * set1(0x1p-16f);
  if (fine != nullptr) y = fma(_mm512_cvtepi32_ps(digits(fine + step * kTileBytes)), set1(0x1p-24f), y);
  return y * scale;
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
