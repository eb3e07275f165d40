// Products of digits on AMX tiles, and how they become sums in f32.
#pragma once

#include "backend/cpu/kernels/amx/digits.h"
#include "backend/cpu/kernels/amx/tile_config.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {

constexpr int kLevels = 5;
constexpr int64_t kLevel = kTileEdge * kTileEdge;

// Tiles 0 to 3 are sums, 4 a sum or digits of A, 5 digits of w, 6 and 7 digits of A, of which `rows` are used.
GAMUT_INLINE void configure_tiles(int64_t rows) {
  constexpr int kW = 5;
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    config.rows[tile] = static_cast<uint8_t>(tile == kW ? kTileEdge : min_of(rows, kTileEdge));
  }
  memory_barrier();
  _tile_loadconfig(&config);
}

/// What the products of one tile of rows and 16 columns add to their sums.
struct Pending {
  const int32_t* levels = nullptr;  // [kLevels][rows][columns], see multiply_tile
  int64_t rows = 0;                 // that are still to be added
  const float *row_scales = nullptr, *column_scales = nullptr;
  uint32_t precise = 0;  // the rows whose fourth digits count, bit by bit
  bool first = false;
  float* sums = nullptr;  // [rows][kPanel]
};

/// sums (+)= levels, rows [begin, end).
GAMUT_INLINE void add_rows(const Pending& p, int64_t begin, int64_t end) {
  if (begin >= end) return;
  const __m512 digit = set1(0x1p-8f), column_scale = load(p.column_scales);
  for (int64_t r = begin; r < end; ++r) {
    const auto level = [&](int64_t l)
                           GAMUT_INLINE_LAMBDA { return _mm512_load_si512(p.levels + l * kLevel + r * kTileEdge); };
    const __mmask16 fourth = static_cast<__mmask16>((p.precise >> r & 1) != 0 ? 0xffff : 0);
    const __m512i third = _mm512_mask_add_epi32(level(3), fourth, level(3), level(4));
    __m512 x = fma(_mm512_cvtepi32_ps(third), digit, _mm512_cvtepi32_ps(level(2)));
    x = fma(x, digit, _mm512_cvtepi32_ps(level(1)));
    x = fma(x, digit, _mm512_cvtepi32_ps(level(0)));
    x = x * set1(p.row_scales[r]);
    store(p.sums + r * kPanel, p.first ? x * column_scale : fma(x, column_scale, load(p.sums + r * kPanel)));
  }
}

struct TileWork {
  const char *a = nullptr, *w = nullptr;            // [step][digit] tiles
  const char *a_fine = nullptr, *w_fine = nullptr;  // [step] tiles of fourth digits
  int64_t steps = 0;
  const char* next = nullptr;  // what is needed soon; so many of its lines are asked for in each step
  int64_t next_lines = 0;
};

/// Three digits, eight products: w in tile 5, the digits of A in 4, 6 and 7.
GAMUT_INLINE void multiply_three_digits(const char* a, const char* w) {
  _tile_loadd(4, a, 64);
  _tile_loadd(5, w, 64);
  _tile_dpbssd(0, 4, 5);
  _tile_loadd(6, a + kTileBytes, 64);
  _tile_dpbssd(1, 6, 5);
  _tile_loadd(7, a + 2 * kTileBytes, 64);
  _tile_dpbssd(2, 7, 5);
  _tile_loadd(5, w + kTileBytes, 64);
  _tile_dpbssd(1, 4, 5);
  _tile_dpbssd(2, 6, 5);
  _tile_dpbssd(3, 7, 5);
  _tile_loadd(5, w + 2 * kTileBytes, 64);
  _tile_dpbssd(2, 4, 5);
  _tile_dpbssd(3, 6, 5);
}

/// Four digits, ten products: those with a fourth digit apart in tile 4, w in 5, the digits of A in 6 and 7.
GAMUT_INLINE void multiply_four_digits(const char* a, const char* w, const char* a_fine, const char* w_fine) {
  _tile_loadd(6, a, 64);
  _tile_loadd(5, w, 64);
  _tile_dpbssd(0, 6, 5);
  _tile_loadd(7, a + kTileBytes, 64);
  _tile_dpbssd(1, 7, 5);
  _tile_loadd(7, a + 2 * kTileBytes, 64);
  _tile_dpbssd(2, 7, 5);
  _tile_loadd(7, a_fine, 64);
  _tile_dpbssd(4, 7, 5);
  _tile_loadd(5, w + kTileBytes, 64);
  _tile_dpbssd(1, 6, 5);
  _tile_loadd(7, a + 2 * kTileBytes, 64);
  _tile_dpbssd(3, 7, 5);
  _tile_loadd(7, a + kTileBytes, 64);
  _tile_dpbssd(2, 7, 5);
  _tile_loadd(5, w + 2 * kTileBytes, 64);
  _tile_dpbssd(3, 7, 5);
  _tile_dpbssd(2, 6, 5);
  _tile_loadd(5, w_fine, 64);
  _tile_dpbssd(4, 6, 5);
}

/// Sums of products of digits by what they count: levels 0 to 3, of four digits the products with a fourth one, which
/// belong to level 3, as a level of their own. The rows of `before` are added between the steps.
template <bool FourDigits>
void multiply_tile(const TileWork& work, const Pending& before, int32_t* levels) {
  const char* next = work.next;
  const int64_t share = ceil_div(before.rows, work.steps);
  memory_barrier();
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  if constexpr (FourDigits) _tile_zero(4);
  for (int64_t s = 0; s < work.steps; ++s) {
    for (int64_t i = 0; i < work.next_lines; ++i, next += 64) __builtin_prefetch(next, 0, 2);
    const char *a = work.a + s * kStepBytes, *w = work.w + s * kStepBytes;
    if constexpr (FourDigits) {
      multiply_four_digits(a, w, work.a_fine + s * kTileBytes, work.w_fine + s * kTileBytes);
    } else {
      multiply_three_digits(a, w);
    }
    add_rows(before, min_of(s * share, before.rows), min_of((s + 1) * share, before.rows));
  }
  _tile_stored(0, levels, 64);
  _tile_stored(1, levels + kLevel, 64);
  _tile_stored(2, levels + 2 * kLevel, 64);
  _tile_stored(3, levels + 3 * kLevel, 64);
  if constexpr (FourDigits) _tile_stored(4, levels + 4 * kLevel, 64);
  memory_barrier();
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
