// Functions of whole rows: norms, softmax, reductions.
#include "backend/cpu/kernels/functions.h"
#include "backend/cpu/kernels/math.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {
namespace {

/// The sum of f(vector) over x [n]; lanes behind the end do not count. Four sums, so that additions do not wait for
/// each other.
template <typename F>
GAMUT_INLINE float sum_over(const float* x, int64_t n, F f) {
  V s0 = zero(), s1 = zero(), s2 = zero(), s3 = zero();
  int64_t i = 0;
  for (; i + 4 * kWidth <= n; i += 4 * kWidth) {
    s0 = s0 + f(load(x + i));
    s1 = s1 + f(load(x + i + kWidth));
    s2 = s2 + f(load(x + i + 2 * kWidth));
    s3 = s3 + f(load(x + i + 3 * kWidth));
  }
  for (; i + kWidth <= n; i += kWidth) s0 = s0 + f(load(x + i));
  float rest = 0.0f;
  if (i < n) {
    float lanes[kWidth];
    store(lanes, f(load_n(x + i, static_cast<int>(n - i))));
    for (int j = 0; j < n - i; ++j) rest += lanes[j];
  }
  return sum_of((s0 + s1) + (s2 + s3)) + rest;
}

/// The largest (kSign 1) or smallest (kSign -1) of x [n]; NaN when there is one.
template <int kSign>
float extreme(const float* x, int64_t n) {
  V best = set1(-kInfinity), seen_nan = zero();
  for_vectors(n, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA {
    V v = load_some(x + i, count);
    if (kSign < 0) v = -v;
    seen_nan = v == v ? seen_nan : set1(1.0f);
    if (count != kWidth) {  // the lanes behind the end are zeros
      float lanes[kWidth];
      store(lanes, set1(-kInfinity));
      for (int j = 0; j < count; ++j) lanes[j] = kSign * x[i + j];
      v = load(lanes);
    }
    best = max(v, best);
  });
  if (max_of_lanes(seen_nan) > 0.0f) return kNan;
  return kSign * max_of_lanes(best);
}

/// x + residual, written where `args.sum` says, or into y when there is no such place; x itself without a residual.
const float* add_residual(const NormArgs& args, int64_t row) {
  const float* x = args.x + row * args.x_stride;
  if (args.residual == nullptr) return x;
  const float* residual = args.residual + row * args.residual_stride;
  float* sum = args.sum != nullptr ? args.sum + row * args.sum_stride : args.y + row * args.y_stride;
  for_vectors(args.cols, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA {
    store_some(sum + i, load_some(x + i, count) + load_some(residual + i, count), count);
  });
  return sum;
}

/// y = (x - mean) * factor * weight + bias.
void scale_row(const NormArgs& args, int64_t row, const float* x, float mean, float factor) {
  float* y = args.y + row * args.y_stride;
  const V shift = set1(mean), scale = set1(factor);
  for_vectors(args.cols, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA {
    V v = (load_some(x + i, count) - shift) * scale;
    if (args.weight != nullptr) v = v * load_some(args.weight + i, count);
    if (args.bias != nullptr) v = v + load_some(args.bias + i, count);
    store_some(y + i, v, count);
  });
}

void softmax_row(const float* x, float* y, int64_t n) {
  const V top = set1(extreme<1>(x, n));
  V sums = zero();
  float rest = 0.0f;
  for_vectors(n, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA {
    const V e = exp(load_some(x + i, count) - top);
    store_some(y + i, e, count);
    if (count == kWidth) {
      sums = sums + e;
    } else {
      for (int j = 0; j < count; ++j) rest += y[i + j];
    }
  });
  const V factor = set1(1.0f / (sum_of(sums) + rest));
  for_vectors(
      n, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA { store_some(y + i, load_some(y + i, count) * factor, count); });
}

void log_softmax_row(const float* x, float* y, int64_t n) {
  const float top = extreme<1>(x, n);
  const V shift = set1(top);
  const float sum = sum_over(x, n, [&](V v) GAMUT_INLINE_LAMBDA { return exp(v - shift); });
  const V log_sum = set1(log(set1(sum))[0]);
  for_vectors(n, [&](int64_t i, int count)
                     GAMUT_INLINE_LAMBDA { store_some(y + i, (load_some(x + i, count) - shift) - log_sum, count); });
}

}  // namespace

void layer_norm(const NormArgs& args, int64_t row0, int64_t row1) noexcept {
  const float n = static_cast<float>(args.cols);
  for (int64_t r = row0; r < row1; ++r) {
    const float* x = add_residual(args, r);
    const float mean = sum_over(x, args.cols, [](V v) GAMUT_INLINE_LAMBDA { return v; }) / n;
    const V shift = set1(mean);
    const float squares = sum_over(x, args.cols, [&](V v) GAMUT_INLINE_LAMBDA { return (v - shift) * (v - shift); });
    scale_row(args, r, x, mean, 1.0f / __builtin_sqrtf(squares / n + args.eps));
  }
}

void rms_norm(const NormArgs& args, int64_t row0, int64_t row1) noexcept {
  const float n = static_cast<float>(args.cols);
  for (int64_t r = row0; r < row1; ++r) {
    const float* x = add_residual(args, r);
    const float squares = sum_over(x, args.cols, [](V v) GAMUT_INLINE_LAMBDA { return v * v; });
    scale_row(args, r, x, 0.0f, 1.0f / __builtin_sqrtf(squares / n + args.eps));
  }
}

void l2_normalize(const NormArgs& args, int64_t row0, int64_t row1) noexcept {
  for (int64_t r = row0; r < row1; ++r) {
    const float* x = add_residual(args, r);
    const float length = __builtin_sqrtf(sum_over(x, args.cols, [](V v) GAMUT_INLINE_LAMBDA { return v * v; }));
    scale_row(args, r, x, 0.0f, 1.0f / (length < args.eps ? args.eps : length));
  }
}

void rope(const RopeArgs& args, int64_t token0, int64_t token1) noexcept {
  const int64_t half = args.half, step = args.interleaved ? 2 : 1, partner = args.interleaved ? 1 : half;
  for (int64_t t = token0; t < token1; ++t) {
    const float *cos = args.cos + t * half, *sin = args.sin + t * half;
    for (int64_t h = 0; h < args.heads; ++h) {
      const float* x = args.x + (t * args.heads + h) * args.head_dim;
      float* y = args.y + (t * args.heads + h) * args.head_dim;
      for (int64_t i = 0; i < half; ++i) {
        const float a = x[i * step], b = x[i * step + partner];
        y[i * step] = a * cos[i] - b * sin[i];
        y[i * step + partner] = b * cos[i] + a * sin[i];
      }
      for (int64_t i = 2 * half; i < args.head_dim; ++i) y[i] = x[i];
    }
  }
}

void softmax(const SoftmaxArgs& args, int64_t row0, int64_t row1) noexcept {
  for (int64_t r = row0; r < row1; ++r) {
    const float* x = args.x + r * args.x_stride;
    float* y = args.y + r * args.y_stride;
    if (args.log) {
      log_softmax_row(x, y, args.cols);
    } else {
      softmax_row(x, y, args.cols);
    }
  }
}

void reduce(Reduce kind, const ReduceArgs& args, int64_t row0, int64_t row1) noexcept {
  for (int64_t r = row0; r < row1; ++r) {
    const float* x = args.x + r * args.x_stride;
    float result = 0.0f;
    switch (kind) {
      case Reduce::kSum: result = sum_over(x, args.cols, [](V v) GAMUT_INLINE_LAMBDA { return v; }); break;
      case Reduce::kMean:
        result = sum_over(x, args.cols, [](V v) GAMUT_INLINE_LAMBDA { return v; }) / static_cast<float>(args.cols);
        break;
      case Reduce::kMax: result = extreme<1>(x, args.cols); break;
      case Reduce::kMin: result = extreme<-1>(x, args.cols); break;
      case Reduce::kSumSquares: result = sum_over(x, args.cols, [](V v) GAMUT_INLINE_LAMBDA { return v * v; }); break;
    }
    args.y[r] = result;
  }
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
