#include "backend/cpu/matmul.h"

#include <cstring>
#include <limits>
#include <memory>

#include "backend/cpu/kernel_testing.h"
#include "base/error.h"

namespace gamut::cpu {
namespace {

double activate(Unary kind, double x) {
  switch (kind) {
    case Unary::kRelu: return std::max(x, 0.0);
    case Unary::kGeluErf: return x * 0.5 * (1 + std::erf(x * std::sqrt(0.5)));
    case Unary::kSilu: return x / (1 + std::exp(-x));
    default: return x;
  }
}

struct Case {
  int64_t m, n, k;
  bool bias = false, residual = false, residual_first = false, residual_in_place = false;
  Unary activation = Unary::kIdentity;
  float alpha = 1.0f;
};

enum class Rhs { kPacked, kRows, kColumns };  // packed; [N,K] in place; [K,N] in place

/// Runs the case with guard columns around C, and compares with sums in double.
std::vector<float> run_case(const KernelTable& kernels, const Case& c, Rhs rhs, int threads) {
  const MatmulKernel& kernel = kernels.matmul_f32;
  const int64_t a_stride = c.k + 3, c_stride = c.n + 5;
  const std::vector<float> a = random_floats(c.m * a_stride, 1), w = random_floats(c.n * c.k, 2);
  const std::vector<float> bias = random_floats(c.n, 3), residual = random_floats(c.m * c_stride, 4);
  std::vector<float> out(static_cast<size_t>(c.m * c_stride), 77.0f);
  if (c.residual_in_place) out = residual;
  const int64_t n_stride = rhs == Rhs::kColumns ? 1 : c.k, k_stride = rhs == Rhs::kColumns ? c.n : 1;

  ThreadPool pool(threads);
  Scratch scratch(matmul_scratch_bytes(kernel, pool.size())), packed(kernel.packed_bytes(c.n, c.k) + 64);
  MatmulArgs args{
      .m = c.m, .n = c.n, .k = c.k, .a = a.data(), .a_stride = a_stride, .c = out.data(), .c_stride = c_stride};
  if (rhs == Rhs::kPacked) {
    pack_weight(
        pool, kernel,
        {.n = c.n, .k = c.k, .data = w.data(), .n_stride = n_stride, .k_stride = k_stride, .packed = packed.get()});
    args.packed = packed.get();
  } else {
    args.w = w.data(), args.w_n_stride = n_stride, args.w_k_stride = k_stride;
  }
  args.epilogue.alpha = c.alpha, args.epilogue.activation = c.activation,
  args.epilogue.residual_first = c.residual_first;
  if (c.bias) args.epilogue.bias = bias.data();
  if (c.residual)
    args.epilogue.residual = c.residual_in_place ? out.data() : residual.data(),
    args.epilogue.residual_stride = c_stride;
  matmul(pool, kernel, args, scratch.get());

  const std::string where = "M=" + std::to_string(c.m) + " N=" + std::to_string(c.n) + " K=" + std::to_string(c.k);
  for (int64_t i = 0; i < c.m; ++i) {
    for (int64_t j = 0; j < c_stride; ++j) {
      const size_t at = static_cast<size_t>(i * c_stride + j);
      if (j >= c.n) {
        EXPECT_EQ(out[at], c.residual_in_place ? residual[at] : 77.0f) << where << ": wrote outside C";
        continue;
      }
      double sum = 0;
      for (int64_t k = 0; k < c.k; ++k) {
        sum += double{a[static_cast<size_t>(i * a_stride + k)]} * w[static_cast<size_t>(j * n_stride + k * k_stride)];
      }
      sum = sum * c.alpha + (c.bias ? bias[static_cast<size_t>(j)] : 0.0f);
      const double r = c.residual ? residual[at] : 0.0f;
      const double want = c.residual_first ? activate(c.activation, sum + r) : activate(c.activation, sum) + r;
      expect_close(want, out[at], 4e-6 * (2 + std::sqrt(static_cast<double>(c.k))), where);
      if (testing::Test::HasFailure()) return out;
    }
  }
  return out;
}

using Matmul = KernelTest;

TEST_P(Matmul, EveryShapeAndTail) {
  const int nr = kernels().matmul_f32.nr;
  for (int64_t m : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 14, 15, 16, 29, 113, 131}) {
    for (int64_t n : {1, nr - 1, nr, nr + 1, 4 * nr + 3}) {
      for (int64_t k : {1, 2, 5, 64, 67}) run_case(kernels(), {.m = m, .n = n, .k = k}, Rhs::kPacked, 1);
    }
  }
}

TEST_P(Matmul, ManyDepthAndColumnBlocks) {
  const int nr = kernels().matmul_f32.nr;
  for (int64_t m : {1, 3, 17, 120}) {
    for (Rhs rhs : {Rhs::kPacked, Rhs::kRows, Rhs::kColumns}) {
      run_case(kernels(), {.m = m, .n = 17 * nr + 5, .k = 768}, rhs, 2);
      run_case(kernels(), {.m = m, .n = 9 * nr + 5, .k = 1601}, rhs, 2);
    }
  }
}

TEST_P(Matmul, Epilogues) {
  for (Unary activation : {Unary::kIdentity, Unary::kRelu, Unary::kGeluErf, Unary::kSilu}) {
    for (bool residual_first : {false, true}) {
      for (bool in_place : {false, true}) {
        for (int64_t k : {0, 37, 900}) {
          Case c{.m = 19, .n = 75, .k = k, .bias = true, .residual = true, .activation = activation, .alpha = 0.37f};
          c.residual_first = residual_first, c.residual_in_place = in_place;
          run_case(kernels(), c, Rhs::kPacked, 2);
          run_case(kernels(), c, Rhs::kRows, 2);
        }
      }
    }
  }
}

TEST_P(Matmul, EmptyExtents) {
  for (const Case& c : {Case{0, 5, 5}, Case{5, 0, 5}, Case{5, 5, 0}, Case{0, 0, 0}}) {
    for (Rhs rhs : {Rhs::kPacked, Rhs::kRows}) run_case(kernels(), c, rhs, 2);
  }
}

TEST_P(Matmul, SameBitsForAnyThreadsAndRows) {
  const Case c{.m = 130, .n = 300, .k = 1000, .bias = true, .activation = Unary::kGeluErf};
  const std::vector<float> one = run_case(kernels(), c, Rhs::kPacked, 1);
  EXPECT_EQ(one, run_case(kernels(), c, Rhs::kPacked, 2));
  EXPECT_EQ(one, run_case(kernels(), c, Rhs::kPacked, 5));
  const std::vector<float> unpacked = run_case(kernels(), c, Rhs::kRows, 1);
  EXPECT_EQ(unpacked, run_case(kernels(), c, Rhs::kRows, 3));
  // Tiles multiply packed weights only.
  if (GetParam() != Isa::kAmx) EXPECT_EQ(one, unpacked);
  Case single = c;
  single.m = 1;
  const std::vector<float> row = run_case(kernels(), single, Rhs::kPacked, 1);
  EXPECT_TRUE(std::equal(row.begin(), row.begin() + 300, one.begin()));
}

/// a [M,K] times a packed weight w [N,K].
std::vector<float> packed_product(const KernelTable& kernels, const std::vector<float>& a, const std::vector<float>& w,
                                  int64_t k) {
  const MatmulKernel& kernel = kernels.matmul_f32;
  const int64_t m = static_cast<int64_t>(a.size()) / k, n = static_cast<int64_t>(w.size()) / k;
  ThreadPool pool(1);
  Scratch scratch(matmul_scratch_bytes(kernel, 1)), packed(kernel.packed_bytes(n, k) + 64);
  std::vector<float> out(static_cast<size_t>(m * n));
  pack_weight(pool, kernel, {.n = n, .k = k, .data = w.data(), .n_stride = k, .k_stride = 1, .packed = packed.get()});
  MatmulArgs args{.m = m, .n = n, .k = k, .a = a.data(), .a_stride = k, .c = out.data(), .c_stride = n};
  args.packed = packed.get();
  matmul(pool, kernel, args, scratch.get());
  return out;
}

/// The root mean square distance to sums in double, over the size of the results.
double packed_error(const KernelTable& kernels, const std::vector<float>& a, const std::vector<float>& w, int64_t k) {
  const std::vector<float> out = packed_product(kernels, a, w, k);
  const int64_t m = static_cast<int64_t>(a.size()) / k, n = static_cast<int64_t>(w.size()) / k;
  double error = 0, size = 0;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t d = 0; d < k; ++d) {
        sum += double{a[static_cast<size_t>(i * k + d)]} * w[static_cast<size_t>(j * k + d)];
      }
      const double difference = out[static_cast<size_t>(i * n + j)] - sum;
      error += difference * difference, size += sum * sum;
    }
  }
  return std::sqrt(error / size);
}

/// Makes numbers of a kind out of normally distributed ones.
float number_of_kind(int kind, float x, size_t index) {
  switch (kind) {
    case 1: return std::abs(x);
    case 2: return std::exp(4 * x) * (x < 0 ? -1.0f : 1.0f);  // of very different sizes
    case 3: return index % 97 == 5 ? 3000 * x : x;            // a few far larger than the rest
    case 4: return x < 0 ? 0.0f : x * x * x;                  // as behind an activation
    case 5: return 1e-30f * x;
    case 6: return 1e15f * x;
    default: return x;
  }
}

/// The error of tiles over that of multiply-adds.
double tiles_to_multiply_adds(const std::vector<float>& a, const std::vector<float>& w, int64_t k) {
  return packed_error(kernel_table(Isa::kAmx), a, w, k) / packed_error(kernel_table(Isa::kAvx512), a, w, k);
}

/// Products on tiles are sums of products of digits, and have to be as exact as f32 multiply-adds nevertheless.
TEST(AmxMatmul, IsAsExactAsMultiplyAdds) {
  if (!has_kernels(Isa::kAmx)) GTEST_SKIP() << "no amx";
  for (const int64_t k : {32, 100, 384, 768, 3072}) {
    for (int kind = 0; kind <= 6; ++kind) {
      std::vector<float> a = random_floats(33 * k, 1), w = random_floats(64 * k, 2);
      for (size_t i = 0; i < a.size(); ++i) a[i] = number_of_kind(kind, a[i], i);
      for (size_t i = 0; i < w.size(); ++i) w[i] = number_of_kind(kind == 5 ? 0 : kind, w[i], i);
      const double ratio = tiles_to_multiply_adds(a, w, k);
      RecordProperty("k" + std::to_string(k) + "_kind" + std::to_string(kind), std::to_string(ratio));
      EXPECT_LE(ratio, 1.05) << "K=" << k << " numbers of kind " << kind;
    }
  }
}

/// Numbers of which some in each block of 384 are larger than the rest, so that (largest / root mean square)^2 is
/// `part` of the bound up to which three digits are used.
std::vector<float> peaked_numbers(int64_t lines, int64_t k, double part, uint32_t seed) {
  const double block = static_cast<double>(std::min<int64_t>(k, 384)),
               square = part * std::min(0.121 * static_cast<double>(k), 96.0);
  const double count = std::max(1.0, std::floor(0.9 * block / square));
  const double large = std::sqrt(square * (block - count) / (block - count * square));
  const int64_t apart = static_cast<int64_t>(block / count);
  std::vector<float> numbers = random_floats(lines * k, seed);
  for (int64_t i = 0; i < lines * k; ++i) {
    float& x = numbers[static_cast<size_t>(i)];
    const int64_t place = (i % k % 384 + i / k * 7 + seed) % static_cast<int64_t>(block);
    if (place % apart == 0 && place / apart < static_cast<int64_t>(count))
      x = std::copysign(static_cast<float>(large), x);
  }
  return numbers;
}

/// At the bound three digits lose the most; beyond it numbers of w take four, and those of A are taken out.
TEST(AmxMatmul, IsAsExactWhereThreeDigitsAreOnlyJustEnough) {
  if (!has_kernels(Isa::kAmx)) GTEST_SKIP() << "no amx";
  for (const int64_t k : {384, 768, 1536, 3072}) {
    for (const double part : {0.5, 0.97, 1.03}) {
      for (const bool in_weight : {false, true}) {
        std::vector<float> a = peaked_numbers(40, k, part, 1), w = random_floats(64 * k, 2);
        if (in_weight) w = peaked_numbers(64, k, part, 2);
        const double ratio = tiles_to_multiply_adds(a, w, k);
        RecordProperty("k" + std::to_string(k) + "_at" + std::to_string(part) + (in_weight ? "_both" : "_a"),
                       std::to_string(ratio));
        EXPECT_LE(ratio, 1.1) << "K=" << k << " at " << part << " of the bound" << (in_weight ? ", w too" : "");
      }
    }
  }
}

/// Rows of every kind in one tile: what a row gets does not depend on who shares its tile, nor on how many.
TEST(AmxMatmul, RowsOfAllKindsGetTheBitsTheyGetAlone) {
  if (!has_kernels(Isa::kAmx)) GTEST_SKIP() << "no amx";
  constexpr int64_t kDepth = 800, kRows = 150, kColumns = 80;
  std::vector<float> a = random_floats(kRows * kDepth, 1), w = random_floats(kColumns * kDepth, 2);
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t k = 0; k < kDepth; ++k) {
      float& x = a[static_cast<size_t>(row * kDepth + k)];
      if (row % 7 == 1) x = number_of_kind(4, x, static_cast<size_t>(k));  // needs four digits
      if (row % 7 == 2) x = number_of_kind(2, x, static_cast<size_t>(k));  // is multiplied by multiply-adds
      if (row % 7 == 3 && k % 200 == 9) x *= 500;                          // has outliers
      if (row % 7 == 4 && k == 5) x = std::numeric_limits<float>::infinity();
      if (row % 7 == 5) x = k % 3 == 0 ? x : 0.0f;
    }
  }
  for (int64_t k = 0; k < kDepth; ++k) {
    float& x = w[static_cast<size_t>(20 * kDepth + k)];
    x = x * x * x * x * x;                                             // half a panel that is not tame
    if (k % 2 == 0) w[static_cast<size_t>(70 * kDepth + k)] *= 1e-9f;  // a panel that does not become digits
  }
  w[static_cast<size_t>(70 * kDepth + 3)] = 1e20f;
  const std::vector<float> together = packed_product(kernel_table(Isa::kAmx), a, w, kDepth);
  for (int64_t row = 0; row < kRows; ++row) {
    const std::vector<float> one(a.begin() + row * kDepth, a.begin() + (row + 1) * kDepth);
    const std::vector<float> alone = packed_product(kernel_table(Isa::kAmx), one, w, kDepth);
    EXPECT_EQ(std::memcmp(alone.data(), &together[static_cast<size_t>(row * kColumns)], sizeof(float) * kColumns), 0)
        << "row " << row;
  }
}

/// A number far above all others must not drown them where it does not count: its weights are zero.
TEST(AmxMatmul, KeepsSmallNumbersBesideHugeOnes) {
  if (!has_kernels(Isa::kAmx)) GTEST_SKIP() << "no amx";
  constexpr int64_t kDepth = 800;
  for (const float huge : {1e2f, 1e3f, 2.5e3f, 1e4f, 1e6f, 1e12f, 1e30f}) {
    std::vector<float> a = random_floats(20 * kDepth, 1), w = random_floats(40 * kDepth, 2);
    for (int64_t row = 0; row < 20; ++row) a[static_cast<size_t>(row * kDepth + 11 * row)] = huge;
    for (int64_t row = 0; row < 20; ++row) {
      for (int64_t column = 0; column < 40; ++column) w[static_cast<size_t>(column * kDepth + 11 * row)] = 0;
    }
    const double error = packed_error(kernel_table(Isa::kAmx), a, w, kDepth);
    RecordProperty("beside_" + std::to_string(huge), std::to_string(1e6 * error) + "e-6");
    EXPECT_LT(error, 1e-5) << "beside " << huge;
    EXPECT_LT(packed_error(kernel_table(Isa::kAmx), w, a, kDepth), 1e-5) << "weights beside " << huge;
  }
}

/// Nor must a few numbers too many to be taken out, where three digits are used.
TEST(AmxMatmul, KeepsNumbersBesideSeveralLargeOnes) {
  if (!has_kernels(Isa::kAmx)) GTEST_SKIP() << "no amx";
  constexpr int64_t kDepth = 384;
  for (const float large : {10.0f, 50.0f, 100.0f, 150.0f, 300.0f, 1e4f}) {
    std::vector<float> a = random_floats(20 * kDepth, 1), w = random_floats(40 * kDepth, 2);
    for (int64_t line = 0; line < 40; ++line) {
      for (int64_t i = 0; i < 12; ++i) {
        if (line < 20) a[static_cast<size_t>(line * kDepth + 32 * i)] = large;
        w[static_cast<size_t>(line * kDepth + 32 * i)] = 0;
      }
    }
    const double error = packed_error(kernel_table(Isa::kAmx), a, w, kDepth);
    RecordProperty("beside_" + std::to_string(large), std::to_string(1e6 * error) + "e-6");
    EXPECT_LT(error, 1e-5) << "beside " << large;
  }
}

/// Infinities and NaN reach the results that multiply-adds let them reach, and no other row.
TEST(AmxMatmul, NotFiniteNumbersStayInTheirRows) {
  if (!has_kernels(Isa::kAmx)) GTEST_SKIP() << "no amx";
  constexpr int64_t kDepth = 400;
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {infinity, -infinity, nan, std::numeric_limits<float>::max()}) {
    for (const bool in_weight : {false, true}) {
      std::vector<float> a = random_floats(20 * kDepth, 1), w = random_floats(70 * kDepth, 2);
      (in_weight ? w : a)[3 * kDepth + 390] = bad;
      const std::vector<float> tiles = packed_product(kernel_table(Isa::kAmx), a, w, kDepth);
      const std::vector<float> multiply_adds = packed_product(kernel_table(Isa::kAvx512), a, w, kDepth);
      for (size_t i = 0; i < tiles.size(); ++i) {
        EXPECT_EQ(std::isnan(tiles[i]), std::isnan(multiply_adds[i])) << i;
        EXPECT_EQ(std::isinf(tiles[i]), std::isinf(multiply_adds[i])) << i;
        if (std::isfinite(multiply_adds[i])) {
          EXPECT_NEAR(tiles[i], multiply_adds[i], 1e-4 * (1 + std::abs(multiply_adds[i]))) << i;
        }
      }
    }
  }
}

TEST(AmxMatmul, DepthBeyondTheSlab) {
  if (!has_kernels(Isa::kAmx)) GTEST_SKIP() << "no amx";
  constexpr int64_t kDepth = 33000;
  const std::vector<float> a = random_floats(3 * kDepth, 1), w = random_floats(5 * kDepth, 2);
  EXPECT_LT(packed_error(kernel_table(Isa::kAmx), a, w, kDepth), 1e-5);
}

/// Products of one A in one loop give the bits that each alone gives, whatever their widths.
TEST_P(Matmul, JoinedProductsEqualSingleOnes) {
  const MatmulKernel& kernel = kernels().matmul_f32;
  constexpr int64_t kDepth = 70;
  for (const int64_t m : {1, 16, 300}) {
    const std::vector<float> a = random_floats(m * kDepth, 1);
    ThreadPool pool(3);
    Scratch scratch(matmul_scratch_bytes(kernel, pool.size()));
    std::vector<MatmulArgs> products;
    std::vector<std::unique_ptr<Scratch>> packed;
    std::vector<std::vector<float>> outs;
    for (const int64_t n : {kernel.nr + 1, 3, 6 * kernel.nr}) {
      const std::vector<float> w = random_floats(n * kDepth, static_cast<uint32_t>(n));
      packed.push_back(std::make_unique<Scratch>(kernel.packed_bytes(n, kDepth)));
      pack_weight(
          pool, kernel,
          {.n = n, .k = kDepth, .data = w.data(), .n_stride = kDepth, .k_stride = 1, .packed = packed.back()->get()});
      outs.emplace_back(static_cast<size_t>(m * n), -1.0f);
      products.push_back({.m = m, .n = n, .k = kDepth, .a = a.data(), .a_stride = kDepth, .c_stride = n});
      products.back().packed = packed.back()->get(), products.back().c = outs.back().data();
    }
    matmul(pool, kernel, products, scratch.get());
    for (size_t i = 0; i < products.size(); ++i) {
      std::vector<float> alone(outs[i].size());
      products[i].c = alone.data();
      matmul(pool, kernel, products[i], scratch.get());
      EXPECT_EQ(alone, outs[i]) << "M=" << m << " product " << i;
    }
  }
}

TEST_P(Matmul, BatchOfStridedMatrices) {
  // q [B, S, H, D] times k [B, S, H, D], head by head: scores [B, H, S, S].
  constexpr int64_t kBatch = 3, kHeads = 4, kTokens = 37, kDim = 20;
  const std::vector<float> q = random_floats(kBatch * kTokens * kHeads * kDim, 1),
                           k = random_floats(kBatch * kTokens * kHeads * kDim, 2);
  std::vector<float> out(kBatch * kHeads * kTokens * kTokens);
  const MatmulKernel& kernel = kernels().matmul_f32;
  ThreadPool pool(2);
  Scratch scratch(matmul_scratch_bytes(kernel, pool.size()));
  constexpr int64_t kToken = kHeads * kDim;
  MatmulArgs args{.m = kTokens,
                  .n = kTokens,
                  .k = kDim,
                  .a = q.data(),
                  .a_stride = kToken,
                  .w = k.data(),
                  .w_n_stride = kToken,
                  .w_k_stride = 1,
                  .c = out.data(),
                  .c_stride = kTokens};
  args.epilogue.alpha = 0.5f;
  MatmulBatch batch{.outer = kBatch, .inner = kHeads, .a_outer = kTokens * kToken, .a_inner = kDim};
  batch.w_outer = batch.a_outer, batch.w_inner = kDim, batch.c_outer = kHeads * kTokens * kTokens,
  batch.c_inner = kTokens * kTokens;
  batched_matmul(pool, kernel, args, batch, scratch.get());
  for (int64_t b = 0; b < kBatch; ++b) {
    for (int64_t h = 0; h < kHeads; ++h) {
      for (int64_t i = 0; i < kTokens; ++i) {
        for (int64_t j = 0; j < kTokens; ++j) {
          double sum = 0;
          for (int64_t d = 0; d < kDim; ++d) {
            sum += double{q[static_cast<size_t>(((b * kTokens + i) * kHeads + h) * kDim + d)]} *
                   k[static_cast<size_t>(((b * kTokens + j) * kHeads + h) * kDim + d)];
          }
          expect_close(0.5 * sum, out[static_cast<size_t>(((b * kHeads + h) * kTokens + i) * kTokens + j)], 1e-5,
                       "scores");
        }
      }
    }
  }
}

TEST_P(Matmul, PacksHalfPrecisionWeights) {
  constexpr int64_t kN = 45, kK = 70;
  const std::vector<float> w = random_floats(kN * kK, 9);
  for (Source type : {Source::kF16, Source::kBf16}) {
    std::vector<uint16_t> half(w.size());
    std::vector<float> wide(w.size());
    kernels().narrow(type, w.data(), half.data(), kN * kK);
    kernels().widen(type, half.data(), wide.data(), kN * kK);
    const MatmulKernel& kernel = kernels().matmul_f32;
    ThreadPool pool(1);
    Scratch a(kernel.packed_bytes(kN, kK)), b(kernel.packed_bytes(kN, kK));
    pack_weight(
        pool, kernel,
        {.n = kN, .k = kK, .data = half.data(), .type = type, .n_stride = kK, .k_stride = 1, .packed = a.get()});
    pack_weight(pool, kernel,
                {.n = kN, .k = kK, .data = wide.data(), .n_stride = kK, .k_stride = 1, .packed = b.get()});
    EXPECT_EQ(std::memcmp(a.get(), b.get(), kernel.packed_bytes(kN, kK)), 0);
  }
}

GAMUT_INSTANTIATE_KERNEL_TEST(Matmul);

TEST(KernelTable, ForcedOrRefused) {
  EXPECT_TRUE(has_kernels(Isa::kBaseline));
  EXPECT_EQ(kernel_table(best_isa()).isa, best_isa());
  for (Isa isa : {Isa::kAvx2, Isa::kAvx512, Isa::kAmx}) {
    if (has_kernels(isa)) continue;
    EXPECT_THROW(kernel_table(isa), Error);
  }
}

}  // namespace
}  // namespace gamut::cpu
