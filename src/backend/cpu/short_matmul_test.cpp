// The matrix products with weights of 16 bits: against sums in double over the same rounded numbers, alone and in
// batches.
#include <cstring>

#include "backend/cpu/kernel_testing.h"
#include "backend/cpu/matmul.h"

namespace gamut::cpu {
namespace {

struct Product {
  int64_t m, n, k;
  Source type = Source::kBf16;    // of the weights, and of the product
  Source stored = Source::kBf16;  // of the weights before they are packed
  bool columns = false;           // they lie as [K,N]
};

const MatmulKernel& kernel_of(const KernelTable& kernels, Source type) {
  return type == Source::kF16 ? kernels.matmul_f16 : kernels.matmul_bf16;
}

std::vector<float> rounded(const KernelTable& kernels, const std::vector<float>& x, Source type) {
  std::vector<uint16_t> narrow(x.size());
  kernels.narrow(type, x.data(), narrow.data(), static_cast<int64_t>(x.size()));
  std::vector<float> wide(x.size());
  kernels.widen(type, narrow.data(), wide.data(), static_cast<int64_t>(x.size()));
  return wide;
}

/// What is multiplied, and the result with guard columns of 77.
struct Multiplied {
  std::vector<float> a, w, bias, c;
  int64_t c_stride;

  Multiplied(const KernelTable& kernels, const Product& p, int threads, int64_t first_row = 0)
      : a(random_floats((p.m + first_row) * p.k, 1)),
        w(random_floats(p.n * p.k, 2)),
        bias(random_floats(p.n, 3)),
        c_stride(p.n + 5) {
    a.erase(a.begin(), a.begin() + first_row * p.k);
    c.assign(static_cast<size_t>(p.m * c_stride), 77.0f);
    const MatmulKernel& kernel = kernel_of(kernels, p.type);
    std::vector<uint16_t> narrow(w.size());
    if (p.stored != Source::kF32) kernels.narrow(p.stored, w.data(), narrow.data(), static_cast<int64_t>(w.size()));
    w = rounded(kernels, w, p.type);
    ThreadPool pool(threads);
    Scratch packed(kernel.packed_bytes(p.n, p.k) + 64), scratch(matmul_scratch_bytes(kernel, pool.size()));
    PackArgs pack{.n = p.n, .k = p.k, .data = w.data(), .type = p.stored, .n_stride = p.k, .k_stride = 1};
    if (p.stored != Source::kF32) pack.data = narrow.data();
    if (p.columns) pack.n_stride = 1, pack.k_stride = p.n;
    pack.packed = packed.get();
    pack_weight(pool, kernel, pack);
    MatmulArgs args{.m = p.m, .n = p.n, .k = p.k, .a = a.data(), .a_stride = p.k, .packed = packed.get()};
    args.c = c.data(), args.c_stride = c_stride, args.epilogue.bias = bias.data();
    matmul(pool, kernel, args, scratch.get());
  }

  float at(int64_t row, int64_t column) const { return c[static_cast<size_t>(row * c_stride + column)]; }
};

void expect_right(const KernelTable& kernels, const Product& p, int threads) {
  const Multiplied run(kernels, p, threads);
  const std::vector<float> a = p.type == Source::kBf16 ? rounded(kernels, run.a, Source::kBf16) : run.a;
  const std::string where = "M=" + std::to_string(p.m) + " N=" + std::to_string(p.n) + " K=" + std::to_string(p.k);
  for (int64_t i = 0; i < p.m && !testing::Test::HasFailure(); ++i) {
    for (int64_t j = 0; j < p.n; ++j) {
      double sum = run.bias[static_cast<size_t>(j)];
      for (int64_t k = 0; k < p.k; ++k) {
        const int64_t at = p.columns ? k * p.n + j : j * p.k + k;
        sum += double{a[static_cast<size_t>(i * p.k + k)]} * run.w[static_cast<size_t>(at)];
      }
      expect_close(sum, run.at(i, j), 4e-6 * (2 + std::sqrt(static_cast<double>(p.k))), where);
    }
    for (int64_t j = p.n; j < run.c_stride; ++j) EXPECT_EQ(run.at(i, j), 77.0f) << where << ": wrote outside C";
  }
}

using ShortMatmul = KernelTest;

TEST_P(ShortMatmul, EveryShapeAndTail) {
  for (Source type : {Source::kBf16, Source::kF16}) {
    const int64_t nr = kernel_of(kernels(), type).nr;
    for (int64_t m : {0, 1, 2, 15, 16, 17, 31, 32, 33, 65, 300}) {
      for (int64_t n : {int64_t{1}, nr - 1, nr + 1, 3 * nr + 5}) {
        for (int64_t k : {0, 1, 15, 31, 32, 33, 64, 97}) {
          expect_right(kernels(), {.m = m, .n = n, .k = k, .type = type, .stored = type}, 1);
        }
      }
    }
  }
}

TEST_P(ShortMatmul, ManyDepthAndColumnBlocks) {
  for (Source type : {Source::kBf16, Source::kF16}) {
    const int64_t nr = kernel_of(kernels(), type).nr;
    for (int64_t m : {1, 40, 290}) {
      expect_right(kernels(), {.m = m, .n = 17 * nr + 5, .k = 1601, .type = type, .stored = type}, 2);
    }
  }
}

TEST_P(ShortMatmul, WeightsOfEveryKindAndPlace) {
  for (Source stored : {Source::kF32, Source::kBf16}) {
    for (bool columns : {false, true}) {
      expect_right(kernels(), {.m = 3, .n = 70, .k = 77, .stored = stored, .columns = columns}, 2);
    }
  }
}

TEST_P(ShortMatmul, ARowDependsOnNothingElse) {
  const Product many{.m = 301, .n = 133, .k = 1000};
  const Multiplied all(kernels(), many, 2);
  for (int64_t rows : {1, 7, 20, 40}) {
    for (int64_t first : {0, 100, 261}) {
      const Multiplied some(kernels(), {.m = rows, .n = many.n, .k = many.k}, 1, first);
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t j = 0; j < many.n; ++j) ASSERT_EQ(some.at(i, j), all.at(first + i, j)) << rows << " at " << first;
      }
    }
  }
}

/// A number that is none stays in its row.
TEST_P(ShortMatmul, NotFiniteNumbersStayInTheirRow) {
  const int64_t n = 40, k = 70;
  const MatmulKernel& kernel = kernels().matmul_bf16;
  std::vector<float> a(static_cast<size_t>(3 * k), 1.0f), c(static_cast<size_t>(3 * n));
  const std::vector<float> w(static_cast<size_t>(n * k), 0.5f);
  a[static_cast<size_t>(k + 3)] = NAN;
  ThreadPool pool(1);
  Scratch packed(kernel.packed_bytes(n, k)), scratch(matmul_scratch_bytes(kernel, 1));
  pack_weight(pool, kernel, {.n = n, .k = k, .data = w.data(), .n_stride = k, .k_stride = 1, .packed = packed.get()});
  MatmulArgs args{.m = 3, .n = n, .k = k, .a = a.data(), .a_stride = k, .packed = packed.get(), .c = c.data()};
  args.c_stride = n;
  matmul(pool, kernel, args, scratch.get());
  for (int64_t j = 0; j < n; ++j) {
    EXPECT_EQ(c[static_cast<size_t>(j)], 35.0f);
    EXPECT_TRUE(std::isnan(c[static_cast<size_t>(n + j)]));
    EXPECT_EQ(c[static_cast<size_t>(2 * n + j)], 35.0f);
  }
}

GAMUT_INSTANTIATE_KERNEL_TEST(ShortMatmul);

}  // namespace
}  // namespace gamut::cpu
