// Recurrences along the tokens of a row, whose lanes are channels: no sum runs across lanes, and a token's result does
// not depend on how a sequence is cut into runs.
#include "backend/cpu/kernels/functions.h"
#include "backend/cpu/kernels/math.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {
namespace {

/// Taps that are added in one pass over the channels.
constexpr int kTapsAtOnce = 4;

/// Line `t` of what the convolution sees, the state being the lines before 0; null where there are zeros.
GAMUT_INLINE const float* conv_line(const CausalConv1dArgs& args, int64_t t) {
  if (t >= 0) return args.x + t * args.channels;
  return args.state != nullptr ? args.state + (args.taps - 1 + t) * args.channels : nullptr;
}

/// y[t] = start + the taps [k0, k0 + kTapsAtOnce), where start is the bias or, from the second pass on, y[t] itself.
void add_taps(const CausalConv1dArgs& args, int64_t t, int64_t k0, int64_t c0, int64_t c1) {
  const float *lines[kTapsAtOnce], *weights[kTapsAtOnce];
  int count = 0;
  for (int64_t k = k0; k < min_of(args.taps, k0 + kTapsAtOnce); ++k) {
    const float* line = conv_line(args, t - args.taps + 1 + k);
    if (line == nullptr) continue;
    lines[count] = line + c0;
    weights[count++] = args.weight + k * args.channels + c0;
  }
  float* y = args.y + t * args.channels + c0;
  const float* start = k0 > 0 ? y : args.bias != nullptr ? args.bias + c0 : nullptr;
  const auto sum = [&](int64_t i, int lanes, int taps) GAMUT_INLINE_LAMBDA {
    V s = start != nullptr ? load_some(start + i, lanes) : zero();
#pragma GCC unroll 4
    for (int k = 0; k < taps; ++k) s = fma(load_some(weights[k] + i, lanes), load_some(lines[k] + i, lanes), s);
    store_some(y + i, s, lanes);
  };
  if (count == kTapsAtOnce) {
    for_vectors(c1 - c0, [&](int64_t i, int lanes) GAMUT_INLINE_LAMBDA { sum(i, lanes, kTapsAtOnce); });
  } else {
    for_vectors(c1 - c0, [&](int64_t i, int lanes) GAMUT_INLINE_LAMBDA { sum(i, lanes, count); });
  }
}

/// Tokens whose steps are made at a time.
constexpr int64_t kScanTokens = 32;
/// Numbers of a lane that stay in registers over those tokens.
constexpr int kScanNumbers = kWidth == 16 ? 8 : 4;

/// kWidth lanes of one head, from lane `lane` on, the first `lanes` of which count.
struct ScanLanes {
  const ScanArgs& args;
  int64_t lane;
  int lanes;
  float* state;  // [numbers, ...], lines `state_stride` apart
  int64_t state_stride;
  int64_t token, count;  // of the tokens at hand
  // Of each token at hand. By lane `step` is the step, else `decay` is the decay of all lanes.
  V u[kScanTokens], y[kScanTokens], step[kScanTokens];
  float decay[kScanTokens];
};

GAMUT_INLINE V step_of(const ScanArgs& args, V x) {
  return min(set1(args.most_step), max(set1(args.least_step), softplus(x)));
}

/// What does not depend on the state: steps, u = step * x and d * x.
template <bool kByLane>
GAMUT_INLINE void begin_tokens(ScanLanes& s) {
  const ScanArgs& args = s.args;
  float steps[kScanTokens];
  if (!kByLane) {
    for (int64_t i = 0; i < kScanTokens; ++i) {
      steps[i] = args.steps[(s.token + min_of(i, s.count - 1)) * args.steps_stride];
    }
    for (int64_t i = 0; i < kScanTokens; i += kWidth) {
      const V step = step_of(args, load(steps + i));
      store(steps + i, step);
      store(s.decay + i, exp(step * args.a[0]));
    }
  }
  const V d = kByLane ? load_some(args.d + s.lane, s.lanes) : set1(args.d[0]);
  for (int64_t i = 0; i < s.count; ++i) {
    const int64_t t = s.token + i;
    const V x = load_some(args.x + t * args.stride + s.lane, s.lanes);
    if (kByLane) s.step[i] = step_of(args, load_some(args.steps + t * args.steps_stride + s.lane, s.lanes));
    s.u[i] = x * (kByLane ? s.step[i] : set1(steps[i]));
    s.y[i] = d * x;
  }
}

/// The numbers [n, n + kCount) over the tokens at hand.
template <bool kByLane, int kCount>
GAMUT_INLINE void scan_numbers(ScanLanes& s, int64_t n) {
  const ScanArgs& args = s.args;
  V h[kCount], a[kCount];
#pragma GCC unroll 8
  for (int j = 0; j < kCount; ++j) {
    h[j] = load_some(s.state + (n + j) * s.state_stride, s.lanes);
    a[j] = kByLane ? load_some(args.a + (n + j) * args.width + s.lane, s.lanes) : zero();
  }
  for (int64_t i = 0; i < s.count; ++i) {
    const float *b = args.b + (s.token + i) * args.b_stride + n, *c = args.c + (s.token + i) * args.b_stride + n;
    V y = s.y[i];
#pragma GCC unroll 8
    for (int j = 0; j < kCount; ++j) {
      const V decay = kByLane ? exp(s.step[i] * a[j]) : set1(s.decay[i]);
      h[j] = fma(decay, h[j], s.u[i] * b[j]);
      y = fma(set1(c[j]), h[j], y);
    }
    s.y[i] = y;
  }
#pragma GCC unroll 8
  for (int j = 0; j < kCount; ++j) store_some(s.state + (n + j) * s.state_stride, h[j], s.lanes);
}

template <bool kByLane>
GAMUT_INLINE void scan_lanes(ScanLanes& s) {
  const ScanArgs& args = s.args;
  for (s.token = 0; s.token < args.tokens; s.token += s.count) {
    s.count = min_of(kScanTokens, args.tokens - s.token);
    begin_tokens<kByLane>(s);
    int64_t n = 0;
    for (; n + kScanNumbers <= args.numbers; n += kScanNumbers) scan_numbers<kByLane, kScanNumbers>(s, n);
    for (; n < args.numbers; ++n) scan_numbers<kByLane, 1>(s, n);
    for (int64_t i = 0; i < s.count; ++i) {
      store_some(args.y + (s.token + i) * args.stride + s.lane, s.y[i], s.lanes);
    }
  }
}

}  // namespace

size_t scan_scratch(int64_t numbers) noexcept { return sizeof(float) * kWidth * static_cast<size_t>(numbers); }

void scan(const ScanArgs& args, int64_t c0, int64_t c1, void* scratch) noexcept {
  float* zeros = static_cast<float*>(scratch);
  for_vectors(c1 - c0, [&](int64_t i, int lanes) GAMUT_INLINE_LAMBDA {
    ScanLanes s{.args = args, .lane = c0 + i, .lanes = lanes, .state = zeros, .state_stride = kWidth};
    if (args.state != nullptr) {
      s.state = args.state + s.lane, s.state_stride = args.width;
    } else {
      for (int64_t n = 0; n < args.numbers; ++n) store(zeros + n * kWidth, zero());
    }
    if (args.by_lane) {
      scan_lanes<true>(s);
    } else {
      scan_lanes<false>(s);
    }
  });
}

void causal_conv1d(const CausalConv1dArgs& args, int64_t c0, int64_t c1) noexcept {
  for (int64_t t = 0; t < args.tokens; ++t) {
    for (int64_t k = 0; k < args.taps; k += kTapsAtOnce) add_taps(args, t, k, c0, c1);
  }
  if (args.state == nullptr || args.tokens == 0) return;
  const int64_t past = args.taps - 1;
  for (int64_t k = 0; k < past; ++k) {
    const float* line = conv_line(args, args.tokens - past + k);
    float* to = args.state + k * args.channels;
    for (int64_t c = c0; c < c1; ++c) to[c] = line[c];
  }
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
