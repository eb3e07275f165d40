// Attention with bf16 products on AMX tiles: queries in the lanes, as in f32, and the same running softmax in f32.
//
// Scores are K · q^T, so keys are rows of tiles as they lie and queries, which stay for all keys, are their columns.
// Values are added as V^T · weights^T, so the output is gathered as [Dv][lanes] again. A query takes the same steps
// whatever the other lanes hold.
#include "backend/cpu/kernels/amx/tile_config.h"
#include "backend/cpu/kernels/attention_tile.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {
namespace {

constexpr int64_t kDepth = 32;  // numbers of a row of a tile
constexpr int64_t kKeyTiles = kKeyBlock / kTileEdge;
constexpr int64_t kKeySteps = kKeyBlock / kDepth;
constexpr int kVectors = kQueryVectors;
constexpr int64_t kLanes = kVectors * kWidth;
constexpr int64_t kLaneBytes = kLanes * 4;

/// Tiles of one head.
struct Tiles {
  char* queries;  // [step of D][vector of lanes]
  char* keys;     // [16 keys][step of D]
  char* values;   // [16 of Dv][step of keys]
  char* weights;  // [step of keys][vector of lanes]
};

GAMUT_INLINE int64_t steps_of(int64_t dims) { return ceil_div(dims, kDepth); }

/// Lane by lane the pair of bf16 numbers (low, high).
GAMUT_INLINE __m512i pair_of(V low, V high) {
  const __m512i l = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(low));
  const __m512i h = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(high));
  return _mm512_or_si512(l, _mm512_slli_epi32(h, 16));
}

/// Lines [0, lines) of x [..][kLanes] as pairs of lines, zeros behind them: [step][vector] tiles.
void store_line_pairs(const float* x, int64_t lines, char* tiles) {
  for (int64_t line = 0; line < steps_of(lines) * kDepth; line += 2) {
    char* out = tiles + line / kDepth * kVectors * kTileBytes + line % kDepth / 2 * 64;
    for (int64_t v = 0; v < kVectors; ++v) {
      const float* from = x + line * kLanes + v * kWidth;
      const V low = line < lines ? load(from) : zero(), high = line + 1 < lines ? load(from + kLanes) : zero();
      _mm512_store_si512(out + v * kTileBytes, pair_of(low, high));
    }
  }
}

/// Numbers [begin, end) of a row, at most kWidth of them, zeros behind.
GAMUT_INLINE V load_part(const float* row, int64_t begin, int64_t end) {
  const int64_t count = end - begin;
  return count >= kWidth ? load(row + begin) : count <= 0 ? zero() : load_n(row + begin, static_cast<int>(count));
}

struct AmxProducts {
  Tiles tiles;

  void start(const AttentionArgs& args, const Work& work) const {
    store_line_pairs(work.q, args.head_dim, tiles.queries);
  }

  void store_keys(const AttentionArgs& args, const float* k, int64_t keys) const {
    const int64_t steps = steps_of(args.head_dim);
    for (int64_t j = 0; j < ceil_div(keys, kTileEdge) * kTileEdge; ++j) {
      const float* row = k + j * args.k_token_stride;
      char* out = tiles.keys + j / kTileEdge * steps * kTileBytes + j % kTileEdge * 64;
      for (int64_t s = 0; s < steps; ++s, out += kTileBytes) {
        const int64_t d = s * kDepth, end = j < keys ? args.head_dim : 0;
        const V low = load_part(row, d, end), high = load_part(row, d + kWidth, end);
        _mm512_store_si512(out, (__m512i)_mm512_cvtne2ps_pbh(high, low));
      }
    }
  }

  void scores(const AttentionArgs& args, const float* k, const float*, const Work& work, int64_t keys) const {
    const int64_t steps = steps_of(args.head_dim);
    store_keys(args, k, keys);
    memory_barrier();
    for (int64_t tile = 0; tile < ceil_div(keys, kTileEdge); ++tile) {
      const char *a = tiles.keys + tile * steps * kTileBytes, *b = tiles.queries;
      float* out = work.scores + tile * kTileEdge * kLanes;
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
      for (int64_t s = 0; s < steps; ++s, a += kTileBytes, b += kVectors * kTileBytes) multiply(a, b);
      store_sums(out);
    }
    memory_barrier();
  }

  void store_values(const AttentionArgs& args, const float* v, int64_t keys) const {
    for (int64_t d = 0; d < args.value_dim; d += kTileEdge) {
      for (int64_t s = 0; s < steps_of(keys); ++s) {
        V block[kTileEdge];
#pragma GCC unroll 16
        for (int64_t i = 0; i < kTileEdge; ++i) {
          const int64_t key = s * kDepth + 2 * i;
          const float* row = v + key * args.v_token_stride;
          const V low = load_part(row, d, key < keys ? args.value_dim : 0);
          const V high = load_part(row + args.v_token_stride, d, key + 1 < keys ? args.value_dim : 0);
          block[i] = (V)pair_of(low, high);
        }
        transpose(block);
        char* out = tiles.values + (d / kTileEdge * kKeySteps + s) * kTileBytes;
#pragma GCC unroll 16
        for (int64_t i = 0; i < kTileEdge; ++i) store(reinterpret_cast<float*>(out) + i * kWidth, block[i]);
      }
    }
  }

  void values(const AttentionArgs& args, const float*, const float* v, const Work& work, int64_t keys) const {
    store_values(args, v, keys);
    store_line_pairs(work.scores, keys, tiles.weights);
    memory_barrier();
    for (int64_t d = 0; d < args.value_dim; d += kTileEdge) {
      const char *a = tiles.values + d / kTileEdge * kKeySteps * kTileBytes, *b = tiles.weights;
      float* out = work.out + d * kLanes;
      _tile_loadd(0, out, kLaneBytes);
      _tile_loadd(1, out + kWidth, kLaneBytes);
      _tile_loadd(2, out + 2 * kWidth, kLaneBytes);
      _tile_loadd(3, out + 3 * kWidth, kLaneBytes);
      for (int64_t s = 0; s < steps_of(keys); ++s, a += kTileBytes, b += kVectors * kTileBytes) multiply(a, b);
      store_sums(out);
    }
    memory_barrier();
  }

  /// Tiles 0 to 3, the lanes' vectors, += one step.
  static void multiply(const char* a, const char* b) {
    _tile_loadd(4, a, 64);
    _tile_loadd(5, b, 64);
    _tile_dpbf16ps(0, 4, 5);
    _tile_loadd(6, b + kTileBytes, 64);
    _tile_dpbf16ps(1, 4, 6);
    _tile_loadd(7, b + 2 * kTileBytes, 64);
    _tile_dpbf16ps(2, 4, 7);
    _tile_loadd(5, b + 3 * kTileBytes, 64);
    _tile_dpbf16ps(3, 4, 5);
  }

  static void store_sums(float* out) {
    _tile_stored(0, out, kLaneBytes);
    _tile_stored(1, out + kWidth, kLaneBytes);
    _tile_stored(2, out + 2 * kWidth, kLaneBytes);
    _tile_stored(3, out + 3 * kWidth, kLaneBytes);
  }
};

static_assert(kVectors == 4 && kWidth == kTileEdge);

/// Values in whole tiles.
int64_t padded(int64_t dims) { return ceil_div(dims, kTileEdge) * kTileEdge; }

void configure() {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    config.rows[tile] = kTileEdge;
  }
  memory_barrier();
  _tile_loadconfig(&config);
}

}  // namespace

size_t attention_bf16_amx_scratch(int64_t head_dim, int64_t value_dim) noexcept;
size_t attention_bf16_amx_scratch(int64_t head_dim, int64_t value_dim) noexcept {
  const int64_t tiles =
      steps_of(head_dim) * (kVectors + kKeyTiles) + (padded(value_dim) / kTileEdge + kVectors) * kKeySteps;
  return static_cast<size_t>(tiles * kTileBytes + kLaneBytes * (head_dim + kWidth + padded(value_dim) + kKeyBlock + 2));
}

void attention_bf16_amx(const AttentionArgs& args, const AttentionTile& tile, void* scratch) noexcept;
void attention_bf16_amx(const AttentionArgs& args, const AttentionTile& tile, void* scratch) noexcept {
  if (tile.q0 >= tile.q1) return;
  char* base = static_cast<char*>(scratch);
  AmxProducts products{};
  products.tiles.queries = base;
  products.tiles.keys = products.tiles.queries + steps_of(args.head_dim) * kVectors * kTileBytes;
  products.tiles.values = products.tiles.keys + steps_of(args.head_dim) * kKeyTiles * kTileBytes;
  products.tiles.weights = products.tiles.values + padded(args.value_dim) / kTileEdge * kKeySteps * kTileBytes;
  Work work{};
  work.top = reinterpret_cast<float*>(products.tiles.weights + kKeySteps * kVectors * kTileBytes);
  work.sum = work.top + kLanes;
  work.scores = work.sum + kLanes;
  work.out = work.scores + kKeyBlock * kLanes;
  work.q = work.out + padded(args.value_dim) * kLanes;
  // What lies behind the last value is added up as well, and read by nobody.
  for (int64_t i = args.value_dim * kLanes; i < padded(args.value_dim) * kLanes; i += kWidth) {
    store(work.out + i, zero());
  }
  configure();
  attend<kVectors>(args, tile, work, products);
  _tile_release();
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
