// Recurrences along one row: a token's numbers depend on those of the token before, so lanes are channels.
#include "backend/cpu/kernels/functions.h"
#include "backend/cpu/kernels/math.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {
namespace {

/// The two sums of a weighted mean, both divided by e^top.
struct WeightedMean {
  V values, weights, top;
};

GAMUT_INLINE WeightedMean add(WeightedMean mean, V key, V value) {
  const V top = max(mean.top, key);
  const V fade = exp_nonpositive(mean.top - top), share = exp_nonpositive(key - top);
  return {fma(fade, mean.values, share * value), fma(fade, mean.weights, share), top};
}

/// The lanes of a row that starts anew: below every key.
constexpr float kNothing = -1e38f;

/// Lines of one head's memory that lie in scratch or in the state.
struct Memory {
  float* lines;
  int64_t stride;
};

constexpr int64_t kTokensInPlace = 2;

/// f(i, sums) for the lines [0,depth), by turns with two sets of sums, so that additions do not wait for each other.
template <int kVectors, typename F>
GAMUT_INLINE void for_lines(int64_t depth, V (&even)[kVectors], F f) {
  V odd[kVectors] = {};
  int64_t i = 0;
  for (; i + 2 <= depth; i += 2) {
    f(i, even);
    f(i + 1, odd);
  }
  if (i < depth) f(i, even);
#pragma GCC unroll 2
  for (int j = 0; j < kVectors; ++j) even[j] = even[j] + odd[j];
}

/// One token: the columns [c0, c0 + count) in kVectors vectors. `count` is known where they are full.
template <int kVectors>
GAMUT_INLINE void delta_step(const DeltaRuleArgs& args, int64_t token, int64_t head, int64_t c0, int count,
                             Memory memory) {
  const int64_t own = token * args.heads + head, depth = args.key_dim;
  const int64_t key = token * args.groups + head / (args.heads / args.groups);
  const float *q = args.q + key * depth, *k = args.k + key * depth;
  const V decay = set1(args.decay[own]), rate = set1(args.rate[own]);
  const auto width = [&](int j) GAMUT_INLINE_LAMBDA { return static_cast<int>(min_of(kWidth, count - j * kWidth)); };
  const auto place = [&](int64_t i, int j)
                         GAMUT_INLINE_LAMBDA { return memory.lines + i * memory.stride + j * kWidth; };
  V known[kVectors] = {}, y[kVectors] = {}, change[kVectors];
  for_lines<kVectors>(depth, known, [&](int64_t i, V(&sums)[kVectors]) GAMUT_INLINE_LAMBDA {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) sums[j] = fma(set1(k[i]), load_some(place(i, j), width(j)), sums[j]);
  });
#pragma GCC unroll 2
  for (int j = 0; j < kVectors; ++j) {
    const V value = load_some(args.v + own * args.value_dim + c0 + j * kWidth, width(j));
    change[j] = rate * fnma(decay, known[j], value);
  }
  for_lines<kVectors>(depth, y, [&](int64_t i, V(&sums)[kVectors]) GAMUT_INLINE_LAMBDA {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      const V line = fma(set1(k[i]), change[j], decay * load_some(place(i, j), width(j)));
      store_some(place(i, j), line, width(j));
      sums[j] = fma(set1(q[i]), line, sums[j]);
    }
  });
#pragma GCC unroll 2
  for (int j = 0; j < kVectors; ++j) {
    store_some(args.y + own * args.value_dim + c0 + j * kWidth, y[j], width(j));
  }
}

}  // namespace

void wkv(const WkvArgs& args, int64_t c0, int64_t c1) noexcept {
  const int64_t channels = args.channels;
  for_vectors(c1 - c0, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA {
    const int64_t c = c0 + i;
    const V decay = load_some(args.decay + c, count), first = load_some(args.first + c, count);
    WeightedMean past{zero(), zero(), set1(kNothing)};
    if (args.state != nullptr) {
      past.values = load_some(args.state + c, count);
      past.weights = load_some(args.state + channels + c, count);
      past.top = select(past.weights > 0.0f, load_some(args.state + 2 * channels + c, count), past.top);
    }
    for (int64_t t = 0; t < args.tokens; ++t) {
      const V key = load_some(args.k + t * channels + c, count), value = load_some(args.v + t * channels + c, count);
      const WeightedMean seen = add(past, key + first, value);
      store_some(args.y + t * channels + c, seen.values / seen.weights, count);
      past.top = past.top + decay;
      past = add(past, key, value);
    }
    if (args.state == nullptr) return;
    store_some(args.state + c, past.values, count);
    store_some(args.state + channels + c, past.weights, count);
    store_some(args.state + 2 * channels + c, past.top, count);
  });
}

void linear_scan(const LinearScanArgs& args, int64_t c0, int64_t c1) noexcept {
  const int64_t channels = args.channels;
  for_vectors(c1 - c0, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA {
    const int64_t c = c0 + i;
    V y = args.state != nullptr ? load_some(args.state + c, count) : zero();
    for (int64_t t = 0; t < args.tokens; ++t) {
      y = fma(load_some(args.a + t * channels + c, count), y, load_some(args.b + t * channels + c, count));
      store_some(args.y + t * channels + c, y, count);
    }
    if (args.state != nullptr) store_some(args.state + c, y, count);
  });
}

void delta_rule(const DeltaRuleArgs& args, int64_t head, int64_t c0, int64_t c1, float* scratch) noexcept {
  const int count = static_cast<int>(c1 - c0);
  float* state = args.state;
  if (state != nullptr) state += head * args.key_dim * args.value_dim + c0;
  // Lines of the state are far apart and compete for the same sets of L1; many tokens are worth a copy.
  const bool in_place = state != nullptr && args.tokens <= kTokensInPlace;
  const Memory memory{in_place ? state : scratch, in_place ? args.value_dim : kDeltaColumns};
  for (int64_t i = 0; i < args.key_dim && !in_place; ++i) {
    for_vectors(count, [&](int64_t j, int n) GAMUT_INLINE_LAMBDA {
      const V line = state != nullptr ? load_some(state + i * args.value_dim + j, n) : zero();
      store_some(scratch + i * kDeltaColumns + j, line, n);
    });
  }
  for (int64_t t = 0; t < args.tokens; ++t) {
    if (count == 2 * kWidth) {
      delta_step<2>(args, t, head, c0, 2 * kWidth, memory);
    } else if (count > kWidth) {
      delta_step<2>(args, t, head, c0, count, memory);
    } else {
      delta_step<1>(args, t, head, c0, count, memory);
    }
  }
  for (int64_t i = 0; i < args.key_dim && state != nullptr && !in_place; ++i) {
    for_vectors(count, [&](int64_t j, int n) GAMUT_INLINE_LAMBDA {
      store_some(state + i * args.value_dim + j, load_some(scratch + i * kDeltaColumns + j, n), n);
    });
  }
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
