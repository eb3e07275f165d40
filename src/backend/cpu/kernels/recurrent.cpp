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

}  // namespace

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
