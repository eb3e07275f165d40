#include "backend/cpu/kernel_testing.h"

namespace gamut::cpu {
namespace {

using Rows = KernelTest;

constexpr int64_t kRows = 3;
const int64_t kWidths[] = {1, 2, 3, 7, 8, 15, 16, 17, 33, 63, 64, 65, 100, 768, 1000};

TEST_P(Rows, Norms) {
  for (int64_t cols : kWidths) {
    for (bool fused : {false, true}) {
      const int64_t stride = cols + 3;
      // A large mean: one pass over squares would lose everything here.
      std::vector<float> x = random_floats(kRows * stride, 1), r = random_floats(kRows * stride, 2);
      for (float& v : x) v += 1000.0f;
      const std::vector<float> weight = random_floats(cols, 3), bias = random_floats(cols, 4);
      for (int kind = 0; kind < 3; ++kind) {
        std::vector<float> y(x.size(), 77.0f), sum(x.size(), 77.0f);
        NormArgs args{.cols = cols, .x = x.data(), .x_stride = stride, .y = y.data(), .y_stride = stride, .eps = 1e-5f};
        if (fused) {
          args.residual = r.data(), args.residual_stride = stride, args.sum = sum.data(), args.sum_stride = stride;
          args.weight = weight.data(), args.bias = bias.data();
        }
        (kind == 0 ? kernels().layer_norm : kind == 1 ? kernels().rms_norm : kernels().l2_normalize)(args, 0, kRows);
        for (int64_t i = 0; i < kRows; ++i) {
          const auto at = [&](int64_t j) {
            const size_t index = static_cast<size_t>(i * stride + j);
            return double{fused ? x[index] + r[index] : x[index]};
          };
          double mean = 0, squares = 0;
          for (int64_t j = 0; j < cols && kind == 0; ++j) mean += at(j) / static_cast<double>(cols);
          for (int64_t j = 0; j < cols; ++j) squares += (at(j) - mean) * (at(j) - mean);
          const double factor = kind == 2 ? 1 / std::max(std::sqrt(squares), 1e-5)
                                          : 1 / std::sqrt(squares / static_cast<double>(cols) + 1e-5);
          for (int64_t j = 0; j < cols; ++j) {
            double want = (at(j) - mean) * factor;
            if (fused) want = want * weight[static_cast<size_t>(j)] + bias[static_cast<size_t>(j)];
            // The mean of numbers near 1000 is known to 1000 * 2^-24; a row of one has nothing but that error, blown up
            // by 1/sqrt(eps).
            const double tolerance = kind == 0 ? (cols < 3 ? 0.05 : 5e-4) : 1e-5;
            expect_close(want, y[static_cast<size_t>(i * stride + j)], tolerance, "cols " + std::to_string(cols));
            if (fused) {
              EXPECT_EQ(sum[static_cast<size_t>(i * stride + j)], static_cast<float>(at(j)));
            }
          }
          EXPECT_EQ(y[static_cast<size_t>(i * stride + cols)], 77.0f);
        }
      }
    }
  }
}

TEST_P(Rows, Softmax) {
  for (int64_t cols : kWidths) {
    std::vector<float> x = random_floats(kRows * cols, 1, 5.0f);
    for (float& v : x) v -= 200.0f;  // lanes behind the end must not count as zeros
    if (cols > 2) x[1] = -INFINITY;
    for (bool log : {false, true}) {
      std::vector<float> y(x);
      kernels().softmax({.cols = cols, .x = y.data(), .x_stride = cols, .y = y.data(), .y_stride = cols, .log = log}, 0,
                        kRows);
      for (int64_t i = 0; i < kRows; ++i) {
        const float* row = x.data() + i * cols;
        const double top = *std::max_element(row, row + cols);
        double sum = 0;
        for (int64_t j = 0; j < cols; ++j) sum += std::exp(row[j] - top);
        for (int64_t j = 0; j < cols; ++j) {
          const double want = log ? row[j] - top - std::log(sum) : std::exp(row[j] - top) / sum;
          expect_close(want, y[static_cast<size_t>(i * cols + j)], 1e-6, "cols " + std::to_string(cols));
        }
      }
    }
  }
  for (bool log : {false, true}) {
    float y[] = {1.0f, NAN, 2.0f, -INFINITY, -INFINITY, -INFINITY};
    kernels().softmax({.cols = 3, .x = y, .x_stride = 3, .y = y, .y_stride = 3, .log = log}, 0, 2);
    for (float v : y) EXPECT_TRUE(std::isnan(v));
  }
}

TEST_P(Rows, Reductions) {
  for (int64_t cols : kWidths) {
    std::vector<float> x = random_floats(kRows * cols, 6);
    for (float& v : x) v -= 10.0f;
    float y[kRows];
    const ReduceArgs args{.cols = cols, .x = x.data(), .x_stride = cols, .y = y};
    for (Reduce kind : {Reduce::kSum, Reduce::kMean, Reduce::kMax, Reduce::kMin, Reduce::kSumSquares}) {
      kernels().reduce(kind, args, 0, kRows);
      for (int64_t i = 0; i < kRows; ++i) {
        const float* row = x.data() + i * cols;
        double want = 0;
        for (int64_t j = 0; j < cols; ++j) want += kind == Reduce::kSumSquares ? double{row[j]} * row[j] : row[j];
        if (kind == Reduce::kMean) want /= static_cast<double>(cols);
        if (kind == Reduce::kMax) want = *std::max_element(row, row + cols);
        if (kind == Reduce::kMin) want = *std::min_element(row, row + cols);
        expect_close(want, y[i], 2e-6, "cols " + std::to_string(cols));
      }
    }
    x[static_cast<size_t>(cols - 1)] = NAN;
    for (Reduce kind : {Reduce::kSum, Reduce::kMax, Reduce::kMin}) {
      kernels().reduce(kind, args, 0, 1);
      EXPECT_TRUE(std::isnan(y[0]));
    }
  }
  float y = 5;
  const ReduceArgs empty{.y = &y};
  kernels().reduce(Reduce::kSum, empty, 0, 1);
  EXPECT_EQ(y, 0.0f);
  kernels().reduce(Reduce::kMax, empty, 0, 1);
  EXPECT_EQ(y, -INFINITY);
  kernels().reduce(Reduce::kMin, empty, 0, 1);
  EXPECT_EQ(y, INFINITY);
  kernels().reduce(Reduce::kMean, empty, 0, 1);
  EXPECT_TRUE(std::isnan(y));
}

TEST_P(Rows, GatherRows) {
  constexpr int64_t kVocabulary = 11, kCols = 37;
  const std::vector<float> table = random_floats(kVocabulary * kCols, 1);
  const int64_t ids[] = {3, 0, 10, 3, -1, 11};
  for (Source type : {Source::kF32, Source::kF16, Source::kBf16}) {
    std::vector<char> stored(table.size() * 4);
    std::vector<float> want(table.size()), y(6 * kCols, 77.0f);
    kernels().narrow(type, table.data(), stored.data(), static_cast<int64_t>(table.size()));
    kernels().widen(type, stored.data(), want.data(), static_cast<int64_t>(table.size()));
    const GatherArgs args{.cols = kCols,
                          .table_rows = kVocabulary,
                          .table = stored.data(),
                          .type = type,
                          .table_stride = kCols,
                          .ids = ids,
                          .y = y.data(),
                          .y_stride = kCols};
    EXPECT_TRUE(kernels().gather_rows(args, 0, 4));
    EXPECT_FALSE(kernels().gather_rows(args, 4, 6));
    for (size_t r = 0; r < 6; ++r) {
      for (size_t j = 0; j < kCols; ++j)
        EXPECT_EQ(y[r * kCols + j], r < 4 ? want[static_cast<size_t>(ids[r]) * kCols + j] : 0.0f);
    }
  }
}

TEST_P(Rows, SegmentPooling) {
  constexpr int64_t kCols = 21;
  const int64_t offsets[] = {1, 4, 4, 5, 12};
  const std::vector<float> x = random_floats(12 * kCols, 2);
  for (Pooling kind : {Pooling::kMean, Pooling::kSum, Pooling::kMax, Pooling::kFirst, Pooling::kLast}) {
    std::vector<float> y(4 * kCols, 77.0f);
    kernels().segment_pool({.cols = kCols,
                            .x = x.data(),
                            .x_stride = kCols,
                            .offsets = offsets,
                            .y = y.data(),
                            .y_stride = kCols,
                            .kind = kind},
                           0, 4);
    for (int64_t s = 0; s < 4; ++s) {
      for (int64_t j = 0; j < kCols; ++j) {
        double sum = 0, top = -1e300;
        const int64_t begin = offsets[s], end = offsets[s + 1];
        const auto at = [&](int64_t t) { return x[static_cast<size_t>(t * kCols + j)]; };
        for (int64_t t = begin; t < end; ++t) sum += at(t), top = std::max(top, double{at(t)});
        double want = kind == Pooling::kMean  ? sum / static_cast<double>(end - begin)
                      : kind == Pooling::kMax ? top
                                              : sum;
        if (begin == end) {
          want = 0;
        } else if (kind == Pooling::kFirst || kind == Pooling::kLast) {
          want = at(kind == Pooling::kFirst ? begin : end - 1);
        }
        expect_close(want, y[static_cast<size_t>(s * kCols + j)], 1e-6, "segment " + std::to_string(s));
      }
    }
  }
}

GAMUT_INSTANTIATE_KERNEL_TEST(Rows);

}  // namespace
}  // namespace gamut::cpu
