// The f32 matmul on AMX tiles, which multiply only bf16 but more than ten times as fast as AVX-512 multiplies f32.
//
// Every finite f32 is the exact sum of three bf16: h, its upper 16 bits, m, those of the rest, and l, what is left. Of
// the nine products of two such sums the six largest are computed, h·h, h·m, m·h, m·m, h·l and l·h; bf16 products are
// exact in f32, in which tiles add them up. The other three are below 2^-21 of the product, so results are as near to
// the exact ones as those of f32 multiply-adds. Infinities have no such sum: where f32 gives an infinity, NaN may come
// out. docs/decisions/f32-on-tiles.md has the measurements.
//
// Weights stay packed as f32 (matmul_f32.cpp has the layout) and are split on the way: a unit of one panel and
// kUnitDepth steps is split into L1 while the unit before is being multiplied, tile instructions leaving the vector
// units idle. A is split once per depth block.
#include "backend/cpu/kernels/functions.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {
namespace {

// A tile is 16 rows of 64 bytes; a step of the depth fills one row with 32 bf16.
constexpr int64_t kTileEdge = 16;
constexpr int64_t kStep = 32;
constexpr int64_t kTileBytes = 1024;
constexpr int64_t kPieces = 3;
constexpr int64_t kSplitTile = kPieces * kTileBytes;  // h, m and l of one tile

constexpr int64_t kRows = 128;  // of A at a time
// Of w at a time: two split units stay in L1 beside what streams through. A longer one saves loads and stores of sums,
// which one pair of tiles keeps in registers anyway.
constexpr int64_t kUnitDepth = 96, kShortUnitDepth = 32;
constexpr int64_t kUnitBytes = kUnitDepth / kStep * 2 * kSplitTile;

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// The compiler's intrinsics do not say that they read and write memory.
GAMUT_INLINE void memory_barrier() { __asm__ volatile("" ::: "memory"); }

GAMUT_INLINE void configure_tiles() {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    config.rows[tile] = kTileEdge;
  }
  memory_barrier();
  _tile_loadconfig(&config);
}

/// Splits 2 x 16 floats into the rows at h, h + 1 KiB and h + 2 KiB: lane i has x[i] and y[i] side by side.
GAMUT_INLINE void split(__m512 x, __m512 y, char* h) {
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
  constexpr int kSecondUnderMask = 0xf8;  // a | (b & c)
#pragma GCC unroll 3
  for (int64_t piece = 0; piece < kPieces; ++piece) {
    const __m512i bits_x = _mm512_castps_si512(x), bits_y = _mm512_castps_si512(y);
    const __m512i pair = _mm512_ternarylogic_epi32(_mm512_srli_epi32(bits_x, 16), bits_y, upper, kSecondUnderMask);
    _mm512_store_si512(h + piece * kTileBytes, pair);
    x = _mm512_sub_ps(x, _mm512_castsi512_ps(_mm512_and_si512(bits_x, upper)));
    y = _mm512_sub_ps(y, _mm512_castsi512_ps(_mm512_and_si512(bits_y, upper)));
  }
}

/// Splits rows of A into tiles: [tile of 16 rows][step][piece]. Rows and steps beyond the end are zeros.
void split_rows(const float* a, int64_t stride, int64_t rows, int64_t depth, char* out) {
  const int64_t steps = ceil_div(depth, kStep);
  for (int64_t tile = 0; tile < ceil_div(rows, kTileEdge); ++tile) {
    for (int64_t r = 0; r < kTileEdge; ++r) {
      const int64_t row = tile * kTileEdge + r;
      char* to = out + tile * steps * kSplitTile + r * 64;
      const float* from = a + row * stride;
      for (int64_t s = 0; s < steps; ++s) {
        const int64_t left = row < rows ? depth - s * kStep : 0;
        const int first = static_cast<int>(max_of(0, min_of(left, 16)));
        const int second = static_cast<int>(max_of(0, min_of(left - 16, 16)));
        split(load_n(from + s * kStep, first), load_n(from + s * kStep + 16, second), to + s * kSplitTile);
      }
    }
  }
}

/// The part of w that is split at a time: `depth` steps of one panel.
struct Unit {
  const float* w = nullptr;
  int64_t depth = 0;
  char* pieces = nullptr;  // [step][half of the panel][piece]
  int64_t done = 0;        // lines of tiles that are split

  int64_t steps() const { return ceil_div(depth, kStep); }
  int64_t lines() const { return steps() * kTileEdge; }
};

/// Splits line `line` of the tiles of one step, 2 x kPanel floats; `deep` lines of w are left from the step's first on.
constexpr int64_t kAhead = kUnitDepth * kPanel;
GAMUT_INLINE void split_line(const float* w, int64_t line, int64_t deep, char* pieces) {
  const float *first = w + line * kPanel, *second = first + kTileEdge * kPanel;
  char* to = pieces + line * 64;
  if (deep >= kStep) {
    __builtin_prefetch(first + kAhead, 0, 2), __builtin_prefetch(first + 16 + kAhead, 0, 2);
    __builtin_prefetch(second + kAhead, 0, 2), __builtin_prefetch(second + 16 + kAhead, 0, 2);
    split(load(first), load(second), to);
    split(load(first + 16), load(second + 16), to + kSplitTile);
    return;
  }
#pragma GCC unroll 2
  for (int64_t half = 0; half < 2; ++half) {
    const __m512 x = line < deep ? load(first + half * 16) : zero();
    const __m512 y = line + kTileEdge < deep ? load(second + half * 16) : zero();
    split(x, y, to + half * kSplitTile);
  }
}

/// Splits the next `count` lines of tiles, as far as there are any.
GAMUT_INLINE void split_lines(Unit& unit, int64_t count) {
  const Unit u = unit;
  const int64_t end = min_of(u.lines(), u.done + count);
  for (int64_t line = u.done; line < end; ++line) {
    const int64_t step = line / kTileEdge;
    split_line(u.w + step * kStep * kPanel, line % kTileEdge, u.depth - step * kStep, u.pieces + step * 2 * kSplitTile);
  }
  unit.done = end;
}

/// Tiles 0 to 3 are sums, 4 and 5 two tiles of A, 6 and 7 the halves of a panel.
template <int Tiles>
GAMUT_INLINE void multiply_pieces() {
  _tile_dpbf16ps(0, 4, 6);
  _tile_dpbf16ps(1, 4, 7);
  if constexpr (Tiles == 2) {
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
}

template <int Tiles>
GAMUT_INLINE void load_a(const char* a, int64_t tile_stride, int piece) {
  _tile_loadd(4, a + piece * kTileBytes, 64);
  if constexpr (Tiles == 2) _tile_loadd(5, a + tile_stride + piece * kTileBytes, 64);
}

GAMUT_INLINE void load_w(const char* w, int piece) {
  _tile_loadd(6, w + piece * kTileBytes, 64);
  _tile_loadd(7, w + kSplitTile + piece * kTileBytes, 64);
}

enum class Sums { kZero, kStored, kInTiles };

struct TileWork {
  const char* a = nullptr;
  int64_t tile_stride = 0;  // bytes from one tile of A to the next
  const Unit* unit = nullptr;
  float* sums = nullptr;       // [16 * Tiles][kPanel]
  Sums from = Sums::kZero;     // where the sums are before …
  bool stay_in_tiles = false;  // … and after
  Unit* next = nullptr;        // split on the way
  int64_t lines = 0;           // of it, after each pair of pieces
};

/// sums (+)= A · unit, for `Tiles` tiles of A.
template <int Tiles>
void multiply(const TileWork& work) {
  constexpr int64_t kStride = kPanel * sizeof(float);
  float* const lower = work.sums + kTileEdge * kPanel;
  memory_barrier();
  if (work.from == Sums::kZero) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  } else if (work.from == Sums::kStored) {
    _tile_loadd(0, work.sums, kStride);
    _tile_loadd(1, work.sums + 16, kStride);
    if constexpr (Tiles == 2) {
      _tile_loadd(2, lower, kStride);
      _tile_loadd(3, lower + 16, kStride);
    }
  }
  for (int64_t s = 0; s < work.unit->steps(); ++s) {
    const char* a = work.a + s * kSplitTile;
    const char* w = work.unit->pieces + s * 2 * kSplitTile;
    load_a<Tiles>(a, work.tile_stride, 0), load_w(w, 0), multiply_pieces<Tiles>(), split_lines(*work.next, work.lines);
    load_w(w, 1), multiply_pieces<Tiles>(), split_lines(*work.next, work.lines);
    load_a<Tiles>(a, work.tile_stride, 1), multiply_pieces<Tiles>(), split_lines(*work.next, work.lines);
    load_w(w, 0), multiply_pieces<Tiles>(), split_lines(*work.next, work.lines);
    load_a<Tiles>(a, work.tile_stride, 2), multiply_pieces<Tiles>(), split_lines(*work.next, work.lines);
    load_a<Tiles>(a, work.tile_stride, 0), load_w(w, 2), multiply_pieces<Tiles>(), split_lines(*work.next, work.lines);
  }
  if (!work.stay_in_tiles) {
    _tile_stored(0, work.sums, kStride);
    _tile_stored(1, work.sums + 16, kStride);
    if constexpr (Tiles == 2) {
      _tile_stored(2, lower, kStride);
      _tile_stored(3, lower + 16, kStride);
    }
  }
  memory_barrier();
}

/// The units of one depth block of some panels, in the order in which they are multiplied.
struct Units {
  const float* w = nullptr;  // the block's first line in the first panel
  int64_t panel_stride = 0, panels = 0, depth = 0;
  int64_t unit_depth = kUnitDepth;
  char* pieces = nullptr;  // of two units

  int64_t per_panel() const { return ceil_div(depth, unit_depth); }
  int64_t count() const { return panels * per_panel(); }
  Unit get(int64_t index) const {
    if (index >= count()) return {};
    const int64_t k = index % per_panel() * unit_depth;
    return {.w = w + index / per_panel() * panel_stride + k * kPanel,
            .depth = min_of(unit_depth, depth - k),
            .pieces = pieces + index % 2 * kUnitBytes};
  }
};

/// One depth block for all rows of the task; `sums` of panel p lie at p * sums_stride.
struct Block {
  const char* a = nullptr;
  int64_t rows = 0;
  Units units;
  float* sums = nullptr;
  int64_t sums_stride = 0;
  bool first = true;
};

/// Calls done(panel) when the sums of a panel are complete for this block.
template <typename Done>
void multiply_block(const Block& block, Done done) {
  const int64_t tiles = ceil_div(block.rows, kTileEdge);
  const int64_t tile_stride = ceil_div(block.units.depth, kStep) * kSplitTile;
  Unit unit = block.units.get(0);
  split_lines(unit, unit.lines());
  for (int64_t u = 0; u < block.units.count(); ++u) {
    const int64_t panel = u / block.units.per_panel(), part = u % block.units.per_panel();
    Unit next = block.units.get(u + 1);
    const bool last = part + 1 == block.units.per_panel(), alone = tiles <= 2;
    TileWork work{.tile_stride = tile_stride, .unit = &unit, .stay_in_tiles = alone && !last, .next = &next};
    work.from = part == 0 ? (block.first ? Sums::kZero : Sums::kStored) : alone ? Sums::kInTiles : Sums::kStored;
    work.lines = ceil_div(next.lines(), max_of(1, ceil_div(tiles, 2) * unit.steps() * 6));
    for (int64_t tile = 0; tile < tiles; tile += 2) {
      work.a = block.a + tile * tile_stride + part * (block.units.unit_depth / kStep) * kSplitTile;
      work.sums = block.sums + panel * block.sums_stride + tile * kTileEdge * kPanel;
      if (tile + 1 < tiles) {
        multiply<2>(work);
      } else {
        multiply<1>(work);
      }
    }
    split_lines(next, next.lines());
    if (last) done(panel);
    unit = next;
  }
}

constexpr int64_t kSplitBytes = kRows / kTileEdge * (kBlockDepth / kStep) * kSplitTile;
constexpr int64_t kSumsBytes = kRows * kBlockColumns * sizeof(float);

void matmul_f32_amx(const MatmulArgs& args, const MatmulTile& tile, void* scratch) noexcept {
  if (args.packed == nullptr || args.k == 0) return matmul_f32(args, tile, scratch);
  char* const pieces = static_cast<char*>(scratch);
  char* const units = pieces + kSplitBytes;
  float* const sums = reinterpret_cast<float*>(units + 2 * kUnitBytes);
  configure_tiles();
  for (int64_t m = tile.m0; m < tile.m1; m += kRows) {
    const int64_t rows = min_of(kRows, tile.m1 - m), rows_stored = ceil_div(rows, kTileEdge) * kTileEdge;
    for (int64_t n = tile.n0; n < tile.n1; n += kBlockColumns) {
      const int64_t columns = min_of(kBlockColumns, tile.n1 - n);
      for (int64_t k = 0; k < args.k; k += kBlockDepth) {
        const int64_t depth = min_of(kBlockDepth, args.k - k);
        const bool last = k + kBlockDepth >= args.k, is_split = args.k <= kBlockDepth && n > tile.n0;
        if (!is_split) split_rows(args.a + m * args.a_stride + k, args.a_stride, rows, depth, pieces);
        Block block{.a = pieces, .rows = rows, .sums = sums, .first = k == 0};
        block.sums_stride = args.k <= kBlockDepth ? 0 : rows_stored * kPanel;
        block.units = {.w = static_cast<const float*>(args.packed) + n * args.k + k * kPanel,
                       .panel_stride = args.k * kPanel,
                       .panels = ceil_div(columns, kPanel),
                       .depth = depth,
                       .unit_depth = rows <= 2 * kTileEdge ? kShortUnitDepth : kUnitDepth,
                       .pieces = units};
        multiply_block(block, [&](int64_t p) {
          if (!last) return;
          const int64_t column = n + p * kPanel;
          finish_tile(args, {m, m + rows, column, min_of(column + kPanel, tile.n1)}, sums + p * block.sums_stride);
        });
      }
    }
  }
  _tile_release();
}

}  // namespace

extern const MatmulKernel kMatmulAmx;
const MatmulKernel kMatmulAmx = {
    .name = "f32",
    .mr = kTileEdge,
    .nr = kPanel,
    .block_m = kRows,
    .scratch_bytes = static_cast<size_t>(max_of(kMatmulScratch, kSplitBytes + 2 * kUnitBytes + kSumsBytes)),
    .packed_bytes = packed_bytes_f32,
    .pack = pack_f32,
    .run = matmul_f32_amx};

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
