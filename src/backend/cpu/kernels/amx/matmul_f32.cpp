// The f32 matmul on AMX tiles, which multiply 8-bit integers more than ten times as fast as AVX-512 multiplies f32.
//
// Each row of A and each column of w is cut into blocks of kBlock numbers, and a block becomes fixed-point numbers of
// 8-bit digits (digits.h). Most blocks are tame, their largest number being not many times their root mean square: of a
// row and columns that are tame, three digits and eight of their nine products round less than f32 multiply-adds do.
// A few numbers of a row that are in the way of that are multiplied by multiply-adds. All others take four digits and
// the ten largest of the sixteen products. Tiles add products up exactly, and sums of blocks are added up in f32.
//
// A block whose numbers are of too different sizes, or not finite, does not become digits: its row of A, or its panel
// of w, is multiplied by f32 multiply-adds. What a row of A becomes is decided by that row alone, so its result depends
// on that row and w alone. docs/decisions/f32-on-tiles.md has the derivation and the measurements.
//
// A packed weight is a row of panels of kPanel columns. A panel is [blocks][kPanel] scales; for each block and half of
// the panel a byte that says whether it is tame; for each of them [step][digit] tiles of three digits; and for each of
// them [step] tiles of fourth digits. Or, its first scale being NaN, it has [K][kPanel] floats behind the bytes.
#include "backend/cpu/kernels/amx/slab.h"
#include "backend/cpu/kernels/amx/tiles.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {
namespace {

constexpr int64_t kHalves = kPanel / kTileEdge;

/// Where the parts of a packed panel begin, in bytes.
struct PanelLayout {
  int64_t tame, coarse, fine, end;

  explicit PanelLayout(int64_t k)
      : tame(blocks_of(k) * kPanel * static_cast<int64_t>(sizeof(float))),
        coarse(tame + ceil_div(blocks_of(k) * kHalves, 64) * 64),
        fine(coarse + steps_of(k) * kHalves * kStepBytes),
        end(fine + steps_of(k) * kHalves * kTileBytes) {}
};

size_t packed_bytes_amx(int64_t n, int64_t k) noexcept {
  return static_cast<size_t>(ceil_div(n, kPanel) * PanelLayout(k).end);
}

struct HalfBlock {
  int64_t depth = 0, k = 0;  // of the block, of the whole weight
  float* scale = nullptr;
  char *tame = nullptr, *coarse = nullptr, *fine = nullptr;
};

/// False when the numbers do not fit or, being tame, are of too different sizes.
bool store_half(const float* lines, const HalfBlock& half, __m512 largest, bool tame) {
  __mmask16 unfit = 0;
  const BlockScale s = block_scale(largest, tame, &unfit);
  if (unfit != 0) return false;
  WidthCount width;
  const __m512 limit = largest * set1(tame ? kSmallPartTame : kSmallPart);
  for (int64_t k = 0; k < half.depth; ++k) width.add(load(lines + k * kPanel), limit);
  if (_mm512_cmpgt_epi32_mask(_mm512_slli_epi32(width.small, 1), width.all) != 0) return false;
  for (int64_t step = 0; step < steps_of(half.depth); ++step) {
    for (int64_t r = 0; r < kTileEdge; ++r) {
      __m512 x[4];
      for (int64_t j = 0; j < 4; ++j) {
        const int64_t k = step * kStep + j * kTileEdge + r;
        x[j] = k < half.depth ? load(lines + k * kPanel) : zero();
      }
      store_digits(x, s.to_integer, half.coarse + step * kStepBytes + r * 64, half.fine + step * kTileBytes + r * 64);
    }
  }
  store(half.scale, s.scale);
  *half.tame = tame ? 1 : 0;
  return true;
}

/// Digits of `depth` lines of 16 columns; false when they do not fit.
bool pack_half(const float* lines, const HalfBlock& half) {
  __m512 largest = zero(), squares = zero();
  for (int64_t k = 0; k < half.depth; ++k) {
    const __m512 x = load(lines + k * kPanel);
    if (_mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q) != 0) return false;  // the largest may have passed over it
    largest = _mm512_max_ps(absolute(x), largest);
    squares = fma(x, x, squares);
  }
  const bool tame = tame_lanes(largest, squares, tame_bound(half.depth, half.k)) == 0xffff;
  return (tame && store_half(lines, half, largest, true)) || store_half(lines, half, largest, false);
}

bool pack_digits(const PackArgs& args, int64_t panel, char* out) {
  if (args.k > kMostDepth) return false;
  alignas(64) float lines[kBlock * kPanel];
  const PanelLayout layout(args.k);
  HalfBlock half{.k = args.k, .scale = reinterpret_cast<float*>(out), .tame = out + layout.tame};
  half.coarse = out + layout.coarse, half.fine = out + layout.fine;
  for (int64_t b = 0; b < blocks_of(args.k); ++b) {
    half.depth = min_of(kBlock, args.k - b * kBlock);
    pack_lines(args, panel * kPanel, b * kBlock, half.depth, lines);
    for (int64_t column = 0; column < kPanel; column += kTileEdge) {
      if (!pack_half(lines + column, half)) return false;
      half.scale += kTileEdge, half.tame += 1;
      half.coarse += steps_of(half.depth) * kStepBytes, half.fine += steps_of(half.depth) * kTileBytes;
    }
  }
  return true;
}

void pack_amx(const PackArgs& args, int64_t panel0, int64_t panel1) noexcept {
  const PanelLayout layout(args.k);
  for (int64_t p = panel0; p < panel1; ++p) {
    char* out = static_cast<char*>(args.packed) + p * layout.end;
    if (args.k == 0) continue;
    for (int64_t i = layout.tame; i < layout.coarse; ++i) out[i] = 0;
    if (pack_digits(args, p, out)) continue;
    *reinterpret_cast<float*>(out) = __builtin_nanf("");
    pack_lines(args, p * kPanel, 0, args.k, reinterpret_cast<float*>(out + layout.coarse));
  }
}

struct Scratch {
  Slab slab;
  alignas(64) float sums[kRows * kPanel];
  alignas(64) int32_t levels[2][kLevels * kLevel];
  alignas(64) float lines[kBlock * kPanel];
};

/// sums [kPanel] += a [depth] · lines [depth][kPanel], by multiply-adds.
void add_plain_row(const float* a, const float* lines, int64_t depth, float* sums) {
  V low = load(sums), high = load(sums + kWidth);
  for (int64_t k = 0; k < depth; ++k) {
    low = fma(set1(a[k]), load(lines + k * kPanel), low);
    high = fma(set1(a[k]), load(lines + k * kPanel + kWidth), high);
  }
  store(sums, low), store(sums + kWidth, high);
}

/// Rows [m, m + rows) of A, which the slab holds, with the panel of w whose first column is n.
struct PanelWork {
  const MatmulArgs& args;
  const PanelLayout& layout;
  int64_t m = 0, rows = 0, n = 0;
  const char* panel = nullptr;

  const float* scales(int64_t block) const { return reinterpret_cast<const float*>(panel) + block * kPanel; }
  bool is_tame(int64_t block, int64_t half) const { return panel[layout.tame + block * kHalves + half] != 0; }
};

void multiply_plain_panel(const PanelWork& work, float* sums) {
  const float* lines = reinterpret_cast<const float*>(work.panel + work.layout.coarse);
  for (int64_t r = 0; r < work.rows; ++r) {
    store(sums + r * kPanel, zero()), store(sums + r * kPanel + kWidth, zero());
    add_plain_row(work.args.a + (work.m + r) * work.args.a_stride, lines, work.args.k, sums + r * kPanel);
  }
}

/// The numbers that digits stand for at depth k of a block of a panel, [kPanel]; as many digits as `every` says or are
/// used.
void widen_line(const PanelWork& work, int64_t block, int64_t k, bool every, float* line) {
  const int64_t steps = steps_of(min_of(kBlock, work.args.k - block * kBlock));
  for (int64_t half = 0; half < kHalves; ++half) {
    const int64_t step = block * kBlockSteps * kHalves + half * steps;
    const char* coarse = work.panel + work.layout.coarse + step * kStepBytes;
    const char* fine = work.panel + work.layout.fine + step * kTileBytes;
    const bool four_digits = every || !work.is_tame(block, half);
    const V scale = load(work.scales(block) + half * kTileEdge);
    store(line + half * kTileEdge, number_line(coarse, four_digits ? fine : nullptr, k, scale));
  }
}

/// What digits leave out: rows that are none, and outliers.
void add_plain_rows(const PanelWork& work, Scratch* s) {
  for (int64_t b = 0; s->slab.any_plain && b < blocks_of(work.args.k); ++b) {
    const int64_t depth = min_of(kBlock, work.args.k - b * kBlock);
    for (int64_t k = 0; k < depth; ++k) widen_line(work, b, k, true, s->lines + k * kPanel);
    for (int64_t r = 0; r < work.rows; ++r) {
      const float* row = work.args.a + (work.m + r) * work.args.a_stride + b * kBlock;
      if (s->slab.plain[r]) add_plain_row(row, s->lines, depth, s->sums + r * kPanel);
    }
  }
}

void add_outliers(const PanelWork& work, Scratch* s) {
  int64_t widened = -1;
  for (int64_t i = 0; i < s->slab.outlier_count; ++i) {
    const Outlier& outlier = s->slab.outliers[i];
    const int64_t k = outlier.place / kRows, row = outlier.place % kRows;
    if (k != widened) widen_line(work, k / kBlock, k % kBlock, false, s->lines);
    widened = k;
    add_plain_row(&outlier.value, s->lines, 1, s->sums + row * kPanel);
  }
}

/// Asks for what will be written of C: its lines lie a row apart, where the processor foresees nothing.
void ask_for_rows(const PanelWork& work, int64_t row, int64_t half) {
  const int64_t n = work.n + half * kTileEdge, end = min_of(work.rows, row + kTileEdge);
  if (n >= work.args.n) return;
  for (int64_t r = row; r < end; ++r) __builtin_prefetch(work.args.c + (work.m + r) * work.args.c_stride + n, 1, 3);
}

void multiply_panel(const PanelWork& work, Scratch* s) {
  if (work.scales(0)[0] != work.scales(0)[0]) return multiply_plain_panel(work, s->sums);
  const int64_t tiles = ceil_div(work.rows, kTileEdge), lines = ceil_div(kStepBytes / 64, tiles);
  TileWork t{.a = s->slab.coarse, .w = work.panel + work.layout.coarse};
  t.a_fine = s->slab.fine, t.w_fine = work.panel + work.layout.fine;
  t.next_lines = tiles > 1 ? lines : 0;
  Pending pending;
  int levels = 0;
  for (int64_t b = 0; b < blocks_of(work.args.k); ++b) {
    t.steps = steps_of(min_of(kBlock, work.args.k - b * kBlock));
    const char *a = t.a, *a_fine = t.a_fine;
    for (int64_t half = 0; half < kHalves; ++half) {
      const bool tame = work.is_tame(b, half);
      t.a = a, t.a_fine = a_fine;
      for (int64_t tile = 0; tile < tiles; ++tile) {
        const int64_t row = tile * kTileEdge;
        const uint32_t precise = tame ? s->slab.precise[b * tiles + tile] : 0xffff;
        t.next = t.w + t.steps * (kStepBytes + tile * lines * 64);
        if (b + 1 == blocks_of(work.args.k)) ask_for_rows(work, row, half);
        (precise != 0 ? multiply_tile<true> : multiply_tile<false>)(t, pending, s->levels[levels]);
        pending = {.levels = s->levels[levels],
                   .rows = min_of(kTileEdge, work.rows - row),
                   .row_scales = s->slab.scales + b * kRows + row,
                   .column_scales = work.scales(b) + half * kTileEdge,
                   .precise = precise,
                   .first = b == 0,
                   .sums = s->sums + row * kPanel + half * kTileEdge};
        levels = 1 - levels;
        t.a += t.steps * kStepBytes, t.a_fine += t.steps * kTileBytes;
      }
      t.w += t.steps * kStepBytes, t.w_fine += t.steps * kTileBytes;
    }
  }
  add_rows(pending, 0, pending.rows);
  add_plain_rows(work, s);
  add_outliers(work, s);
}

void matmul_f32_amx(const MatmulArgs& args, const MatmulTile& tile, void* scratch) noexcept {
  if (args.packed == nullptr || args.k == 0) return matmul_f32(args, tile, scratch);
  Scratch* s = static_cast<Scratch*>(scratch);
  const PanelLayout layout(args.k);
  const int64_t most = slab_rows(args.k);
  const bool kept = tile.same_rows && tile.m1 - tile.m0 <= most;
  for (int64_t m = tile.m0; m < tile.m1; m += most) {
    const int64_t rows = min_of(most, tile.m1 - m);
    if (!kept && args.k <= kMostDepth) split_rows(args, m, rows, &s->slab);
    configure_tiles(rows);
    for (int64_t n = tile.n0; n < tile.n1; n += kPanel) {
      const char* panel = static_cast<const char*>(args.packed) + n / kPanel * layout.end;
      multiply_panel({args, layout, m, rows, n, panel}, s);
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
