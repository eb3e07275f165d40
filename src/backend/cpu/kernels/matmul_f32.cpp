// The matmul of f32 numbers with weights of f32, f16 or bf16: packs weights into panels and multiplies tiles of C that
// stay in registers over the whole depth block.
//
// A packed weight is a row of panels of kPanel columns; a panel is [K][kPanel], columns beyond N are zeros. A tile of
// at most kTileRows rows and one panel accumulates in registers; its sums go through a small buffer, where the epilogue
// finds them in L1. The buffer also carries the sums from one depth block to the next, exactly as registers would, so
// blocking changes no bit. Panels of f16 and bf16 are widened, exactly, on their way into registers; A is rounded to
// bf16 for weights of bf16 and stays as it is for f16.
#include "backend/cpu/kernels/functions.h"
#include "backend/cpu/kernels/math.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {
namespace {

constexpr int64_t kLineBytes = 64;

constexpr int64_t size_of(Source type) { return type == Source::kF32 ? 4 : 2; }

/// A vector of a panel, from `index` on.
template <Source kType>
GAMUT_INLINE V load_weights(const char* panel, int64_t index) {
  if constexpr (kType == Source::kF32) return load(reinterpret_cast<const float*>(panel) + index);
  const uint16_t* short_ones = reinterpret_cast<const uint16_t*>(panel) + index;
  return kType == Source::kF16 ? load_f16(short_ones) : load_bf16(short_ones);
}

/// One call of multiply_tile.
struct TileWork {
  const float* a = nullptr;  // the copied block of A, kCopyStride from row to row
  const char* w = nullptr;   // the first panel
  int64_t panel_stride = 0;  // to the next one, in numbers
  int64_t depth = 0;
  float* sums = nullptr;
  int64_t sums_stride = 0;     // from the sums of one panel to those of the next
  bool first = true;           // sums start at zero
  const char* next = nullptr;  // the panel that comes after: its lines are asked for on the way, one every fourth step
  const float* c = nullptr;    // the tile of C, whose lines are asked for as well; or none
  int64_t c_stride = 0;
};

/// sums [Panels][Rows][kPanel] (+)= a [Rows, depth] · panels.
template <int Rows, int Panels, Source kType>
void multiply_tile(const TileWork& work) {
  const float *const a = work.a, *const c = work.c;
  const char* const w = work.w;
  const char* next = work.next;
  float* const sums = work.sums;
  const int64_t panel_stride = work.panel_stride, depth = work.depth, sums_stride = work.sums_stride;
  constexpr int kVectors = 2 * Panels;
  V acc[Rows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      acc[r][v] = work.first ? zero() : load(sums + (v / 2) * sums_stride + r * kPanel + (v % 2) * kWidth);
    }
  }
  const auto step = [&](int64_t k) GAMUT_INLINE_LAMBDA {
    V column[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      column[v] = load_weights<kType>(w, (v / 2) * panel_stride + k * kPanel + (v % 2) * kWidth);
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      const V x = set1(a[r * kCopyStride + k]);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) acc[r][v] = fma(x, column[v], acc[r][v]);
    }
  };
  int64_t k = 0;
  for (; k + 4 <= depth; k += 4) {
    __builtin_prefetch(next, 0, 2);
    next += kLineBytes;
    if (k < 4 * Rows && c != nullptr) {
      for (int i = 0; i < kPanel; i += kLineBytes / 4) __builtin_prefetch(c + k / 4 * work.c_stride + i, 1, 3);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) step(k + i);
  }
  for (; k < depth; ++k) step(k);
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      store(sums + (v / 2) * sums_stride + r * kPanel + (v % 2) * kWidth, acc[r][v]);
    }
  }
}

using TileFunction = void (*)(const TileWork&);

// With few rows one panel does not have enough independent sums to hide the latency of an addition; several panels do.
#if defined(GAMUT_ISA_AVX512)
constexpr int kWide[] = {4, 4, 3, 2};
#else
constexpr int kWide[] = {4, 2};
#endif
constexpr int kWideRows = sizeof(kWide) / sizeof(kWide[0]);

template <Source kType>
TileFunction tile_function(int64_t rows) {
  switch (rows) {
    case 1: return multiply_tile<1, 1, kType>;
    case 2: return multiply_tile<2, 1, kType>;
    case 3: return multiply_tile<3, 1, kType>;
    case 4: return multiply_tile<4, 1, kType>;
    case 5: return multiply_tile<5, 1, kType>;
#if defined(GAMUT_ISA_AVX512)
    case 6: return multiply_tile<6, 1, kType>;
    case 7: return multiply_tile<7, 1, kType>;
    case 8: return multiply_tile<8, 1, kType>;
    case 9: return multiply_tile<9, 1, kType>;
    case 10: return multiply_tile<10, 1, kType>;
    case 11: return multiply_tile<11, 1, kType>;
    case 12: return multiply_tile<12, 1, kType>;
    case 13: return multiply_tile<13, 1, kType>;
#endif
    default: return multiply_tile<kTileRows, 1, kType>;
  }
}

template <Source kType>
TileFunction wide_tile_function(int64_t rows) {
  switch (rows) {
    case 1: return multiply_tile<1, kWide[0], kType>;
#if defined(GAMUT_ISA_AVX512)
    case 3: return multiply_tile<3, kWide[2], kType>;
    case 4: return multiply_tile<4, kWide[3], kType>;
#endif
    default: return multiply_tile<2, kWide[1], kType>;
  }
}

}  // namespace

namespace {

/// What is added to the sums of a tile, and where they go; pointers are to the tile's first element.
struct Finish {
  float alpha = 1.0f;
  const float* bias = nullptr;
  const float* residual = nullptr;
  int64_t residual_stride = 0;
  bool residual_first = true, residual_multiplies = false;
  float* out = nullptr;
  int64_t out_stride = 0;
};

/// out [rows, columns] = activate(alpha * sums + bias + residual), the residual behind the activation if not first, and
/// a factor there if it multiplies.
template <typename F>
void finish_rows(const Finish& f, int64_t rows, int64_t columns, const float* sums, F activate) {
  const V alpha = set1(f.alpha);
  const bool first = f.residual != nullptr && f.residual_first, last = f.residual != nullptr && !f.residual_first;
  for (int64_t r = 0; r < rows; ++r, sums += kPanel) {
    float* out = f.out + r * f.out_stride;
    const float* residual = f.residual != nullptr ? f.residual + r * f.residual_stride : nullptr;
    for_vectors(columns, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA {
      V x = load(sums + i) * alpha;
      if (f.bias != nullptr) x = x + load_some(f.bias + i, count);
      if (first) x = x + load_some(residual + i, count);
      x = activate(x);
      if (last) x = f.residual_multiplies ? x * load_some(residual + i, count) : x + load_some(residual + i, count);
      store_some(out + i, x, count);
    });
  }
}

}  // namespace

void finish_tile(const MatmulArgs& args, const MatmulTile& tile, float* sums) noexcept {
  const int64_t m = tile.m0, n = tile.n0, rows = tile.m1 - m, columns = tile.n1 - n;
  const Epilogue& e = args.epilogue;
  Finish f{.alpha = e.alpha, .residual_stride = e.residual_stride, .residual_first = e.residual_first};
  f.residual_multiplies = e.residual_multiplies;
  if (e.bias != nullptr) f.bias = e.bias + n;
  if (e.residual != nullptr) f.residual = e.residual + m * e.residual_stride + n;
  f.out = args.c + m * args.c_stride + n, f.out_stride = args.c_stride;
  const auto same = [](V x) GAMUT_INLINE_LAMBDA { return x; };
  if (e.activation == Unary::kIdentity) return finish_rows(f, rows, columns, sums, same);
  if (e.activation == Unary::kGeluErf) {
    return finish_rows(f, rows, columns, sums, [](V x) GAMUT_INLINE_LAMBDA { return gelu_erf(x); });
  }
  // The other activations go over the sums in a pass of their own.
  Finish before = f, after = f;
  (f.residual_first ? after : before).residual = nullptr;
  before.out = sums, before.out_stride = kPanel;
  after.alpha = 1.0f, after.bias = nullptr;
  finish_rows(before, rows, columns, sums, same);
  unary(e.activation, sums, sums, (rows - 1) * kPanel + columns);
  finish_rows(after, rows, columns, sums, same);
}

namespace {

/// Rounded to the nearest bf16, ties to even. NaN stays.
GAMUT_INLINE V round_to_bf16(V x) {
  const I bits = as_int(select(x == x, x, zero()));
  const I rounded = (bits + (((bits >> 16) & 1) + 0x7fff)) & static_cast<int32_t>(0xffff0000);
  return select(x == x, as_float(rounded), x);
}

/// Copies rows of A, rounded to what the weights are made for.
template <Source kType>
void copy_rows(const float* a, int64_t stride, int64_t rows, int64_t depth, float* copy) {
  for (int64_t r = 0; r < rows; ++r) {
    for_vectors(depth, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA {
      const V x = load_some(a + r * stride + i, count);
      store_some(copy + r * kCopyStride + i, kType == Source::kBf16 ? round_to_bf16(x) : x, count);
    });
  }
}

float element(const void* data, Source type, int64_t index) {
  switch (type) {
    case Source::kF16: return f16_to_f32(static_cast<const uint16_t*>(data)[index]);
    case Source::kBf16: return bf16_to_f32(static_cast<const uint16_t*>(data)[index]);
    case Source::kF32: break;
  }
  return static_cast<const float*>(data)[index];
}

/// Lines of columns whose numbers of 16 bits lie side by side.
template <Source kType>
void pack_short_rows(const PackArgs& args, int64_t n0, int64_t k0, int64_t depth, float* panel) {
  constexpr int64_t kPiece = 64;
  float wide[kPanel * kPiece];
  const int64_t columns = min_of(kPanel, args.n - n0);
  for (int64_t piece = 0; piece < depth; piece += kPiece) {
    const int64_t deep = min_of(kPiece, depth - piece);
    for (int64_t j = 0; j < columns; ++j) {
      const uint16_t* row = static_cast<const uint16_t*>(args.data) + (n0 + j) * args.n_stride + k0 + piece;
      widen(kType, row, wide + j * kPiece, deep);
    }
    for (int64_t k = 0; k < deep; k += kWidth) {
      for (int64_t j = 0; j < kPanel; j += kWidth) {
        const int present = static_cast<int>(max_of(0, min_of(kWidth, columns - j)));
        transpose_to_lanes(wide + j * kPiece + k, kPiece, present, static_cast<int>(min_of(kWidth, deep - k)),
                           set1(1.0f), panel + (piece + k) * kPanel + j, kPanel);
      }
    }
  }
}

template <Source kType>
void pack_panel(const PackArgs& args, int64_t n0, int64_t k0, int64_t depth, float* panel) {
  const int64_t columns = min_of(kPanel, args.n - n0);
  if (args.n_stride == 1) {
    for (int64_t k = 0; k < depth; ++k) {
      const int64_t start = n0 + (k0 + k) * args.k_stride;
      for (int64_t j = 0; j < columns; ++j) panel[k * kPanel + j] = element(args.data, kType, start + j);
      for (int64_t j = columns; j < kPanel; ++j) panel[k * kPanel + j] = 0.0f;
    }
    return;
  }
  if (kType != Source::kF32 && args.k_stride == 1) return pack_short_rows<kType>(args, n0, k0, depth, panel);
  if (kType == Source::kF32 && args.k_stride == 1) {
    const float* w = static_cast<const float*>(args.data) + n0 * args.n_stride + k0;
    for (int64_t k = 0; k < depth; k += kWidth) {
      const int deep = static_cast<int>(min_of(kWidth, depth - k));
      for (int64_t j = 0; j < kPanel; j += kWidth) {
        const int present = static_cast<int>(max_of(0, min_of(kWidth, columns - j)));
        transpose_to_lanes(w + j * args.n_stride + k, args.n_stride, present, deep, set1(1.0f), panel + k * kPanel + j,
                           kPanel);
      }
    }
    return;
  }
  // Short pieces of the depth keep the lines that are written to in L1.
  constexpr int64_t kPiece = 64;
  for (int64_t piece = 0; piece < depth; piece += kPiece) {
    const int64_t end = min_of(piece + kPiece, depth);
    for (int64_t j = 0; j < kPanel; ++j) {
      const int64_t start = (n0 + j) * args.n_stride + k0 * args.k_stride;
      for (int64_t k = piece; k < end; ++k) {
        panel[k * kPanel + j] = j < columns ? element(args.data, kType, start + k * args.k_stride) : 0.0f;
      }
    }
  }
}

}  // namespace

void pack_lines(const PackArgs& args, int64_t n0, int64_t k0, int64_t depth, float* panel) noexcept {
  switch (args.type) {
    case Source::kF32: return pack_panel<Source::kF32>(args, n0, k0, depth, panel);
    case Source::kF16: return pack_panel<Source::kF16>(args, n0, k0, depth, panel);
    case Source::kBf16: return pack_panel<Source::kBf16>(args, n0, k0, depth, panel);
  }
}

namespace {

/// One depth block of some columns, for all rows of the task: `rows` of the copy of A, `panels` of w that lie
/// panel_stride apart.
struct DepthBlock {
  int64_t rows = 0, depth = 0;
  const float* copy = nullptr;
  const char* w = nullptr;
  int64_t panel_stride = 0, panels = 0;  // in numbers
  float* sums = nullptr;
  bool first = true;
  const float* c = nullptr;  // where the sums go after this block, or none
  int64_t c_stride = 0;
};

/// Adds the block's products to the sums and calls done(panel) after each panel, while its sums are in L1.
template <Source kType, typename Done>
void multiply_block(const DepthBlock& b, Done done) {
  const int64_t panel_bytes = b.panel_stride * size_of(kType);
  const int64_t sums_stride = b.rows * kPanel;
  int64_t p = 0;
  if (b.rows <= kWideRows) {
    const int wide = kWide[b.rows - 1];
    const TileFunction multiply = wide_tile_function<kType>(b.rows);
    for (; p + wide <= b.panels; p += wide) {
      const char* w = b.w + p * panel_bytes;
      multiply({.a = b.copy,
                .w = w,
                .panel_stride = b.panel_stride,
                .depth = b.depth,
                .sums = b.sums + p * sums_stride,
                .sums_stride = sums_stride,
                .first = b.first,
                .next = w + wide * panel_bytes});
      for (int i = 0; i < wide; ++i) done(p + i);
    }
  }
  // Tiles of nearly equal height: a short last one would wait for its own additions.
  const int64_t tiles = ceil_div(b.rows, kTileRows), height = b.rows / tiles, taller = b.rows % tiles;
  for (; p < b.panels; ++p) {
    const char* w = b.w + p * panel_bytes;
    const char* next = w + panel_bytes;
    int64_t r = 0;
    for (int64_t t = 0; t < tiles; ++t) {
      const int64_t tile_rows = height + (t < taller ? 1 : 0);
      tile_function<kType>(tile_rows)({.a = b.copy + r * kCopyStride,
                                       .w = w,
                                       .depth = b.depth,
                                       .sums = b.sums + p * sums_stride + r * kPanel,
                                       .first = b.first,
                                       .next = next,
                                       .c = b.c == nullptr ? nullptr : b.c + r * b.c_stride + p * kPanel,
                                       .c_stride = b.c_stride});
      r += tile_rows;
      next += b.depth / 4 * kLineBytes;
    }
    done(p);
  }
}

}  // namespace

size_t packed_bytes_f32(int64_t n, int64_t k) noexcept {
  return sizeof(float) * static_cast<size_t>(ceil_div(n, kPanel) * kPanel * k);
}

size_t packed_bytes_16(int64_t n, int64_t k) noexcept {
  return sizeof(uint16_t) * static_cast<size_t>(ceil_div(n, kPanel) * kPanel * k);
}

void pack_f32(const PackArgs& args, int64_t panel0, int64_t panel1) noexcept {
  for (int64_t p = panel0; p < panel1; ++p) {
    pack_lines(args, p * kPanel, 0, args.k, static_cast<float*>(args.packed) + p * kPanel * args.k);
  }
}

namespace {

void pack_16(Source type, const PackArgs& args, int64_t panel0, int64_t panel1) {
  constexpr int64_t kPiece = 64;
  float lines[kPiece * kPanel];
  for (int64_t p = panel0; p < panel1; ++p) {
    uint16_t* panel = static_cast<uint16_t*>(args.packed) + p * kPanel * args.k;
    for (int64_t k = 0; k < args.k; k += kPiece) {
      const int64_t depth = min_of(kPiece, args.k - k);
      pack_lines(args, p * kPanel, k, depth, lines);
      narrow(type, lines, panel + k * kPanel, depth * kPanel);
    }
  }
}

/// Panels of kType; a w that is not packed is one of f32.
template <Source kType>
void multiply(const MatmulArgs& args, const MatmulTile& tile, void* scratch) {
  float* copy = static_cast<float*>(scratch);
  float* sums = copy + kBlockRows * kCopyStride;
  float* packing = sums + kBlockRows * kBlockColumns;
  const PackArgs pack{
      .n = args.n, .k = args.k, .data = args.w, .n_stride = args.w_n_stride, .k_stride = args.w_k_stride};
  for (int64_t m = tile.m0; m < tile.m1; m += kBlockRows) {
    const int64_t rows = min_of(kBlockRows, tile.m1 - m);
    for (int64_t n = tile.n0; n < tile.n1; n += kBlockColumns) {
      const int64_t columns = min_of(kBlockColumns, tile.n1 - n), panels = ceil_div(columns, kPanel);
      const int64_t group = args.packed != nullptr ? panels : kPackedPanels;
      int64_t k = 0;
      do {
        const int64_t depth = min_of(kBlockDepth, args.k - k);
        const bool last = k + kBlockDepth >= args.k, copied = args.k <= kBlockDepth && n > tile.n0;
        if (!copied) copy_rows<kType>(args.a + m * args.a_stride + k, args.a_stride, rows, depth, copy);
        for (int64_t p = 0; p < panels; p += group) {
          const int64_t column = n + p * kPanel;
          DepthBlock block{
              .rows = rows, .depth = depth, .copy = copy, .panels = min_of(group, panels - p), .first = k == 0};
          block.sums = sums + p * rows * kPanel;
          block.c = last ? args.c + m * args.c_stride + column : nullptr, block.c_stride = args.c_stride;
          if (args.packed != nullptr) {
            block.panel_stride = args.k * kPanel;
            block.w = static_cast<const char*>(args.packed) + (column * args.k + k * kPanel) * size_of(kType);
          } else {
            block.panel_stride = depth * kPanel, block.w = reinterpret_cast<const char*>(packing);
            for (int64_t i = 0; i < block.panels; ++i) {
              pack_lines(pack, column + i * kPanel, k, depth, packing + i * block.panel_stride);
            }
          }
          multiply_block<kType>(block, [&](int64_t i) {
            if (!last) return;
            const int64_t first = column + i * kPanel;
            finish_tile(args, {m, m + rows, first, min_of(first + kPanel, tile.n1)}, block.sums + i * rows * kPanel);
          });
        }
        k += kBlockDepth;
      } while (k < args.k);
    }
  }
}

}  // namespace

void pack_f16(const PackArgs& args, int64_t panel0, int64_t panel1) noexcept {
  pack_16(Source::kF16, args, panel0, panel1);
}

void pack_bf16(const PackArgs& args, int64_t panel0, int64_t panel1) noexcept {
  pack_16(Source::kBf16, args, panel0, panel1);
}

void matmul_f32(const MatmulArgs& args, const MatmulTile& tile, void* scratch) noexcept {
  multiply<Source::kF32>(args, tile, scratch);
}

void matmul_f16(const MatmulArgs& args, const MatmulTile& tile, void* scratch) noexcept {
  if (args.packed == nullptr) return matmul_f32(args, tile, scratch);
  multiply<Source::kF16>(args, tile, scratch);
}

void matmul_bf16(const MatmulArgs& args, const MatmulTile& tile, void* scratch) noexcept {
  if (args.packed == nullptr) return matmul_f32(args, tile, scratch);
  multiply<Source::kBf16>(args, tile, scratch);
}

double peak_loop(int64_t iterations) noexcept {
  constexpr int kChains = 12;
  constexpr int kInner = 160;  // 12 multiply-adds at two a cycle: about 1000 cycles
  V acc[kChains];
#pragma GCC unroll 16
  for (int i = 0; i < kChains; ++i) acc[i] = set1(1.0f + 0.01f * static_cast<float>(i));
  const V a = set1(0.999f), b = set1(0.001f);
  for (int64_t i = 0; i < iterations; ++i) {
    for (int j = 0; j < kInner; ++j) {
#pragma GCC unroll 16
      for (int c = 0; c < kChains; ++c) acc[c] = fma(acc[c], a, b);
    }
  }
  V sum = zero();
#pragma GCC unroll 16
  for (int i = 0; i < kChains; ++i) sum = sum + acc[i];
  volatile float keep = sum_of(sum);
  (void)keep;
  return 2.0 * kChains * kWidth * kInner * static_cast<double>(iterations);
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
