// Attention of one tile of queries with a running softmax: what does not depend on how scores and values are
// multiplied.
#pragma once

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

/// One block of keys of a row; Products multiplies.
template <int Vectors, typename Products>
void key_block(const AttentionArgs& args, const AttentionTile& tile, const Visible& visible, const Work& work,
               int64_t key0, int64_t keys, const Products& products) {
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
  products.scores(args, k, v, work, keys);
  adjust_scores<Vectors>(args, tile, visible, key0, keys, work.scores);
  running_softmax<Vectors>(work, keys, args.value_dim);
  products.values(args, k + keys * args.k_token_stride, v, work, keys);
}

/// A tile of queries over all keys that they see. `products.start` is called when the queries lie in work.q.
template <int Vectors, typename Products>
void attend(const AttentionArgs& args, const AttentionTile& tile, const Work& work, const Products& products) {
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
  products.start(args, work);
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
    key_block<Vectors>(args, tile, visible, work, key, keys, products);
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
}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
