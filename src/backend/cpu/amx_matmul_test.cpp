// The products on AMX tiles: as exact as f32 multiply-adds, whatever the numbers.
#include <bit>
#include <limits>

#include "backend/cpu/kernel_testing.h"
#include "backend/cpu/matmul.h"

namespace gamut::cpu {
namespace {

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
    for (int64_t column = 0; column < kColumns; ++column) {
      const float got = together[static_cast<size_t>(row * kColumns + column)];
      EXPECT_EQ(std::bit_cast<uint32_t>(alone[static_cast<size_t>(column)]), std::bit_cast<uint32_t>(got))
          << "row " << row << ", column " << column;
    }
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

}  // namespace
}  // namespace gamut::cpu
