// Attention in f32 with a running softmax: queries in the lanes, keys and values read where they lie.
//
// One tile takes up to kAttentionBlock queries of one head, transposed to [D][lanes]. Scores are computed as K · q^T: a
// key's elements are broadcast, so keys and values need no packing, any head size fits, and the softmax runs down the
// keys in each lane without sums across lanes. The output is gathered as [Dv][lanes] and transposed once at the end.
#include "backend/cpu/kernels/functions.h"
#include "backend/cpu/kernels/math.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {
namespace {

constexpr int64_t kKeyBlock = 64;
constexpr float kMinusInfinity = -__builtin_inff();

/// What a tile keeps in scratch, as [..][Vectors * kWidth].
struct Work {
  float* q;       // [D]
  float* out;     // [Dv]
  float* scores;  // [kKeyBlock]
  float* top;     // the largest score so far
  float* sum;     // of e^(score - top)
};

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

/// Which keys the query at lane 0 sees, counted inside the row: [first, last), both moving by one per lane, and those
/// of its chunk.
struct Visible {
  bool left, right;
  int64_t first, last;
  int64_t chunk, position;

  /// The first key that lane i sees.
  int64_t begin(int64_t i) const {
    const int64_t near = left ? max_of(0, first + i) : 0;
    return chunk > 0 ? max_of(near, (position + i) / chunk * chunk) : near;
  }
};

/// Puts -inf where lane i may not see key `key`.
template <int Vectors>
void hide(float* scores, const Visible& visible, int64_t key) {
  for (int i = 0; i < Vectors * kWidth; ++i) {
    if (key < visible.begin(i) || (visible.right && key >= visible.last + i)) scores[i] = kMinusInfinity;
  }
}

/// Scale, softcap, bias and mask on the scores of keys [key0, key0 + keys) of the row.
template <int Vectors>
void adjust_scores(const AttentionArgs& args, const AttentionTile& tile, const Visible& visible, int64_t key0,
                   int64_t keys, float* scores) {
  constexpr int kLanes = Vectors * kWidth;
  const int64_t queries = tile.q1 - tile.q0;
  if (args.softcap > 0.0f) {
    const V cap = set1(args.softcap), inverse = set1(1.0f / args.softcap);
    for (int64_t i = 0; i < keys * kLanes; i += kWidth) store(scores + i, tanh(load(scores + i) * inverse) * cap);
  }
  if (args.bias != nullptr) {
    const int64_t query = tile.q0 - args.q_offsets[tile.row];
    const float* bias = args.bias + tile.row * args.bias_row_stride + tile.head * args.bias_head_stride;
    for (int64_t i = 0; i < queries; ++i) {
      const float* line = bias + (query + i) * args.bias_q_stride + key0;
      for (int64_t j = 0; j < keys; ++j) scores[j * kLanes + i] += line[j];
    }
  }
  if (args.slopes != nullptr) {
    const float slope = args.slopes[tile.head];
    for (int64_t j = 0; j < keys; ++j) {
      float* line = scores + j * kLanes;
      for (int64_t i = 0; i < queries; ++i) line[i] += slope * static_cast<float>(key0 + j - visible.position - i);
    }
  }
  const bool cuts_left = key0 < visible.begin(kLanes - 1);
  const bool cuts_right = visible.right && key0 + keys > visible.last;
  if (!cuts_left && !cuts_right) return;
  for (int64_t j = 0; j < keys; ++j) hide<Vectors>(scores + j * kLanes, visible, key0 + j);
}

/// Turns scores into e^(score - top), moving `top` up and scaling what was gathered under the old one.
template <int Vectors>
void running_softmax(const Work& work, int64_t keys, int64_t value_dim) {
  constexpr int kLanes = Vectors * kWidth;
  V tops[Vectors];  // of all vectors in one loop, since each has to wait for its own last comparison
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) tops[v] = load(work.top + v * kWidth);
  for (int64_t j = 0; j < keys; ++j) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) tops[v] = max(load(work.scores + j * kLanes + v * kWidth), tops[v]);
  }
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) {
    const int lane = v * kWidth;
    const V old_top = load(work.top + lane), top = tops[v];
    // A lane that has seen no key yet has top -inf; its scores are -inf too and must give 0.
    const V shift = top == kMinusInfinity ? zero() : top;
    V sum = zero();
    for (int64_t j = 0; j < keys; ++j) {
      const V e = exp_nonpositive(load(work.scores + j * kLanes + lane) - shift);
      store(work.scores + j * kLanes + lane, e);
      sum = sum + e;
    }
    const V factor = exp_nonpositive(old_top - shift);
    store(work.top + lane, top);
    store(work.sum + lane, load(work.sum + lane) * factor + sum);
    if (any(factor != 1.0f)) {
      for (int64_t d = 0; d < value_dim; ++d) {
        store(work.out + d * kLanes + lane, load(work.out + d * kLanes + lane) * factor);
      }
    }
  }
}

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
void key_block(const AttentionArgs& args, const AttentionTile& tile, const Visible& visible, const Work& work,
               int64_t key0, int64_t keys) {
  const int64_t kv_head = tile.head / (args.heads / args.kv_heads);
  const float *k = args.k, *v = args.v;
  int64_t token = args.kv_offsets[tile.row] + key0;
  if (args.pages != nullptr) {
    const float* page = args.pages[tile.row][key0 / args.page_keys];
    k = page + args.k_page, v = page + args.v_page;
    token = key0 % args.page_keys;
  }
  k += token * args.k_token_stride + kv_head * args.k_head_stride;
  v += token * args.v_token_stride + kv_head * args.v_head_stride;
  score_block<kRows<Vectors>, Vectors>(args, k, v, work, 0, keys);
  adjust_scores<Vectors>(args, tile, visible, key0, keys, work.scores);
  running_softmax<Vectors>(work, keys, args.value_dim);
  value_block<kRows<Vectors>, Vectors>(args, k + keys * args.k_token_stride, v, work, 0, keys);
}

template <int Vectors>
void attend(const AttentionArgs& args, const AttentionTile& tile, const Work& work) {
  constexpr int kLanes = Vectors * kWidth;
  const int64_t queries = tile.q1 - tile.q0;
  const float* q = args.q + tile.q0 * args.q_token_stride + tile.head * args.q_head_stride;
  // Lanes without a query compute on zeros and are dropped.
  for (int64_t i = 0; i < kLanes; i += kWidth) {
    const int present = static_cast<int>(max_of(0, min_of(kWidth, queries - i)));
    for (int64_t d = 0; d < args.head_dim; d += kWidth) {
      const int dims = static_cast<int>(min_of(kWidth, args.head_dim - d));
      transpose_to_lanes(q + i * args.q_token_stride + d, args.q_token_stride, present, dims, set1(args.scale),
                         work.q + d * kLanes + i, kLanes);
    }
  }
  const V top = set1(args.sinks != nullptr ? args.sinks[tile.head] : kMinusInfinity);
  const V sum = set1(args.sinks != nullptr ? 1.0f : 0.0f);
  for (int i = 0; i < kLanes; i += kWidth) store(work.top + i, top), store(work.sum + i, sum);
  for (int64_t i = 0; i < args.value_dim * kLanes; i += kWidth) store(work.out + i, zero());

  const int64_t row_q = args.q_offsets[tile.row], row_k = args.kv_offsets[tile.row];
  const int64_t row_queries = args.q_offsets[tile.row + 1] - row_q, row_keys = args.kv_offsets[tile.row + 1] - row_k;
  const int64_t position = tile.q0 - row_q + row_keys - row_queries;
  const Visible visible{.left = args.window_left >= 0,
                        .right = args.window_right >= 0,
                        .first = position - args.window_left,
                        .last = position + args.window_right + 1,
                        .chunk = args.chunk,
                        .position = position};
  const int64_t end = visible.right ? min_of(row_keys, visible.last + queries - 1) : row_keys;
  for (int64_t key = visible.begin(0); key < end;) {
    int64_t keys = min_of(kKeyBlock, end - key);
    if (args.pages != nullptr) keys = min_of(keys, args.page_keys - key % args.page_keys);
    key_block<Vectors>(args, tile, visible, work, key, keys);
    key += keys;
  }

  float* out = args.out + tile.q0 * args.out_token_stride + tile.head * args.out_head_stride;
  for (int i = 0; i < kLanes; i += kWidth) {
    const V total = load(work.sum + i);
    store(work.sum + i, total > 0.0f ? 1.0f / total : (total == 0.0f ? zero() : total));
  }
  for (int64_t i = 0; i < queries; i += kWidth) {
    const int present = static_cast<int>(min_of(kWidth, queries - i));
    for (int64_t d = 0; d < args.value_dim; d += kWidth) {
      const int dims = static_cast<int>(min_of(kWidth, args.value_dim - d));
      V block[kWidth];
#pragma GCC unroll 16
      for (int j = 0; j < kWidth; ++j) {
        block[j] = j < dims ? load(work.out + (d + j) * kLanes + i) * load(work.sum + i) : zero();
      }
      transpose(block);
#pragma GCC unroll 16
      for (int j = 0; j < kWidth; ++j) {
        if (j < present) store_some(out + (i + j) * args.out_token_stride + d, block[j], dims);
      }
    }
  }
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
    case 1: return attend<1>(args, tile, work);
    case 2: return attend<2>(args, tile, work);
    case 3: return attend<3>(args, tile, work);
    default: return attend<4>(args, tile, work);
  }
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
