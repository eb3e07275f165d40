// Rows of A as digits: what a worker keeps of A while it multiplies them with panels of w.
#pragma once

#include "backend/cpu/kernels/amx/digits.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {

constexpr int64_t kRows = 128;  // of A at a time, at most
// Numbers of A that are kept: as many rows as fit beside a panel of w in L2, but one tile of rows at least.
constexpr int64_t kSlabNumbers = kRows * 3072;
constexpr int64_t kMostDepth = 1 << 15;  // deeper weights stay f32
constexpr int64_t kMostNumbers = kTileEdge * kMostDepth;
static_assert(kMostNumbers >= kSlabNumbers);
constexpr int64_t kMostBlocks = (kMostDepth + kBlock - 1) / kBlock;
// A few numbers far larger than the rest of their block, as models have them in fixed places, would cost all others
// their last bits. So many a block are multiplied by multiply-adds, and the block's digits have zeros there.
constexpr int kMostOutliers = 8;

struct Outlier {
  int32_t place;  // k * kRows + row
  float value;
};

/// Rows beyond the last up to a whole tile keep what they have: nobody reads their sums.
struct Slab {
  alignas(64) char coarse[kMostNumbers * kCoarseDigits];  // [block][tile of 16 rows][step][digit] tiles
  alignas(64) char fine[kMostNumbers];                    // [block][tile][step] tiles
  alignas(64) float scales[kMostBlocks * kRows];          // [block][row]
  uint32_t precise[kMostBlocks * (kRows / kTileEdge)];    // [block][tile]: rows that need four digits, bit by bit
  Outlier outliers[kMostNumbers / kBlock * kMostOutliers + kRows * kMostOutliers];  // by their places
  int64_t outlier_count;
  bool plain[kRows];  // rows that are not digits: their scales are 0
  bool any_plain;
};

/// The largest absolute value of a block of a row, in all lanes, and the sum of squares. The largest is NaN if any is.
struct RowMeasure {
  __m512 largest, squares;
};

GAMUT_INLINE __m512 row_part(const float* a, int64_t k, int64_t depth) {
  return load_n(a + k, static_cast<int>(max_of(0, min_of(depth - k, kWidth))));
}

inline RowMeasure measure_row(const float* a, int64_t depth) {
  // Of numbers without a sign the bits are in the order of the numbers, with NaN above infinity.
  __m512i largest[4] = {};
  __m512 squares[4] = {};
  const auto add = [&](int64_t i, __m512 x) GAMUT_INLINE_LAMBDA {
    largest[i] = _mm512_max_epi32(largest[i], _mm512_castps_si512(absolute(x)));
    squares[i] = fma(x, x, squares[i]);
  };
  int64_t k = 0;
  for (; k + kStep <= depth; k += kStep) {
#pragma GCC unroll 4
    for (int64_t i = 0; i < 4; ++i) add(i, load(a + k + i * kWidth));
  }
  for (; k < depth; k += kWidth) add(0, row_part(a, k, depth));
  const __m512i most =
      _mm512_max_epi32(_mm512_max_epi32(largest[0], largest[1]), _mm512_max_epi32(largest[2], largest[3]));
  return {.largest = _mm512_castsi512_ps(_mm512_set1_epi32(_mm512_reduce_max_epi32(most))),
          .squares = set1(sum_of((squares[0] + squares[1]) + (squares[2] + squares[3])))};
}

/// Moves the numbers that keep `rest`, a copy of `depth` numbers out of K, from needing three digits only. How many
/// they are, at most kMostOutliers; -1 when that is not enough.
inline int64_t move_outliers(float* rest, int64_t depth, int64_t k, Outlier* outliers) {
  const float bound = tame_bound(depth, k);
  int64_t found = 0;
  for (;;) {
    const RowMeasure m = measure_row(rest, depth);
    if ((tame_lanes(m.largest, m.squares, bound) & 1) != 0) return found;
    const int64_t before = found;
    for (int64_t i = 0; i < depth; i += kWidth) {
      const __m512 x = row_part(rest, i, depth);
      const uint32_t above = _mm512_cmp_ps_mask(x * x, m.squares * set1(bound), _CMP_GT_OQ);
      for (uint32_t left = above; left != 0; left &= left - 1) {
        const int64_t at = i + __builtin_ctz(left);
        if (found == kMostOutliers) return -1;
        outliers[found++] = {.place = static_cast<int32_t>(at * kRows), .value = rest[at]};
        rest[at] = 0;
      }
    }
    if (found == before) return -1;  // the squares are beyond f32
  }
}

/// Where the digits of a block of a row go, line r of its tiles, and what else is known of it.
struct RowBlock {
  const float* a = nullptr;
  int64_t depth = 0, k = 0;  // of the block, of the whole row
  char *coarse = nullptr, *fine = nullptr;
  float* scale = nullptr;
};

/// Most numbers of `depth` at `a` are so small beside the largest that digits drop what may count.
inline bool is_too_wide(const float* a, int64_t depth, __m512 largest, float small_part) {
  WidthCount width;
  const __m512 limit = largest * set1(small_part);
  for (int64_t k = 0; k < depth; k += kWidth) width.add(row_part(a, k, depth), limit);
  return 2 * _mm512_reduce_add_epi32(width.small) > _mm512_reduce_add_epi32(width.all);
}

/// False when the numbers do not fit or are of too different sizes.
inline bool store_row(const RowBlock& block, const float* a, __m512 largest, bool tame) {
  __mmask16 unfit = 0;
  const BlockScale s = block_scale(largest, tame, &unfit);
  int64_t highest_zero = block.depth - steps_of(block.depth) * kStep;  // the zeros behind the last do not count
  for (int64_t step = 0; step < steps_of(block.depth); ++step) {
    const int64_t first = step * kStep;
    __m512 x[4];
    if (first + kStep <= block.depth) {
#pragma GCC unroll 4
      for (int64_t j = 0; j < 4; ++j) x[j] = load(a + first + j * kTileEdge);
    } else {
#pragma GCC unroll 4
      for (int64_t j = 0; j < 4; ++j) x[j] = row_part(a, first + j * kTileEdge, block.depth);
    }
    highest_zero += __builtin_popcountll(
        store_digits(x, s.to_integer, block.coarse + step * kStepBytes, block.fine + step * kTileBytes));
  }
  *block.scale = _mm512_cvtss_f32(s.scale);
  if (unfit != 0) return false;
  // Few small numbers, and few zeros, are the common case.
  if (2 * highest_zero <= block.depth) return true;
  return !is_too_wide(a, block.depth, largest, tame ? kSmallPartTame : kSmallPart);
}

enum class RowKind { kThreeDigits, kFourDigits, kPlain };

/// Turns one block of a row into digits. Depends on nothing but its numbers and K.
inline RowKind split_row(const RowBlock& block, Outlier* outliers, int64_t* outlier_count) {
  *outlier_count = 0;
  const RowMeasure all = measure_row(block.a, block.depth);
  if (!(_mm512_cvtss_f32(all.largest) <= __FLT_MAX__)) return RowKind::kPlain;
  if ((tame_lanes(all.largest, all.squares, tame_bound(block.depth, block.k)) & 1) != 0) {
    if (store_row(block, block.a, all.largest, true)) return RowKind::kThreeDigits;
  } else {
    alignas(64) float rest[kBlock];
    for (int64_t k = 0; k < block.depth; ++k) rest[k] = block.a[k];
    const int64_t found = move_outliers(rest, block.depth, block.k, outliers);
    if (found >= 0 && store_row(block, rest, measure_row(rest, block.depth).largest, true)) {
      *outlier_count = found;
      return RowKind::kThreeDigits;
    }
  }
  return store_row(block, block.a, all.largest, false) ? RowKind::kFourDigits : RowKind::kPlain;
}

/// Rows whose digits fit into a slab.
GAMUT_INLINE int64_t slab_rows(int64_t k) {
  const int64_t fit = kSlabNumbers / (steps_of(k) * kStep) / kTileEdge * kTileEdge;
  return max_of(kTileEdge, min_of(kRows, fit));
}

/// By place: those of one depth follow each other, since many rows have theirs in the same places. Shell's sort.
inline void sort_outliers(Outlier* outliers, int64_t count) {
  constexpr int64_t kGaps[] = {4193, 1968, 701, 301, 132, 57, 23, 10, 4, 1};
  for (const int64_t gap : kGaps) {
    for (int64_t i = gap; i < count; ++i) {
      const Outlier moved = outliers[i];
      int64_t at = i;
      for (; at >= gap && outliers[at - gap].place > moved.place; at -= gap) outliers[at] = outliers[at - gap];
      outliers[at] = moved;
    }
  }
}

/// Rows [m, m + rows) of A, at most slab_rows.
inline void split_rows(const MatmulArgs& args, int64_t m, int64_t rows, Slab* slab) {
  const int64_t tiles = ceil_div(rows, kTileEdge), blocks = blocks_of(args.k);
  slab->any_plain = false;
  for (int64_t i = 0; i < blocks * tiles; ++i) slab->precise[i] = 0;
  int64_t outliers = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const float* a = args.a + (m + r) * args.a_stride;
    const int64_t tile = r / kTileEdge, outliers_before = outliers;
    int64_t steps_before = 0;  // of all tiles of the blocks before
    slab->plain[r] = false;
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t depth = min_of(kBlock, args.k - b * kBlock), step = steps_before + tile * steps_of(depth);
      const RowBlock block{.a = a + b * kBlock,
                           .depth = depth,
                           .k = args.k,
                           .coarse = slab->coarse + step * kStepBytes + r % kTileEdge * 64,
                           .fine = slab->fine + step * kTileBytes + r % kTileEdge * 64,
                           .scale = &slab->scales[b * kRows + r]};
      int64_t found = 0;
      const RowKind kind = split_row(block, slab->outliers + outliers, &found);
      for (int64_t i = outliers; i < outliers + found; ++i) {
        slab->outliers[i].place += static_cast<int32_t>(b * kBlock * kRows + r);
      }
      outliers += found;
      if (kind == RowKind::kFourDigits) slab->precise[b * tiles + tile] |= 1u << r % kTileEdge;
      if (kind == RowKind::kPlain) slab->plain[r] = true;
      steps_before += tiles * steps_of(depth);
    }
    if (slab->plain[r]) {
      slab->any_plain = true;
      outliers = outliers_before;
      for (int64_t b = 0; b < blocks; ++b) slab->scales[b * kRows + r] = 0.0f;
    }
  }
  sort_outliers(slab->outliers, outliers);
  slab->outlier_count = outliers;
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
