#include "backend/cpu/attention.h"

#include "backend/cpu/kernel_testing.h"

namespace gamut::cpu {
namespace {

struct Case {
  std::vector<int64_t> q_lengths, kv_lengths;
  int64_t heads = 2, kv_heads = 2, head_dim = 16, value_dim = 16;
  int64_t left = -1, right = -1;
  float softcap = 0.0f;
  bool bias = false, sinks = false;
  bool bf16 = false;
};

std::vector<int64_t> offsets_of(const std::vector<int64_t>& lengths) {
  std::vector<int64_t> offsets{3};  // rows need not start at token 0
  for (int64_t length : lengths) offsets.push_back(offsets.back() + length);
  return offsets;
}

struct Data {
  std::vector<float> q, k, v, bias, sinks;
  std::vector<int64_t> q_offsets, kv_offsets;
  AttentionArgs args;
};

Data make(const Case& c) {
  Data d;
  d.q_offsets = offsets_of(c.q_lengths), d.kv_offsets = offsets_of(c.kv_lengths);
  const int64_t tq = d.q_offsets.back(), tk = d.kv_offsets.back();
  const int64_t bias_keys = *std::max_element(c.kv_lengths.begin(), c.kv_lengths.end());
  const int64_t bias_queries = *std::max_element(c.q_lengths.begin(), c.q_lengths.end());
  d.q = random_floats(tq * c.heads * c.head_dim, 1), d.k = random_floats(tk * c.kv_heads * c.head_dim, 2);
  d.v = random_floats(tk * c.kv_heads * c.value_dim, 3);
  d.bias = random_floats(c.heads * bias_queries * bias_keys, 4), d.sinks = random_floats(c.heads, 5);
  AttentionArgs& a = d.args;
  a.q = d.q.data(), a.k = d.k.data(), a.v = d.v.data();
  a.q_token_stride = c.heads * c.head_dim, a.k_token_stride = c.kv_heads * c.head_dim,
  a.v_token_stride = c.kv_heads * c.value_dim;
  a.q_head_stride = a.k_head_stride = c.head_dim, a.v_head_stride = a.out_head_stride = c.value_dim;
  a.out_token_stride = c.heads * c.value_dim;
  a.heads = c.heads, a.kv_heads = c.kv_heads, a.head_dim = c.head_dim, a.value_dim = c.value_dim;
  a.bf16 = c.bf16, a.scale = 0.3f, a.softcap = c.softcap, a.window_left = c.left, a.window_right = c.right;
  a.rows = static_cast<int64_t>(c.q_lengths.size()), a.q_offsets = d.q_offsets.data(),
  a.kv_offsets = d.kv_offsets.data();
  if (c.bias) a.bias = d.bias.data(), a.bias_head_stride = bias_queries * bias_keys, a.bias_q_stride = bias_keys;
  if (c.sinks) a.sinks = d.sinks.data();
  return d;
}

/// One output vector, with sums in double.
std::vector<double> naive(const AttentionArgs& a, int64_t row, int64_t i, int64_t h) {
  const int64_t q0 = a.q_offsets[row], k0 = a.kv_offsets[row], lq = a.q_offsets[row + 1] - q0,
                lk = a.kv_offsets[row + 1] - k0;
  const int64_t kv = h / (a.heads / a.kv_heads), p = i + lk - lq;
  std::vector<double> scores, out(static_cast<size_t>(a.value_dim));
  std::vector<int64_t> keys;
  for (int64_t j = 0; j < lk; ++j) {
    if ((a.window_left >= 0 && j < p - a.window_left) || (a.window_right >= 0 && j > p + a.window_right)) continue;
    double s = 0;
    for (int64_t d = 0; d < a.head_dim; ++d) {
      s += double{a.q[(q0 + i) * a.q_token_stride + h * a.q_head_stride + d]} *
           a.k[(k0 + j) * a.k_token_stride + kv * a.k_head_stride + d];
    }
    s *= a.scale;
    if (a.softcap > 0) s = a.softcap * std::tanh(s / a.softcap);
    if (a.bias != nullptr) s += a.bias[row * a.bias_row_stride + h * a.bias_head_stride + i * a.bias_q_stride + j];
    scores.push_back(s), keys.push_back(j);
  }
  double top = a.sinks != nullptr ? a.sinks[h] : -1e300;
  for (double s : scores) top = std::max(top, s);
  double sum = a.sinks != nullptr ? std::exp(a.sinks[h] - top) : 0.0;
  for (double s : scores) sum += std::exp(s - top);
  for (size_t n = 0; n < keys.size(); ++n) {
    const double weight = std::exp(scores[n] - top) / sum;
    for (int64_t d = 0; d < a.value_dim; ++d)
      out[static_cast<size_t>(d)] += weight * a.v[(k0 + keys[n]) * a.v_token_stride + kv * a.v_head_stride + d];
  }
  return out;
}

std::vector<float> run_case(const KernelTable& kernels, const Case& c, int threads = 2) {
  Data data = make(c);
  AttentionArgs& a = data.args;
  std::vector<float> out(static_cast<size_t>(data.q_offsets.back() * a.out_token_stride), 77.0f);
  a.out = out.data();
  ThreadPool pool(threads);
  Scratch scratch(attention_scratch_bytes(kernels, c.head_dim, c.value_dim, pool.size()));
  attention(pool, kernels, a, scratch.get());
  for (int64_t i = 0; i < 3 * a.out_token_stride; ++i)
    EXPECT_EQ(out[static_cast<size_t>(i)], 77.0f) << "wrote before the first row";
  for (int64_t r = 0; r < a.rows; ++r) {
    for (int64_t i = 0; i < a.q_offsets[r + 1] - a.q_offsets[r]; ++i) {
      for (int64_t h = 0; h < a.heads; ++h) {
        const std::vector<double> want = naive(a, r, i, h);
        for (int64_t d = 0; d < a.value_dim; ++d) {
          const float got =
              out[static_cast<size_t>((a.q_offsets[r] + i) * a.out_token_stride + h * a.out_head_stride + d)];
          expect_close(want[static_cast<size_t>(d)], got, c.bf16 ? 0.05 : 1e-5,
                       "row " + std::to_string(r) + " query " + std::to_string(i));
          if (testing::Test::HasFailure()) return out;
        }
      }
    }
  }
  return out;
}

using Attention = KernelTest;

TEST_P(Attention, RaggedRowsOfEveryLength) {
  const std::vector<int64_t> lengths{1, 0, 2, 5, 7, 8, 15, 16, 17, 31, 33, 47, 63, 64, 65, 100, 129, 200, 3};
  run_case(kernels(), {.q_lengths = lengths, .kv_lengths = lengths});
  run_case(kernels(), {.q_lengths = lengths, .kv_lengths = lengths, .left = -1, .right = 0});
}

TEST_P(Attention, HeadSizesAndGroups) {
  for (int64_t dim : {1, 3, 7, 24, 64, 80, 129}) {
    run_case(
        kernels(),
        {.q_lengths = {70, 9}, .kv_lengths = {70, 9}, .heads = 6, .kv_heads = 2, .head_dim = dim, .value_dim = dim});
    run_case(kernels(),
             {.q_lengths = {20}, .kv_lengths = {20}, .heads = 3, .kv_heads = 1, .head_dim = dim, .value_dim = dim + 5});
  }
}

TEST_P(Attention, WindowsAndPrefixes) {
  for (int64_t left : {-1, 0, 1, 5, 64, 100}) {
    for (int64_t right : {-1, 0, 3, 70}) {
      run_case(kernels(), {.q_lengths = {150, 10}, .kv_lengths = {150, 10}, .left = left, .right = right});
      // Fewer queries than keys: a step after a cached prefix. More queries than keys: some see nothing.
      run_case(kernels(), {.q_lengths = {1, 7, 130, 20}, .kv_lengths = {90, 77, 170, 4}, .left = left, .right = right});
    }
  }
}

TEST_P(Attention, QueriesWithoutKeysGiveZeros) {
  const std::vector<float> out = run_case(kernels(), {.q_lengths = {5}, .kv_lengths = {0}});
  for (size_t i = 3 * 32; i < out.size(); ++i) EXPECT_EQ(out[i], 0.0f);
}

TEST_P(Attention, BiasSoftcapAndSinks) {
  for (bool bias : {false, true}) {
    for (float softcap : {0.0f, 2.0f}) {
      for (bool sinks : {false, true}) {
        Case c{.q_lengths = {67, 30}, .kv_lengths = {99, 30}, .heads = 4, .right = 0};
        c.bias = bias, c.softcap = softcap, c.sinks = sinks;
        run_case(kernels(), c);
      }
    }
  }
}

/// Where there are tiles for it; elsewhere as in f32.
TEST_P(Attention, Bf16RoundsLittle) {
  const std::vector<int64_t> lengths{2, 0, 5, 15, 16, 17, 31, 33, 63, 64, 65, 129, 200};
  run_case(kernels(), {.q_lengths = lengths, .kv_lengths = lengths, .right = 0, .bf16 = true});
  for (int64_t dim : {1, 7, 24, 64, 80, 129}) {
    Case c{.q_lengths = {70, 9}, .kv_lengths = {170, 9}, .heads = 6, .head_dim = dim, .value_dim = dim + 5};
    c.left = 90, c.right = 3, c.sinks = true, c.bias = true, c.bf16 = true;
    run_case(kernels(), c);
  }
}

TEST_P(Attention, SameBitsForAnyThreads) {
  const Case c{.q_lengths = {100, 41, 7}, .kv_lengths = {100, 41, 7}, .heads = 3, .kv_heads = 3, .right = 0};
  const std::vector<float> one = run_case(kernels(), c, 1);
  EXPECT_EQ(one, run_case(kernels(), c, 4));
}

GAMUT_INSTANTIATE_KERNEL_TEST(Attention);

}  // namespace
}  // namespace gamut::cpu
