// Unary and binary functions, element by element.
#include "backend/cpu/kernels/functions.h"
#include "backend/cpu/kernels/math.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {
namespace {

template <typename F>
GAMUT_INLINE void map(const float* x, float* y, int64_t n, F f) {
  for_vectors(n,
              [&](int64_t i, int count) GAMUT_INLINE_LAMBDA { store_some(y + i, f(load_some(x + i, count)), count); });
}

/// sin or cos; vectors with an angle too large for the short reduction go to the C library, one element at a time.
template <int kShift>
void map_angle(const float* x, float* y, int64_t n) {
  for_vectors(n, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA {
    const V v = load_some(x + i, count);
    if (!any(!(abs_of(v) <= kLargestAngle))) {
      store_some(y + i, sin_shifted(v, kShift), count);
      return;
    }
    for (int j = 0; j < count; ++j) y[i + j] = kShift == 0 ? __builtin_sinf(x[i + j]) : __builtin_cosf(x[i + j]);
  });
}

/// Comparisons with NaN are false, so these keep it where max and min would not.
GAMUT_INLINE V at_least(V x, V bound) { return x < bound ? bound : x; }
GAMUT_INLINE V at_most(V x, V bound) { return x > bound ? bound : x; }
GAMUT_INLINE V hard_sigmoid(V x) { return at_most(at_least(x + 3.0f, zero()), set1(6.0f)) / 6.0f; }

/// tanh(softplus(x)) = (w^2 + 2w) / (w^2 + 2w + 2) with w = e^x; from x = 20 on it is 1.
GAMUT_INLINE V mish(V x) {
  const V w = exp(at_most(x, set1(20.0f)));
  const V product = w * (w + 2.0f);
  const V y = x * (product / (product + 2.0f));
  return x == -kInfinity ? zero() : y;
}

void unary_rounding(Unary kind, const float* x, float* y, int64_t n) {
  switch (kind) {
    case Unary::kAbs: return map(x, y, n, [](V v) { return abs_of(v); });
    case Unary::kNeg: return map(x, y, n, [](V v) { return -v; });
    case Unary::kSign: return map(x, y, n, [](V v) { return v > 0.0f ? set1(1.0f) : (v < 0.0f ? set1(-1.0f) : v); });
    case Unary::kSquare: return map(x, y, n, [](V v) { return v * v; });
    case Unary::kSqrt: return map(x, y, n, [](V v) { return sqrt(v); });
    case Unary::kRsqrt: return map(x, y, n, [](V v) { return 1.0f / sqrt(v); });
    case Unary::kReciprocal: return map(x, y, n, [](V v) { return 1.0f / v; });
    case Unary::kFloor: return map(x, y, n, [](V v) { return floor(v); });
    case Unary::kCeil: return map(x, y, n, [](V v) { return ceil(v); });
    case Unary::kRound: return map(x, y, n, [](V v) { return round_even(v); });
    default: return map(x, y, n, [](V v) { return v; });
  }
}

template <Binary kKind>
GAMUT_INLINE V combine(V a, V b) {
  if constexpr (kKind == Binary::kAdd) return a + b;
  if constexpr (kKind == Binary::kSub) return a - b;
  if constexpr (kKind == Binary::kMul) return a * b;
  if constexpr (kKind == Binary::kDiv) return a / b;
  if constexpr (kKind == Binary::kMax) return a != a ? a : (a > b ? a : b);
  if constexpr (kKind == Binary::kMin) return a != a ? a : (a < b ? a : b);
}

template <Binary kKind>
void binary_rows(const BinaryArgs& args, int64_t row0, int64_t row1) {
  for (int64_t r = row0; r < row1; ++r) {
    const float* a = args.a + r * args.a_row_stride;
    const float* b = args.b + r * args.b_row_stride;
    float* y = args.y + r * args.y_row_stride;
    if (args.a_col_stride == 1 && args.b_col_stride == 1) {
      for_vectors(args.cols, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA {
        store_some(y + i, combine<kKind>(load_some(a + i, count), load_some(b + i, count)), count);
      });
    } else if (args.a_col_stride == 1) {
      const V right = set1(b[0]);
      for_vectors(args.cols, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA {
        store_some(y + i, combine<kKind>(load_some(a + i, count), right), count);
      });
    } else {
      const V left = set1(a[0]);
      for_vectors(args.cols, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA {
        const V right = args.b_col_stride == 1 ? load_some(b + i, count) : set1(b[0]);
        store_some(y + i, combine<kKind>(left, right), count);
      });
    }
  }
}

void pow_rows(const BinaryArgs& args, int64_t row0, int64_t row1) {
  for (int64_t r = row0; r < row1; ++r) {
    const float* a = args.a + r * args.a_row_stride;
    const float* b = args.b + r * args.b_row_stride;
    float* y = args.y + r * args.y_row_stride;
    for (int64_t i = 0; i < args.cols; ++i) y[i] = __builtin_powf(a[i * args.a_col_stride], b[i * args.b_col_stride]);
  }
}

}  // namespace

void unary(Unary kind, const float* x, float* y, int64_t n) noexcept {
  switch (kind) {
    case Unary::kExp: return map(x, y, n, [](V v) { return exp(v); });
    case Unary::kExpm1: return map(x, y, n, [](V v) { return expm1(v); });
    case Unary::kLog: return map(x, y, n, [](V v) { return log(v); });
    case Unary::kLog1p: return map(x, y, n, [](V v) { return log1p(v); });
    case Unary::kSin: return map_angle<0>(x, y, n);
    case Unary::kCos: return map_angle<1>(x, y, n);
    case Unary::kTanh: return map(x, y, n, [](V v) { return tanh(v); });
    case Unary::kErf: return map(x, y, n, [](V v) { return erf(v); });
    case Unary::kSigmoid: return map(x, y, n, [](V v) { return sigmoid(v); });
    case Unary::kSoftplus: return map(x, y, n, [](V v) { return softplus(v); });
    case Unary::kSoftsign: return map(x, y, n, [](V v) { return v / (1.0f + abs_of(v)); });
    case Unary::kMish: return map(x, y, n, [](V v) { return mish(v); });
    case Unary::kRelu: return map(x, y, n, [](V v) { return at_least(v, zero()); });
    case Unary::kRelu6: return map(x, y, n, [](V v) { return at_most(at_least(v, zero()), set1(6.0f)); });
    case Unary::kHardSigmoid: return map(x, y, n, [](V v) { return hard_sigmoid(v); });
    case Unary::kHardSwish: return map(x, y, n, [](V v) { return v * hard_sigmoid(v); });
    case Unary::kSilu: return map(x, y, n, [](V v) { return swish(v, v); });
    case Unary::kGeluErf: return map(x, y, n, [](V v) { return gelu_erf(v); });
    case Unary::kGeluTanh: return map(x, y, n, [](V v) { return gelu_tanh(v); });
    case Unary::kQuickGelu: return map(x, y, n, [](V v) { return swish(v, 1.702f * v); });
    case Unary::kElu: return map(x, y, n, [](V v) { return v > 0.0f ? v : expm1(v); });
    case Unary::kIdentity:
      if (x == y) return;
      break;
    default: break;
  }
  unary_rounding(kind, x, y, n);
}

void binary(Binary kind, const BinaryArgs& args, int64_t row0, int64_t row1) noexcept {
  switch (kind) {
    case Binary::kAdd: return binary_rows<Binary::kAdd>(args, row0, row1);
    case Binary::kSub: return binary_rows<Binary::kSub>(args, row0, row1);
    case Binary::kMul: return binary_rows<Binary::kMul>(args, row0, row1);
    case Binary::kDiv: return binary_rows<Binary::kDiv>(args, row0, row1);
    case Binary::kMax: return binary_rows<Binary::kMax>(args, row0, row1);
    case Binary::kMin: return binary_rows<Binary::kMin>(args, row0, row1);
    case Binary::kPow: return pow_rows(args, row0, row1);
  }
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
