#include "backend/cpu/matmul.h"

#include <cstring>
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
