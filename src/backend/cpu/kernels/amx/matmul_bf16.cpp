// The bf16 matmul on AMX tiles: sums of products of bf16 numbers, added up in f32.
//
// A packed weight is a row of panels of kPanel columns, a panel [step][half] tiles of 32 numbers of 16 columns, pairs
// of numbers side by side. Rows of A are rounded to bf16 once for all panels of a task. One row takes the same steps in
// the same order as many, and sums go through memory as they are in tiles, so a row's result depends on that row and w
// alone.
#include "backend/cpu/kernels/amx/tile_config.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {
namespace {

constexpr int64_t kDepth = 32;  // numbers of a row of a tile
constexpr int64_t kPanelTiles = kPanel / kTileEdge;
constexpr int64_t kStepBytes = kPanelTiles * kTileBytes;
constexpr int64_t kRows = 256;  // of A at a time, at most
constexpr int64_t kSlabNumbers = kRows * 16384;
constexpr int64_t kLeastRows = 2 * kTileEdge;
constexpr int64_t kMostDepth = kSlabNumbers / kLeastRows;  // deeper weights are packed as without tiles
// Columns whose sums are kept while they go over blocks of the depth, so deep that a block of a panel stays in L1 while
// all rows of A pass.
constexpr int64_t kChunkPanels = 16;
constexpr int64_t kBlockSteps = 8;

GAMUT_INLINE int64_t steps_of(int64_t k) { return ceil_div(k, kDepth); }

struct Scratch {
  alignas(64) char slab[kSlabNumbers * 2];  // [32 rows][step][half of the rows] tiles
  alignas(64) float sums[kChunkPanels * kRows * kPanel];
};

/// 32 numbers of 16 bits, those behind `count` zeros.
GAMUT_INLINE __m512i load_pairs(const uint16_t* p, int64_t count) {
  const __mmask32 some = count >= kDepth ? ~0u : (1u << count) - 1u;
  return _mm512_maskz_loadu_epi16(some, p);
}

/// 32 floats as bf16, those behind `count` zeros.
GAMUT_INLINE __m512i round_pairs(const float* p, int64_t count) {
  const __m512 low = count >= kWidth ? load(p) : load_n(p, static_cast<int>(count));
  __m512 high = zero();
  if (count >= kDepth) {
    high = load(p + kWidth);
  } else if (count > kWidth) {
    high = load_n(p + kWidth, static_cast<int>(count - kWidth));
  }
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

/// Numbers [k, k + count) of column n of a weight.
__m512i load_column(const PackArgs& args, int64_t n, int64_t k, int64_t count) {
  const int64_t start = n * args.n_stride + k * args.k_stride;
  if (args.k_stride == 1 && args.type == Source::kBf16) {
    return load_pairs(static_cast<const uint16_t*>(args.data) + start, count);
  }
  if (args.k_stride == 1 && args.type == Source::kF32) {
    return round_pairs(static_cast<const float*>(args.data) + start, count);
  }
  alignas(64) float line[kDepth];
  for (int64_t i = 0; i < count; ++i) {
    const int64_t at = start + i * args.k_stride;
    switch (args.type) {
      case Source::kF32: line[i] = static_cast<const float*>(args.data)[at]; break;
      case Source::kF16: line[i] = f16_to_f32(static_cast<const uint16_t*>(args.data)[at]); break;
      case Source::kBf16: line[i] = bf16_to_f32(static_cast<const uint16_t*>(args.data)[at]); break;
    }
  }
  return round_pairs(line, count);
}

size_t packed_bytes(int64_t n, int64_t k) noexcept {
  if (k > kMostDepth) return packed_bytes_16(n, k);
  return static_cast<size_t>(ceil_div(n, kPanel) * steps_of(k) * kStepBytes);
}

void pack(const PackArgs& args, int64_t panel0, int64_t panel1) noexcept {
  if (args.k > kMostDepth) return pack_bf16(args, panel0, panel1);
  char* out = static_cast<char*>(args.packed) + panel0 * steps_of(args.k) * kStepBytes;
  for (int64_t p = panel0; p < panel1; ++p) {
    for (int64_t k = 0; k < args.k; k += kDepth) {
      for (int64_t half = 0; half < kPanelTiles; ++half, out += kTileBytes) {
        V tile[kTileEdge];
#pragma GCC unroll 16
        for (int64_t j = 0; j < kTileEdge; ++j) {
          const int64_t n = p * kPanel + half * kTileEdge + j;
          tile[j] = n < args.n ? (V)load_column(args, n, k, min_of(kDepth, args.k - k)) : zero();
        }
        transpose(tile);
#pragma GCC unroll 16
        for (int64_t j = 0; j < kTileEdge; ++j) store(reinterpret_cast<float*>(out) + j * kWidth, tile[j]);
      }
    }
  }
}

/// Rows [m, m + rows) of A as tiles; what is left of the last tile, of several, becomes zeros.
void round_rows(const MatmulArgs& args, int64_t m, int64_t rows, char* slab) {
  const int64_t steps = steps_of(args.k), filled = rows < kTileEdge ? rows : ceil_div(rows, kTileEdge) * kTileEdge;
  constexpr int64_t kPair = 2 * kTileEdge;
  for (int64_t r = 0; r < filled; ++r) {
    char* out = slab + r / kPair * steps * 2 * kTileBytes + r % kPair / kTileEdge * kTileBytes + r % kTileEdge * 64;
    const float* a = args.a + (m + r) * args.a_stride;
    for (int64_t s = 0; s < steps; ++s, a += kDepth, out += 2 * kTileBytes) {
      const __m512i pairs = r < rows ? round_pairs(a, min_of(kDepth, args.k - s * kDepth)) : _mm512_setzero_si512();
      _mm512_store_si512(out, pairs);
    }
  }
}

/// Tiles 0 to 3 are sums, 4 and 5 rows of A, 6 and 7 columns of w.
void configure(int64_t rows) {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    config.rows[tile] = static_cast<uint8_t>(tile < 6 ? min_of(rows, kTileEdge) : kTileEdge);
  }
  memory_barrier();
  _tile_loadconfig(&config);
}

/// Some steps of one panel with one or two tiles of rows.
struct Work {
  const char *a = nullptr, *w = nullptr;
  int64_t steps = 0;
  float* sums = nullptr;       // [rows][kPanel]
  bool first = false;          // sums start at zero
  const char* next = nullptr;  // what is needed soon; so many of its lines are asked for in each step
  int64_t next_lines = 0;
};

template <int kTiles>
void multiply(const Work& work) {
  constexpr int64_t kStride = kPanel * 4, kTileRow = kTileEdge * kPanel;
  const char *a = work.a, *w = work.w, *next = work.next;
  const int64_t steps = work.steps, next_lines = work.next_lines;
  memory_barrier();
  if (work.first) {
    _tile_zero(0);
    _tile_zero(1);
    if constexpr (kTiles == 2) {
      _tile_zero(2);
      _tile_zero(3);
    }
  } else {
    _tile_loadd(0, work.sums, kStride);
    _tile_loadd(1, work.sums + kTileEdge, kStride);
    if constexpr (kTiles == 2) {
      _tile_loadd(2, work.sums + kTileRow, kStride);
      _tile_loadd(3, work.sums + kTileRow + kTileEdge, kStride);
    }
  }
  for (int64_t s = 0; s < steps; ++s, a += 2 * kTileBytes, w += kStepBytes) {
    for (int64_t i = 0; i < next_lines; ++i, next += 64) __builtin_prefetch(next, 0, 2);
    _tile_loadd(4, a, 64);
    if constexpr (kTiles == 2) _tile_loadd(5, a + kTileBytes, 64);
    _tile_loadd(6, w, 64);
    _tile_loadd(7, w + kTileBytes, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    if constexpr (kTiles == 2) {
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, work.sums, kStride);
  _tile_stored(1, work.sums + kTileEdge, kStride);
  if constexpr (kTiles == 2) {
    _tile_stored(2, work.sums + kTileRow, kStride);
    _tile_stored(3, work.sums + kTileRow + kTileEdge, kStride);
  }
  memory_barrier();
}

/// Rows [m, m + rows) of A, which the slab holds, with some panels from column n on.
struct Chunk {
  const MatmulArgs& args;
  int64_t m = 0, rows = 0, n = 0, n1 = 0;
};

void multiply_chunk(const Chunk& c, Scratch* scratch) {
  const int64_t steps = steps_of(c.args.k), panels = ceil_div(c.n1 - c.n, kPanel);
  const int64_t tiles = ceil_div(c.rows, kTileEdge), pairs = ceil_div(tiles, 2);
  const int64_t blocks = pairs <= 2 ? 1 : ceil_div(steps, kBlockSteps);
  const char* w = static_cast<const char*>(c.args.packed) + c.n / kPanel * steps * kStepBytes;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t s0 = b * steps / blocks, s1 = (b + 1) * steps / blocks;
    for (int64_t p = 0; p < panels; ++p) {
      Work work{.steps = s1 - s0, .first = b == 0};
      work.w = w + (p * steps + s0) * kStepBytes;
      work.next = work.w + steps * kStepBytes;
      // One pass reads straight on, which the processor foresees.
      work.next_lines = pairs > 1 ? ceil_div(kStepBytes / 64, pairs) : 0;
      float* sums = scratch->sums + (blocks > 1 ? p : 0) * kRows * kPanel;
      for (int64_t t = 0; t < tiles; t += 2) {
        work.a = scratch->slab + (t * steps + 2 * s0) * kTileBytes;
        work.sums = sums + t * kTileEdge * kPanel;
        t + 1 < tiles ? multiply<2>(work) : multiply<1>(work);
        work.next += work.steps * work.next_lines * 64;
      }
      const int64_t n = c.n + p * kPanel;
      if (b + 1 == blocks) finish_tile(c.args, {c.m, c.m + c.rows, n, min_of(n + kPanel, c.n1)}, sums);
    }
  }
}

void run(const MatmulArgs& args, const MatmulTile& tile, void* scratch) noexcept {
  if (args.packed == nullptr || args.k == 0 || args.k > kMostDepth) return matmul_bf16(args, tile, scratch);
  Scratch* s = static_cast<Scratch*>(scratch);
  const int64_t fitting = kSlabNumbers / (steps_of(args.k) * kDepth) / kLeastRows * kLeastRows;
  const int64_t most = min_of(kRows, fitting);
  const bool kept = tile.same_rows && tile.m1 - tile.m0 <= most;
  for (int64_t m = tile.m0; m < tile.m1; m += most) {
    const int64_t rows = min_of(most, tile.m1 - m);
    if (!kept) round_rows(args, m, rows, s->slab);
    configure(rows);
    for (int64_t n = tile.n0; n < tile.n1; n += kChunkPanels * kPanel) {
      multiply_chunk({args, m, rows, n, min_of(n + kChunkPanels * kPanel, tile.n1)}, s);
    }
  }
  _tile_release();
}

}  // namespace

extern const MatmulKernel kMatmulBf16Amx;
const MatmulKernel kMatmulBf16Amx = {
    .name = "bf16",
    .mr = 2 * kTileEdge,
    .nr = kPanel,
    .block_m = kRows,
    .scratch_bytes = sizeof(Scratch) > kMatmulScratch ? sizeof(Scratch) : kMatmulScratch,
    .packed_bytes = packed_bytes,
    .pack = pack,
    .run = run};

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
