// The arguments of the CPU kernels of recurrences: plain structs of pointers and extents of one row.
#pragma once

#include <cstdint>

namespace gamut::cpu {

/// y[t] = bias + sum over k of weight[k] * x[t - taps + 1 + k].
struct CausalConv1dArgs {
  int64_t tokens = 0, channels = 0, taps = 0;
  const float* x = nullptr;       ///< [tokens, channels]
  const float* weight = nullptr;  ///< [taps, channels]
  const float* bias = nullptr;    ///< [channels] or none
  float* state = nullptr;         ///< [taps - 1, channels], the tokens before the row, then its last; none: zeros
  float* y = nullptr;             ///< [tokens, channels], not x
};

/// Of one head: h[n] = decay[n] * h[n] + step * b[n] * x, then y = d * x + sum over n of c[n] * h[n], for `width`
/// lanes side by side; step = softplus(steps), brought into [least_step, most_step].
struct ScanArgs {
  int64_t tokens = 0, width = 0, numbers = 0;
  const float* x = nullptr;  ///< [tokens, width], lines `stride` apart
  float* y = nullptr;        ///< likewise, not x
  int64_t stride = 0;
  const float* b = nullptr;  ///< [tokens, numbers], lines `b_stride` apart; c likewise
  const float* c = nullptr;
  int64_t b_stride = 0;
  /// Each lane has its own steps, decays and d (or all have the same).
  bool by_lane = false;
  const float* steps = nullptr;  ///< [tokens, width] or [tokens], lines `steps_stride` apart
  int64_t steps_stride = 0;
  const float* a = nullptr;  ///< decay = exp(step * a); [numbers, width] or one number
  const float* d = nullptr;  ///< [width] or one number
  float least_step = 0, most_step = __builtin_inff();
  float* state = nullptr;  ///< h before the row, then behind it [numbers, width]; none: zeros
};

/// RWKV's weighted means along one row, see op::wkv: k, v [tokens, channels] -> y. `state` [3, channels] is what came
/// before, zeros when nothing did, and afterwards what the row leaves; none: the row starts anew and leaves nothing.
struct WkvArgs {
  int64_t tokens = 0, channels = 0;
  const float* k = nullptr;
  const float* v = nullptr;
  const float* decay = nullptr;  ///< [channels]
  const float* first = nullptr;  ///< [channels]
  float* y = nullptr;
  float* state = nullptr;
};

/// y_t = a_t * y_(t-1) + b_t along one row of [tokens, channels]; `state` [channels] likewise.
struct LinearScanArgs {
  int64_t tokens = 0, channels = 0;
  const float* a = nullptr;
  const float* b = nullptr;
  float* y = nullptr;
  float* state = nullptr;
};

/// The gated delta rule along one row, see op::delta_rule: q, k [tokens, groups, key_dim], v and y [tokens, heads,
/// value_dim], decay and rate [tokens, heads]. `state` [heads, key_dim, value_dim] likewise.
struct DeltaRuleArgs {
  int64_t tokens = 0, heads = 0, groups = 0, key_dim = 0, value_dim = 0;
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  const float* decay = nullptr;
  const float* rate = nullptr;
  float* y = nullptr;
  float* state = nullptr;
};

}  // namespace gamut::cpu
