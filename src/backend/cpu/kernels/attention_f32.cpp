// Attention in f32 with a running softmax: queries in the lanes, keys and values read where they lie.
//
// One tile takes up to kAttentionBlock queries of one head, transposed to [D][lanes]. Scores are computed as K · q^T: a
// key's elements are broadcast, so keys and values need no packing, any head size fits, and the softmax runs down the
// keys in each lane without sums across lanes. The output is gathered as [Dv][lanes] and transposed once at the end.
#include "backend/cpu/kernels/attention_tile.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {
namespace {

/// scores [Rows][lanes] = keys [Rows, D] · q [D][lanes].
template <int Rows, int Vectors>
void score_rows(const float* keys, int64_t stride, const float* q, int64_t depth, float* scores) {
  constexpr int kLanes = Vectors * kWidth;
  V acc[Rows][Vectors] = {};
  const float* row[Rows];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) row[r] = keys + r * stride;
  for (int64_t d = 0; d < depth; ++d) {
    V column[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) column[v] = load(q + d * kLanes + v * kWidth);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const V x = set1(row[r][d]);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) acc[r][v] = fma(x, column[v], acc[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) store(scores + r * kLanes + v * kWidth, acc[r][v]);
  }
}

/// out [Dims][lanes] += values [keys, Dims]^T · weights [keys][lanes].
template <int Dims, int Vectors>
void add_values(const float* values, int64_t stride, const float* weights, int64_t keys, float* out) {
  constexpr int kLanes = Vectors * kWidth;
  V acc[Dims][Vectors];
#pragma GCC unroll 8
  for (int d = 0; d < Dims; ++d) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) acc[d][v] = load(out + d * kLanes + v * kWidth);
  }
  for (int64_t j = 0; j < keys; ++j) {
    V column[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) column[v] = load(weights + j * kLanes + v * kWidth);
#pragma GCC unroll 8
    for (int d = 0; d < Dims; ++d) {
      const V x = set1(values[j * stride + d]);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) acc[d][v] = fma(x, column[v], acc[d][v]);
    }
  }
#pragma GCC unroll 8
  for (int d = 0; d < Dims; ++d) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) store(out + d * kLanes + v * kWidth, acc[d][v]);
  }
}

/// The height of a register tile: as much as the registers hold beside a row of q and a broadcast.
#if defined(GAMUT_ISA_AVX512)
template <int Vectors>
constexpr int kRows = Vectors == 4 ? 6 : 8;
#else
template <int Vectors>
constexpr int kRows = Vectors == 4   ? 2
                      : Vectors == 3 ? 3
                      : Vectors == 2 ? 4
                                     : 8;
#endif

/// Asks for rows of a head: they lie a whole token apart, in pages of their own, where the processor foresees nothing.
void prefetch_rows(const float* rows, int64_t stride, int64_t count, int64_t width) {
  for (int64_t r = 0; r < count; ++r) {
    for (int64_t i = 0; i < width; i += 16) __builtin_prefetch(rows + r * stride + i, 0, 3);
  }
}

/// Scores of keys [j, keys), in register tiles of `Rows` and, for what is left, of half as many.
template <int Rows, int Vectors>
void score_block(const AttentionArgs& args, const float* k, const float* v, const Work& work, int64_t j, int64_t keys) {
  constexpr int kLanes = Vectors * kWidth;
  for (; j + Rows <= keys; j += Rows) {
    prefetch_rows(v + j * args.v_token_stride, args.v_token_stride, Rows, args.value_dim);
    score_rows<Rows, Vectors>(k + j * args.k_token_stride, args.k_token_stride, work.q, args.head_dim,
                              work.scores + j * kLanes);
  }
  if constexpr (Rows > 1) score_block<(Rows > 4 ? 4 : Rows / 2), Vectors>(args, k, v, work, j, keys);
}

/// Adds the weighted values, dimensions [d, value_dim), likewise; asks for the next block's keys on the way.
template <int Dims, int Vectors>
void value_block(const AttentionArgs& args, const float* next_keys, const float* v, const Work& work, int64_t d,
                 int64_t keys) {
  constexpr int kLanes = Vectors * kWidth;
  const int64_t share = ceil_div(keys, max_of(1, args.value_dim / Dims));
  for (; d + Dims <= args.value_dim; d += Dims) {
    prefetch_rows(next_keys + d / Dims * share * args.k_token_stride, args.k_token_stride, share, args.head_dim);
    add_values<Dims, Vectors>(v + d, args.v_token_stride, work.scores, keys, work.out + d * kLanes);
  }
  if constexpr (Dims > 1) value_block<(Dims > 4 ? 4 : Dims / 2), Vectors>(args, next_keys, v, work, d, keys);
}

template <int Vectors>
struct Products {
  void start(const AttentionArgs&, const Work&) const {}
  void scores(const AttentionArgs& args, const float* k, const float* v, const Work& work, int64_t keys) const {
    score_block<kRows<Vectors>, Vectors>(args, k, v, work, 0, keys);
  }
  void values(const AttentionArgs& args, const float* next_keys, const float* v, const Work& work, int64_t keys) const {
    value_block<kRows<Vectors>, Vectors>(args, next_keys, v, work, 0, keys);
  }
};

template <int Vectors>
void attend_f32(const AttentionArgs& args, const AttentionTile& tile, const Work& work) {
  attend<Vectors>(args, tile, work, Products<Vectors>{});
}

}  // namespace

size_t attention_scratch(int64_t head_dim, int64_t value_dim) noexcept {
  return sizeof(float) * static_cast<size_t>(kAttentionBlock * (head_dim + value_dim + kKeyBlock + 2));
}

void attention_f32(const AttentionArgs& args, const AttentionTile& tile, void* scratch) noexcept {
  float* base = static_cast<float*>(scratch);
  Work work{};
  work.top = base;
  work.sum = work.top + kAttentionBlock;
  work.scores = work.sum + kAttentionBlock;
  work.q = work.scores + kKeyBlock * kAttentionBlock;
  work.out = work.q + args.head_dim * kAttentionBlock;
  switch (ceil_div(tile.q1 - tile.q0, kWidth)) {
    case 0: return;
    case 1: return attend_f32<1>(args, tile, work);
    case 2: return attend_f32<2>(args, tile, work);
    case 3: return attend_f32<3>(args, tile, work);
    default: return attend_f32<4>(args, tile, work);
  }
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
