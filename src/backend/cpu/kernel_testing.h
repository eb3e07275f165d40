// What the kernel tests share: each instruction set as a parameter, buffers with random numbers, comparison with
// doubles.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backend/cpu/kernel_table.h"

namespace gamut::cpu {

/// A fixture run once per instruction set; those this machine or build lacks are skipped.
class KernelTest : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!has_kernels(GetParam())) GTEST_SKIP() << "this machine or build has no " << isa_name(GetParam());
  }
  const KernelTable& kernels() const { return kernel_table(GetParam()); }
};

inline std::string isa_test_name(const testing::TestParamInfo<Isa>& info) { return isa_name(info.param); }

#define GAMUT_INSTANTIATE_KERNEL_TEST(Fixture)                                                                 \
  INSTANTIATE_TEST_SUITE_P(Isa, Fixture, testing::Values(Isa::kBaseline, Isa::kAvx2, Isa::kAvx512, Isa::kAmx), \
                           isa_test_name)

/// `count` numbers, normal with deviation `scale`; the same for the same seed.
inline std::vector<float> random_floats(int64_t count, uint32_t seed, float scale = 1.0f) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = normal(engine);
  return values;
}

/// Scratch of exactly `bytes` bytes on a 64-byte boundary, filled with NaN: a kernel that reads what it has not written
/// shows it.
class Scratch {
 public:
  explicit Scratch(size_t bytes) : storage_(bytes + 64) {
    void* p = storage_.data();
    size_t space = storage_.size();
    data_ = std::align(64, bytes, p, space);
    std::memset(data_, 0xff, bytes);
  }
  void* get() const { return data_; }

 private:
  std::vector<char> storage_;
  void* data_;
};

/// Fails unless |got - want| <= tolerance * max(1, |want|); NaN and infinities must match.
inline void expect_close(double want, double got, double tolerance, const std::string& where) {
  if (std::isnan(want)) {
    EXPECT_TRUE(std::isnan(got)) << where << ": want NaN, got " << got;
  } else if (std::isinf(want)) {
    EXPECT_EQ(want, got) << where;
  } else {
    EXPECT_LE(std::abs(want - got), tolerance * std::max(1.0, std::abs(want)))
        << where << ": want " << want << ", got " << got;
  }
}

}  // namespace gamut::cpu
