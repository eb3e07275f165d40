#include <functional>

#include "backend/cpu/kernel_testing.h"

namespace gamut::cpu {
namespace {

constexpr float kInf = INFINITY;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct UnaryCase {
  const char* name;
  Unary kind;
  double (*want)(double);
  double ulp;       ///< largest error in units of the last place of the result …
  double absolute;  ///< … or this, whichever is larger
};

// The bounds that the headers state.
const UnaryCase kCases[] = {
    {"exp", Unary::kExp, [](double x) { return std::exp(x); }, 2, 0},
    {"expm1", Unary::kExpm1, [](double x) { return std::expm1(x); }, 3, 0},
    {"log", Unary::kLog, [](double x) { return std::log(x); }, 2, 0},
    {"log1p", Unary::kLog1p, [](double x) { return std::log1p(x); }, 3, 0},
    {"sin", Unary::kSin, [](double x) { return std::sin(x); }, 1, 1.2e-7},
    {"cos", Unary::kCos, [](double x) { return std::cos(x); }, 1, 1.2e-7},
    {"tanh", Unary::kTanh, [](double x) { return std::tanh(x); }, 3, 0},
    {"erf", Unary::kErf, [](double x) { return std::erf(x); }, 3, 0},
    {"sigmoid", Unary::kSigmoid, sigmoid, 4, 1e-35},
    {"softplus", Unary::kSoftplus, [](double x) { return x > 40 ? x : std::log1p(std::exp(x)); }, 4, 0},
    {"softsign", Unary::kSoftsign, [](double x) { return x / (1 + std::abs(x)); }, 2, 0},
    {"mish", Unary::kMish, [](double x) { return x * std::tanh(std::log1p(std::exp(x))); }, 8, 1e-35},
    {"silu", Unary::kSilu, [](double x) { return x * sigmoid(x); }, 4, 1e-35},
    {"gelu_erf", Unary::kGeluErf, [](double x) { return x * 0.5 * std::erfc(-x * std::sqrt(0.5)); }, 20, 1e-8},
    {"gelu_tanh", Unary::kGeluTanh,
     [](double x) { return x * sigmoid(2 * 0.7978845608028654 * (x + 0.044715 * x * x * x)); }, 12, 1e-8},
    {"quick_gelu", Unary::kQuickGelu, [](double x) { return x * sigmoid(1.702 * x); }, 8, 1e-8},
    {"elu", Unary::kElu, [](double x) { return x > 0 ? x : std::expm1(x); }, 3, 0},
    {"sqrt", Unary::kSqrt, [](double x) { return std::sqrt(x); }, 0.51, 0},
    {"rsqrt", Unary::kRsqrt, [](double x) { return 1 / std::sqrt(x); }, 1.6, 0},
    {"reciprocal", Unary::kReciprocal, [](double x) { return 1 / x; }, 0.51, 0},
    {"square", Unary::kSquare, [](double x) { return x * x; }, 0.51, 0},
    {"abs", Unary::kAbs, [](double x) { return std::abs(x); }, 0, 0},
    {"neg", Unary::kNeg, [](double x) { return -x; }, 0, 0},
    {"floor", Unary::kFloor, [](double x) { return std::floor(x); }, 0, 0},
    {"ceil", Unary::kCeil, [](double x) { return std::ceil(x); }, 0, 0},
    {"round", Unary::kRound, [](double x) { return std::nearbyint(x); }, 0, 0},
    {"relu", Unary::kRelu, [](double x) { return x < 0 ? 0.0 : x; }, 0, 0},
    {"relu6", Unary::kRelu6, [](double x) { return x < 0   ? 0.0
                                                   : x > 6 ? 6.0
                                                           : x; }, 0, 0},
    {"hard_sigmoid", Unary::kHardSigmoid,
     [](double x) {
       return (x + 3 < 0 ? 0.0 : x + 3 > 6 ? 6.0 : x + 3) / 6;
     },
     2, 6e-8},
    {"hard_swish", Unary::kHardSwish,
     [](double x) {
       return x * ((x + 3 < 0 ? 0.0 : x + 3 > 6 ? 6.0 : x + 3) / 6);
     },
     3, 4e-7},
    {"identity", Unary::kIdentity, [](double x) { return x; }, 0, 0},
};

/// The distance from |want| to the next float, at least that of the subnormals.
double unit_of_last_place(double want) {
  int exponent = 0;
  std::frexp(want, &exponent);
  return std::ldexp(1.0, std::max(exponent - 24, -149));
}

/// A dense walk over all floats: every 1021st bit pattern of both signs, and the numbers where functions turn.
std::vector<float> dense_floats() {
  std::vector<float> values{0.0f,    -0.0f,           kInf,          -kInf,         NAN, 1e-45f,
                            -1e-45f, 1.17549435e-38f, 3.4028235e38f, -3.4028235e38f};
  for (uint32_t bits = 0; bits < 0xff800000u; bits += 1021) {
    if (bits >= 0x7f800000u && bits < 0x80000000u) continue;
    float x;
    std::memcpy(&x, &bits, 4);
    values.push_back(x);
  }
  for (int i = -1000000; i <= 1000000; ++i) values.push_back(static_cast<float>(i) * 1.2e-4f);
  return values;
}

using Elementwise = KernelTest;

TEST_P(Elementwise, UnaryWithinTheStatedError) {
  static const std::vector<float> x = dense_floats();
  std::vector<float> y(x.size());
  for (const UnaryCase& c : kCases) {
    kernels().unary(c.kind, x.data(), y.data(), static_cast<int64_t>(x.size()));
    double worst = 0;
    float worst_at = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      double want = c.want(double{x[i]});
      const double as_float = static_cast<float>(want);
      if (std::isinf(x[i]) && x[i] < 0 &&
          (c.kind == Unary::kSilu || c.kind == Unary::kQuickGelu || c.kind == Unary::kGeluErf ||
           c.kind == Unary::kGeluTanh || c.kind == Unary::kMish)) {
        want = 0;  // the limit
      } else if (std::isnan(want) || std::isinf(as_float)) {
        if (std::isnan(want) && std::isinf(x[i])) continue;  // inf - inf: either is fine
        const bool near_overflow = std::isinf(as_float) && !std::isinf(want) && y[i] > 3.4e38f;
        ASSERT_TRUE(std::isnan(want) ? std::isnan(y[i]) : y[i] == as_float || near_overflow)
            << c.name << "(" << x[i] << ") = " << y[i];
        continue;
      }
      const double error = std::abs(want - double{y[i]});
      ASSERT_FALSE(std::isnan(y[i])) << c.name << "(" << x[i] << ")";
      if (error <= c.absolute) continue;
      const double ulp = error / unit_of_last_place(want);
      if (ulp > worst) worst = ulp, worst_at = x[i];
    }
    EXPECT_LE(worst, c.ulp) << c.name << "(" << worst_at << ")";
    RecordProperty(std::string("ulp_") + c.name, std::to_string(worst));
  }
}

TEST_P(Elementwise, UnaryTailsAndInPlace) {
  for (int64_t n = 0; n < 40; ++n) {
    std::vector<float> x = random_floats(n + 1, 5), y(x), whole(x.size() + 64);
    x.resize(whole.size());
    kernels().unary(Unary::kTanh, x.data(), whole.data(), static_cast<int64_t>(x.size()));
    const float guard = y[static_cast<size_t>(n)];
    kernels().unary(Unary::kTanh, y.data(), y.data(), n);
    EXPECT_EQ(y[static_cast<size_t>(n)], guard);
    for (size_t i = 0; i < static_cast<size_t>(n); ++i) EXPECT_EQ(y[i], whole[i]) << "a value depends on its place";
  }
}

double apply(Binary kind, double a, double b) {
  switch (kind) {
    case Binary::kAdd: return a + b;
    case Binary::kSub: return a - b;
    case Binary::kMul: return a * b;
    case Binary::kDiv: return a / b;
    case Binary::kMax: return std::max(a, b);
    case Binary::kMin: return std::min(a, b);
    case Binary::kPow: return std::pow(a, b);
  }
  return 0;
}

TEST_P(Elementwise, BinaryInEveryBroadcastForm) {
  constexpr int64_t kRows = 3, kCols = 37;
  for (int kind = 0; kind < kBinaryCount; ++kind) {
    std::vector<float> a = random_floats(kRows * kCols, 1), b = random_floats(kRows * kCols, 2);
    if (static_cast<Binary>(kind) == Binary::kPow) {
      for (float& v : a) v = std::abs(v);
    }
    for (int64_t a_row : {int64_t{0}, int64_t{1}, kCols}) {
      for (int64_t a_col : {0, 1}) {
        for (int64_t b_row : {int64_t{0}, int64_t{1}, kCols}) {
          for (int64_t b_col : {0, 1}) {
            std::vector<float> y(kRows * (kCols + 2), 77.0f);
            const BinaryArgs args{.cols = kCols,
                                  .a = a.data(),
                                  .a_row_stride = a_row,
                                  .a_col_stride = a_col,
                                  .b = b.data(),
                                  .b_row_stride = b_row,
                                  .b_col_stride = b_col,
                                  .y = y.data(),
                                  .y_row_stride = kCols + 2};
            kernels().binary(static_cast<Binary>(kind), args, 0, kRows);
            for (int64_t i = 0; i < kRows; ++i) {
              for (int64_t j = 0; j < kCols; ++j) {
                const double want = apply(static_cast<Binary>(kind), a[static_cast<size_t>(i * a_row + j * a_col)],
                                          b[static_cast<size_t>(i * b_row + j * b_col)]);
                expect_close(want, y[static_cast<size_t>(i * (kCols + 2) + j)], 1e-6, "kind " + std::to_string(kind));
              }
              EXPECT_EQ(y[static_cast<size_t>(i * (kCols + 2) + kCols)], 77.0f);
            }
          }
        }
      }
    }
  }
}

TEST_P(Elementwise, MaxAndMinKeepNan) {
  const float a[] = {NAN, 1, NAN, 2}, b[] = {1, NAN, NAN, 3};
  float y[4];
  const BinaryArgs args{.cols = 4, .a = a, .b = b, .y = y};
  for (Binary kind : {Binary::kMax, Binary::kMin}) {
    kernels().binary(kind, args, 0, 1);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(std::isnan(y[i]));
    EXPECT_EQ(y[3], kind == Binary::kMax ? 3.0f : 2.0f);
  }
}

TEST_P(Elementwise, EveryHalfPrecisionNumberThereAndBack) {
  std::vector<uint16_t> bits(65536), back(65536);
  for (size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<uint16_t>(i);
  std::vector<float> wide(65536);
  for (Source type : {Source::kF16, Source::kBf16}) {
    kernels().widen(type, bits.data(), wide.data(), 65536);
    kernels().narrow(type, wide.data(), back.data(), 65536);
    for (size_t i = 0; i < bits.size(); ++i) {
      if (std::isnan(wide[i])) {
        float again;
        kernels().widen(type, &back[i], &again, 1);
        EXPECT_TRUE(std::isnan(again));
      } else {
        EXPECT_EQ(bits[i], back[i]) << wide[i];
      }
      if (type == Source::kF16 && (i & 0x7c00) != 0x7c00) {
        const int exponent = static_cast<int>(i >> 10 & 31), mantissa = static_cast<int>(i & 1023);
        const double want = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
        EXPECT_EQ(wide[i], (i & 0x8000) != 0 ? -want : want);
      }
    }
  }
}

TEST_P(Elementwise, NarrowingRoundsToEven) {
  const float x[] = {1.0f + 0x1p-11f, 1.0f + 3 * 0x1p-11f, 65519.0f, 65520.0f, 0x1p-25f, 0x1.8p-24f, -0x1.002p-14f};
  const float want_f16[] = {1.0f, 1.0f + 0x1p-9f, 65504.0f, kInf, 0.0f, 0x1p-23f, -0x1p-14f};
  for (int repeat : {1, 5}) {  // once through the tail, once through whole vectors
    std::vector<float> many, back;
    for (int r = 0; r < repeat * 4; ++r) many.insert(many.end(), std::begin(x), std::end(x));
    std::vector<uint16_t> half(many.size());
    back.resize(many.size());
    kernels().narrow(Source::kF16, many.data(), half.data(), static_cast<int64_t>(many.size()));
    kernels().widen(Source::kF16, half.data(), back.data(), static_cast<int64_t>(many.size()));
    for (size_t i = 0; i < many.size(); ++i) EXPECT_EQ(back[i], want_f16[i % 7]) << many[i];
    const float bf[] = {1.0f + 0x1p-8f, 1.0f + 3 * 0x1p-8f, 3.4028235e38f, -1.0f};
    const float want_bf16[] = {1.0f, 1.0f + 0x1p-6f, kInf, -1.0f};
    many.clear();
    for (int r = 0; r < repeat * 4; ++r) many.insert(many.end(), std::begin(bf), std::end(bf));
    kernels().narrow(Source::kBf16, many.data(), half.data(), static_cast<int64_t>(many.size()));
    kernels().widen(Source::kBf16, half.data(), back.data(), static_cast<int64_t>(many.size()));
    for (size_t i = 0; i < many.size(); ++i) EXPECT_EQ(back[i], want_bf16[i % 4]) << many[i];
  }
}

GAMUT_INSTANTIATE_KERNEL_TEST(Elementwise);

}  // namespace
}  // namespace gamut::cpu
