// The f32 matmul on AMX tiles, which multiply 8-bit integers more than ten times as fast as AVX-512 multiplies f32.
//
// Each row of A and each column of w is cut into blocks of kBlock numbers, and a block becomes fixed-point numbers of
// four 8-bit digits (digits.h). Of the sixteen products of digits the ten largest are computed; tiles add them up
// exactly, and what is left out is below 2^-30 of the largest product. Sums of blocks are added up in f32. The result
// is nearer to the exact one than f32 multiply-adds come: they round after every addition.
//
// A block whose numbers are of too different sizes, or not finite, does not become digits: its row of A, or its panel
// of w, is multiplied by f32 multiply-adds. So a row's result depends on that row and w alone.
// docs/decisions/f32-on-tiles.md has the measurements.
//
// A packed weight is a row of panels of kPanel columns. A panel is [blocks][kPanel] scales, then for each block
// [half of the panel][step][digit] tiles; or, its first scale being NaN, behind the scales [K][kPanel] floats.
#include "backend/cpu/kernels/amx/digits.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {
namespace {

constexpr int64_t kHalves = kPanel / kTileEdge;
constexpr int64_t kRows = 128;  // of A at a time, at most
// Digits of A that are kept: as many rows as fit, but one tile of rows at least.
constexpr int64_t kSlabBytes = 1 << 20;
constexpr int64_t kMostDepth = 2 * kSlabBytes / kDigits / kTileEdge;  // deeper weights stay f32
constexpr int64_t kMostBlocks = (kMostDepth + kBlock - 1) / kBlock;

int64_t blocks_of(int64_t k) { return ceil_div(k, kBlock); }
int64_t steps_of(int64_t depth) { return ceil_div(depth, kStep); }
int64_t scale_bytes(int64_t k) { return blocks_of(k) * kPanel * static_cast<int64_t>(sizeof(float)); }
int64_t panel_bytes(int64_t k) { return scale_bytes(k) + steps_of(k) * kHalves * kStepBytes; }

size_t packed_bytes_amx(int64_t n, int64_t k) noexcept {
  return static_cast<size_t>(ceil_div(n, kPanel) * panel_bytes(k));
}

/// Digits of `depth` lines of 16 columns; false when they do not fit.
bool pack_half(const float* lines, int64_t depth, float* scale, char* out) {
  __m512 largest = zero();
  for (int64_t k = 0; k < depth; ++k) largest = _mm512_max_ps(absolute(load(lines + k * kPanel)), largest);
  for (int64_t k = 0; k < depth; ++k) {
    const __m512 x = load(lines + k * kPanel);
    if (_mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q) != 0) return false;  // the largest may have passed over it
  }
  __mmask16 unfit = 0;
  const BlockScale s = block_scale(largest, &unfit);
  if (unfit != 0) return false;
  WidthCount width;
  for (int64_t k = 0; k < depth; ++k) width.add(load(lines + k * kPanel), largest * set1(kSmallPart));
  if (_mm512_cmpgt_epi32_mask(_mm512_slli_epi32(width.small, 1), width.all) != 0) return false;
  for (int64_t step = 0; step < steps_of(depth); ++step) {
    for (int64_t r = 0; r < kTileEdge; ++r) {
      __m512 x[4];
      for (int64_t j = 0; j < 4; ++j) {
        const int64_t k = step * kStep + j * kTileEdge + r;
        x[j] = k < depth ? load(lines + k * kPanel) : zero();
      }
      store_digits(x, s.to_integer, out + step * kStepBytes + r * 64);
    }
  }
  store(scale, s.scale);
  return true;
}

bool pack_digits(const PackArgs& args, int64_t panel, char* out) {
  if (args.k > kMostDepth) return false;
  alignas(64) float lines[kBlock * kPanel];
  float* scales = reinterpret_cast<float*>(out);
  char* digits = out + scale_bytes(args.k);
  for (int64_t b = 0; b < blocks_of(args.k); ++b) {
    const int64_t depth = min_of(kBlock, args.k - b * kBlock);
    pack_lines(args, panel * kPanel, b * kBlock, depth, lines);
    for (int64_t half = 0; half < kHalves; ++half) {
      const int64_t column = half * kTileEdge;
      if (!pack_half(lines + column, depth, scales + b * kPanel + column, digits)) return false;
      digits += steps_of(depth) * kStepBytes;
    }
  }
  return true;
}

void pack_amx(const PackArgs& args, int64_t panel0, int64_t panel1) noexcept {
  for (int64_t p = panel0; p < panel1; ++p) {
    char* out = static_cast<char*>(args.packed) + p * panel_bytes(args.k);
    if (args.k == 0 || pack_digits(args, p, out)) continue;
    *reinterpret_cast<float*>(out) = __builtin_nanf("");
    pack_lines(args, p * kPanel, 0, args.k, reinterpret_cast<float*>(out + scale_bytes(args.k)));
  }
}

/// What a worker keeps of A: digits [block][tile of 16 rows][step][digit], and scales.
struct Slab {
  alignas(64) char digits[2 * kSlabBytes];
  alignas(64) float scales[kMostBlocks * kRows];  // [block][row]
  bool plain[kRows];                              // rows that are not digits: their scales are 0
  bool any_plain;
};

struct Scratch {
  Slab slab;
  alignas(64) float sums[kRows * kPanel];
  alignas(64) int32_t levels[5 * kTileEdge * kTileEdge];
  alignas(64) float lines[kBlock * kPanel];
};

/// Digits of one block of a row, line r of its tiles; false when they do not fit.
bool split_row(const float* a, int64_t depth, char* out, float* scale) {
  const auto part = [&](int64_t k) GAMUT_INLINE_LAMBDA {
    return load_n(a + k, static_cast<int>(max_of(0, min_of(depth - k, kWidth))));
  };
  __m512 largest = zero();
  __mmask16 nan = 0;
  for (int64_t k = 0; k < depth; k += kWidth) {
    const __m512 x = part(k);
    largest = _mm512_max_ps(absolute(x), largest);
    nan = static_cast<__mmask16>(nan | _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q));
  }
  largest = set1(max_of_lanes(largest));
  __mmask16 unfit = 0;
  const BlockScale s = block_scale(largest, &unfit);
  WidthCount width;
  const __m512 limit = largest * set1(kSmallPart);
  for (int64_t step = 0; step < steps_of(depth); ++step) {
    __m512 x[4];
#pragma GCC unroll 4
    for (int64_t j = 0; j < 4; ++j) {
      x[j] = part(step * kStep + j * kTileEdge);
      width.add(x[j], limit);
    }
    store_digits(x, s.to_integer, out + step * kStepBytes);
  }
  const bool fits =
      nan == 0 && unfit == 0 && 2 * _mm512_reduce_add_epi32(width.small) <= _mm512_reduce_add_epi32(width.all);
  *scale = fits ? _mm512_cvtss_f32(s.scale) : 0.0f;
  return fits;
}

/// Rows beyond the last up to a whole tile keep what they have: nobody reads their sums.
void split_rows(const MatmulArgs& args, int64_t m, int64_t rows, Slab* slab) {
  const int64_t tiles = ceil_div(rows, kTileEdge);
  slab->any_plain = false;
  for (int64_t r = 0; r < rows; ++r) {
    const float* a = args.a + (m + r) * args.a_stride;
    slab->plain[r] = false;
    char* digits = slab->digits;
    for (int64_t b = 0; b < blocks_of(args.k); ++b) {
      const int64_t depth = min_of(kBlock, args.k - b * kBlock), tile_bytes = steps_of(depth) * kStepBytes;
      char* out = digits + r / kTileEdge * tile_bytes + r % kTileEdge * 64;
      if (!split_row(a + b * kBlock, depth, out, &slab->scales[b * kRows + r])) slab->plain[r] = true;
      digits += tiles * tile_bytes;
    }
    if (!slab->plain[r]) continue;
    slab->any_plain = true;
    for (int64_t b = 0; b < blocks_of(args.k); ++b) slab->scales[b * kRows + r] = 0.0f;
  }
}

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// The compiler's intrinsics do not say that they read and write memory.
GAMUT_INLINE void memory_barrier() { __asm__ volatile("" ::: "memory"); }

// Tiles 0 to 4 are sums, 5 digits of w, 6 and 7 digits of A, of which `rows` are used.
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

/// Adds the product of digits of A and those of w in tile 5 to a level.
template <int Level>
GAMUT_INLINE void add_product(const char* a) {
  _tile_loadd(7, a, 64);
  if constexpr (Level == 1) _tile_dpbssd(1, 7, 5);
  if constexpr (Level == 2) _tile_dpbssd(2, 7, 5);
  if constexpr (Level == 3) _tile_dpbssd(3, 7, 5);
  if constexpr (Level == 4) _tile_dpbssd(4, 7, 5);
}

struct TileWork {
  const char *a = nullptr, *w = nullptr;  // [step][digit] tiles
  int64_t steps = 0;
  const char* next = nullptr;  // what comes after w; so many of its lines are asked for in each step
  int64_t next_lines = 0;
};

/// Sums of products of digits by what they count: levels 0, 1 and 2, and two halves of level 3, which take turns since
/// a tile that adds up needs 52 cycles.
void multiply_tile(const TileWork& work, int32_t* levels) {
  const char *a = work.a, *w = work.w, *next = work.next;
  memory_barrier();
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  for (int64_t s = 0; s < work.steps; ++s, a += kStepBytes, w += kStepBytes) {
    for (int64_t i = 0; i < work.next_lines; ++i, next += 64) __builtin_prefetch(next, 0, 2);
    _tile_loadd(6, a, 64);
    _tile_loadd(5, w, 64);
    _tile_dpbssd(0, 6, 5);
    add_product<1>(a + kTileBytes);
    add_product<2>(a + 2 * kTileBytes);
    add_product<3>(a + 3 * kTileBytes);
    _tile_loadd(5, w + kTileBytes, 64);
    _tile_dpbssd(1, 6, 5);
    add_product<2>(a + kTileBytes);
    add_product<4>(a + 2 * kTileBytes);
    _tile_loadd(5, w + 2 * kTileBytes, 64);
    _tile_dpbssd(2, 6, 5);
    add_product<3>(a + kTileBytes);
    _tile_loadd(5, w + 3 * kTileBytes, 64);
    _tile_dpbssd(4, 6, 5);
  }
  constexpr int64_t kLevel = kTileEdge * kTileEdge;
  _tile_stored(0, levels, 64);
  _tile_stored(1, levels + kLevel, 64);
  _tile_stored(2, levels + 2 * kLevel, 64);
  _tile_stored(3, levels + 3 * kLevel, 64);
  _tile_stored(4, levels + 4 * kLevel, 64);
  memory_barrier();
}

/// sums (+)= levels, of `rows` rows and 16 columns.
void add_levels(const int32_t* levels, int64_t rows, const float* row_scales, __m512 column_scale, bool first,
                float* sums) {
  const __m512 digit = set1(0x1p-8f);
  for (int64_t r = 0; r < rows; ++r) {
    const auto level = [&](int64_t l)
                           GAMUT_INLINE_LAMBDA { return _mm512_load_si512(levels + (l * kTileEdge + r) * kTileEdge); };
    __m512 x = _mm512_cvtepi32_ps(_mm512_add_epi32(level(3), level(4)));
    x = fma(x, digit, _mm512_cvtepi32_ps(level(2)));
    x = fma(x, digit, _mm512_cvtepi32_ps(level(1)));
    x = fma(x, digit, _mm512_cvtepi32_ps(level(0)));
    x = x * set1(row_scales[r]);
    store(sums + r * kPanel, first ? x * column_scale : fma(x, column_scale, load(sums + r * kPanel)));
  }
}

/// sums [kPanel] += a [depth] · lines [depth][kPanel], by multiply-adds.
void add_plain_row(const float* a, const float* lines, int64_t depth, float* sums) {
  V low = load(sums), high = load(sums + kWidth);
  for (int64_t k = 0; k < depth; ++k) {
    low = fma(set1(a[k]), load(lines + k * kPanel), low);
    high = fma(set1(a[k]), load(lines + k * kPanel + kWidth), high);
  }
  store(sums, low), store(sums + kWidth, high);
}

/// The numbers that digits stand for, [depth][kPanel].
void widen_digits(const char* digits, const float* scales, int64_t depth, float* lines) {
  for (int64_t k = 0; k < depth; ++k) {
    const int64_t step = k / kStep, j = k % kStep / kTileEdge, r = k % kTileEdge;
    for (int64_t column = 0; column < kPanel; ++column) {
      const char* tiles = digits + column / kTileEdge * steps_of(depth) * kStepBytes + step * kStepBytes;
      const char* byte = tiles + r * 64 + column % kTileEdge * 4 + j;
      int32_t x = 0;
      for (int d = 0; d < kDigits; ++d) x = x * 256 + static_cast<signed char>(byte[d * kTileBytes]);
      lines[k * kPanel + column] = static_cast<float>(x) * 0x1p-24f * scales[column];
    }
  }
}

/// Rows [m, m + rows) of A, which the slab holds, with one panel of w.
struct PanelWork {
  const MatmulArgs& args;
  int64_t m = 0, rows = 0;
  const char* panel = nullptr;
};

void multiply_plain_panel(const PanelWork& work, float* sums) {
  const float* lines = reinterpret_cast<const float*>(work.panel + scale_bytes(work.args.k));
  for (int64_t r = 0; r < work.rows; ++r) {
    store(sums + r * kPanel, zero()), store(sums + r * kPanel + kWidth, zero());
    add_plain_row(work.args.a + (work.m + r) * work.args.a_stride, lines, work.args.k, sums + r * kPanel);
  }
}

void multiply_panel(const PanelWork& work, Scratch* s) {
  const float* scales = reinterpret_cast<const float*>(work.panel);
  if (scales[0] != scales[0]) return multiply_plain_panel(work, s->sums);
  const char *w = work.panel + scale_bytes(work.args.k), *a = s->slab.digits;
  const int64_t tiles = ceil_div(work.rows, kTileEdge), lines = ceil_div(kStepBytes / 64, tiles);
  for (int64_t b = 0; b < blocks_of(work.args.k); ++b, scales += kPanel) {
    const int64_t depth = min_of(kBlock, work.args.k - b * kBlock), steps = steps_of(depth);
    for (int64_t half = 0; half < kHalves; ++half) {
      const __m512 column_scale = load(scales + half * kTileEdge);
      for (int64_t tile = 0; tile < tiles; ++tile) {
        const int64_t row = tile * kTileEdge;
        const char* unit = w + half * steps * kStepBytes;
        TileWork t{.a = a + tile * steps * kStepBytes, .w = unit, .steps = steps};
        if (tiles > 1) t.next = unit + steps * kStepBytes + tile * steps * lines * 64, t.next_lines = lines;
        multiply_tile(t, s->levels);
        add_levels(s->levels, min_of(kTileEdge, work.rows - row), s->slab.scales + b * kRows + row, column_scale,
                   b == 0, s->sums + row * kPanel + half * kTileEdge);
      }
    }
    if (s->slab.any_plain) {
      widen_digits(w, scales, depth, s->lines);
      for (int64_t r = 0; r < work.rows; ++r) {
        const float* row = work.args.a + (work.m + r) * work.args.a_stride + b * kBlock;
        if (s->slab.plain[r]) add_plain_row(row, s->lines, depth, s->sums + r * kPanel);
      }
    }
    a += tiles * steps * kStepBytes;
    w += kHalves * steps * kStepBytes;
  }
}

/// Rows whose digits fit into a slab.
int64_t slab_rows(int64_t k) {
  const int64_t fit = kSlabBytes / (steps_of(k) * kStep * kDigits) / kTileEdge * kTileEdge;
  return max_of(kTileEdge, min_of(kRows, fit));
}

void matmul_f32_amx(const MatmulArgs& args, const MatmulTile& tile, void* scratch) noexcept {
  if (args.packed == nullptr || args.k == 0) return matmul_f32(args, tile, scratch);
  Scratch* s = static_cast<Scratch*>(scratch);
  const int64_t most = slab_rows(args.k);
  const bool kept = tile.same_rows && tile.m1 - tile.m0 <= most;
  for (int64_t m = tile.m0; m < tile.m1; m += most) {
    const int64_t rows = min_of(most, tile.m1 - m);
    if (!kept && args.k <= kMostDepth) split_rows(args, m, rows, &s->slab);
    configure_tiles(rows);
    for (int64_t n = tile.n0; n < tile.n1; n += kPanel) {
      const char* panel = static_cast<const char*>(args.packed) + n / kPanel * panel_bytes(args.k);
      multiply_panel({args, m, rows, panel}, s);
      finish_tile(args, {.m0 = m, .m1 = m + rows, .n0 = n, .n1 = min_of(n + kPanel, tile.n1)}, s->sums);
    }
  }
  _tile_release();
}

}  // namespace

extern const MatmulKernel kMatmulAmx;
const MatmulKernel kMatmulAmx = {.name = "f32",
                                 .mr = kTileEdge,
                                 .nr = kPanel,
                                 .block_m = kRows,
                                 .scratch_bytes = sizeof(Scratch) > kMatmulScratch ? sizeof(Scratch) : kMatmulScratch,
                                 .packed_bytes = packed_bytes_amx,
                                 .pack = pack_amx,
                                 .run = matmul_f32_amx};

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
