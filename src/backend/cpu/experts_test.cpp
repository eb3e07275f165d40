#include "backend/cpu/experts.h"

#include "backend/cpu/kernel_testing.h"
#include "backend/graph_testing.h"
#include "checkpoint/seeded_weights.h"
#include "ops/experts.h"

namespace gamut::cpu {
namespace {

/// A mixture with unpacked weights.
struct Mixture {
  int64_t experts, width, inner;
  std::vector<float> gate, up, down;

  Mixture(int64_t e, int64_t d, int64_t i) : experts(e), width(d), inner(i) {
    gate = random_floats(experts * inner * width, 1, 0.3f), up = random_floats(experts * inner * width, 2, 0.3f);
    down = random_floats(experts * width * inner, 3, 0.3f);
  }
  ExpertProducts products(int64_t e) const {
    auto product = [](const float* w, int64_t n, int64_t k) {
      return MatmulArgs{.n = n, .k = k, .w = w, .w_n_stride = k, .w_k_stride = 1};
    };
    const int64_t at = e * inner * width;
    return {product(gate.data() + at, inner, width), product(up.data() + at, inner, width),
            product(down.data() + at, width, inner)};
  }
  /// One token, with sums in double.
  std::vector<double> naive(const float* x, const float* shares) const {
    std::vector<double> y(static_cast<size_t>(width));
    for (int64_t e = 0; e < experts; ++e) {
      if (shares[e] == 0) continue;
      for (int64_t i = 0; i < inner; ++i) {
        double g = 0, u = 0;
        for (int64_t d = 0; d < width; ++d) {
          g += double{x[d]} * gate[static_cast<size_t>((e * inner + i) * width + d)];
          u += double{x[d]} * up[static_cast<size_t>((e * inner + i) * width + d)];
        }
        const double h = shares[e] * g / (1 + std::exp(-g)) * u;
        for (int64_t d = 0; d < width; ++d) {
          y[static_cast<size_t>(d)] += h * down[static_cast<size_t>((e * width + d) * inner + i)];
        }
      }
    }
    return y;
  }
};

/// Two experts for each token but the fourth, which has none; expert 1 is never asked.
std::vector<float> some_shares(int64_t tokens, int64_t experts) {
  std::vector<float> shares(static_cast<size_t>(tokens * experts), 0.0f);
  for (int64_t t = 0; t < tokens; ++t) {
    if (t == 3) continue;
    for (int64_t n = 0; n < 2; ++n) {
      const int64_t e = (t * 7 + n * (1 + t % 3)) % experts;
      shares[static_cast<size_t>(t * experts + (e == 1 ? 0 : e))] += 0.25f + static_cast<float>(n) * 0.5f;
    }
  }
  return shares;
}

std::vector<float> run(const KernelTable& kernels, const Mixture& m, const std::vector<float>& x,
                       const std::vector<float>& shares, ExpertsBuffers* buffers, int threads = 2) {
  ExpertsArgs args{.experts = m.experts, .width = m.width, .inner = m.inner, .x = x.data(), .shares = shares.data()};
  args.tokens = static_cast<int64_t>(x.size()) / m.width;
  std::vector<float> y(x.size(), 77.0f);
  args.y = y.data();
  ThreadPool pool(threads);
  Scratch scratch(matmul_scratch_bytes(kernels.matmul_f32, pool.size()));
  args.scratch = scratch.get();
  args.kernel = &kernels.matmul_f32;
  experts(
      pool, kernels, args, [&](int64_t e) { return m.products(e); }, buffers);
  return y;
}

/// Line `t` of [.., columns].
std::vector<float> line(const std::vector<float>& x, int64_t t, int64_t columns) {
  return {x.begin() + t * columns, x.begin() + (t + 1) * columns};
}

class ExpertsTest : public KernelTest {};
GAMUT_INSTANTIATE_KERNEL_TEST(ExpertsTest);

TEST_P(ExpertsTest, EqualsPlainLoops) {
  ExpertsBuffers buffers;  // reused, as in a graph
  for (const Mixture& m : {Mixture(5, 24, 40), Mixture(3, 7, 5), Mixture(12, 64, 33)}) {
    const std::vector<float> x = random_floats(29 * m.width, 9), shares = some_shares(29, m.experts);
    const std::vector<float> y = run(kernels(), m, x, shares, &buffers);
    for (int64_t t = 0; t < 29; ++t) {
      const std::vector<double> want = m.naive(x.data() + t * m.width, shares.data() + t * m.experts);
      for (int64_t d = 0; d < m.width; ++d) {
        expect_close(want[static_cast<size_t>(d)], y[static_cast<size_t>(t * m.width + d)], 2e-5, std::to_string(t));
      }
    }
  }
}

TEST_P(ExpertsTest, ATokenAloneGivesTheSameBitsForAnyNumberOfThreads) {
  // Wide enough for several groups of experts.
  const Mixture m(4, 6, 7000);
  const std::vector<float> x = random_floats(900 * m.width, 4), shares = some_shares(900, m.experts);
  ExpertsBuffers buffers;
  const std::vector<float> together = run(kernels(), m, x, shares, &buffers);
  EXPECT_EQ(together, run(kernels(), m, x, shares, &buffers, 1));
  for (int64_t t : {0, 3, 4, 450, 899}) {
    EXPECT_EQ(line(together, t, m.width), run(kernels(), m, line(x, t, m.width), line(shares, t, m.experts), &buffers))
        << t;
  }
}

TEST_P(ExpertsTest, AnExpertWithoutAShareIsNotAsked) {
  const Mixture m(6, 8, 9);
  const std::vector<float> x = random_floats(8, 4), shares{0, 0, 0.5f, 0, 0, 0.25f};
  std::vector<int64_t> asked;
  ExpertsBuffers buffers;
  std::vector<float> y(8);
  ExpertsArgs args{.tokens = 1, .experts = 6, .width = 8, .inner = 9, .x = x.data(), .shares = shares.data()};
  args.y = y.data();
  ThreadPool pool(1);
  Scratch scratch(matmul_scratch_bytes(kernels().matmul_f32, 1));
  args.scratch = scratch.get();
  args.kernel = &kernels().matmul_f32;
  experts(
      pool, kernels(), args, [&](int64_t e) { return asked.push_back(e), m.products(e); }, &buffers);
  EXPECT_EQ(asked, (std::vector<int64_t>{2, 5}));
}

Tensor narrowed(const Tensor& x, DType dtype) {
  if (dtype == DType::kF32) return x;
  Tensor y = Tensor::allocate(dtype, x.dims());
  const Source source = dtype == DType::kF16 ? Source::kF16 : Source::kBf16;
  kernel_table(best_isa()).narrow(source, x.f32().data(), y.mutable_data(), x.count());
  return y;
}

/// Weights of three experts as the two generations of checkpoints hold them.
struct Generations {
  static constexpr int64_t kExperts = 3, kWidth = 20, kInner = 13;
  test::Sample old, stacked;
  op::ExpertWeights old_weights, stacked_weights;

  explicit Generations(DType dtype) {
    Tensor gate_up = Tensor::allocate(DType::kF32, {kExperts, 2 * kInner, kWidth});
    Tensor down = Tensor::allocate(DType::kF32, {kExperts, kWidth, kInner});
    for (int64_t e = 0; e < kExperts; ++e) {
      const std::string name = std::to_string(e);
      const Tensor gate = seeded_tensor(name + "gate", {kInner, kWidth}, 1, 0.4, 0);
      const Tensor up = seeded_tensor(name + "up", {kInner, kWidth}, 1, 0.4, 0);
      const Tensor out = seeded_tensor(name + "down", {kWidth, kInner}, 1, 0.4, 0);
      float* at = gate_up.mutable_f32().data() + e * 2 * kInner * kWidth;
      std::ranges::copy(up.f32(), std::ranges::copy(gate.f32(), at).out);
      std::ranges::copy(out.f32(), down.mutable_f32().data() + e * kInner * kWidth);
      old_weights.gates.push_back(old.weight(name + "gate", narrowed(gate, dtype)));
      old_weights.ups.push_back(old.weight(name + "up", narrowed(up, dtype)));
      old_weights.downs.push_back(old.weight(name + "down", narrowed(out, dtype)));
    }
    stacked_weights.gate_up = stacked.weight("gate_up", narrowed(gate_up, dtype));
    stacked_weights.down = stacked.weight("down", narrowed(down, dtype));
  }
  static Tensor run(test::Sample& sample, const op::ExpertWeights& weights) {
    const std::vector<float> numbers = random_floats(6 * kWidth, 8);
    const Value x = sample.in(test::f32({1, 6, kWidth}, numbers));
    const Value shares = sample.in(test::f32({1, 6, kExperts}, some_shares(6, kExperts)));
    return sample.run("cpu", op::experts(x, shares, weights));
  }
};

TEST(ExpertsForms, BothGenerationsOfCheckpointsGiveTheSameBits) {
  for (DType dtype : {DType::kF32, DType::kBf16, DType::kF16}) {
    Generations g(dtype);
    const Tensor a = Generations::run(g.old, g.old_weights), b = Generations::run(g.stacked, g.stacked_weights);
    EXPECT_EQ(std::vector<float>(a.f32().begin(), a.f32().end()), std::vector<float>(b.f32().begin(), b.f32().end()));
  }
}

}  // namespace
}  // namespace gamut::cpu
