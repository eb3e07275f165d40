// Arithmetic on weights that is folded away computes the same as when it is not.
#include <cmath>
#include <limits>

#include "backend/graph_testing.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/gather_rows.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/transpose.h"

namespace gamut {
namespace {

using test::expect_values;
using test::f32;
using test::i64;
using test::Sample;

class FoldedWeights : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Backends, FoldedWeights, testing::ValuesIn(backend_names()),
                         [](const auto& backend) { return backend.param; });

TEST_P(FoldedWeights, OnePlusWeight) {
  Sample s;
  Value x = s.in(f32({1, 2}, {-1, 1}));
  Value w = s.weight("w", f32({2}, {0.5f, -0.25f})) + 1.0f;
  expect_values(s.run(GetParam(), op::layer_norm(x, w, {}, 0)), {1, 2}, std::vector<float>{-1.5f, 0.75f});
}

TEST_P(FoldedWeights, ConcatAndTransposeOfALinearsWeight) {
  Sample s;
  Value x = s.in(f32({1, 2}, {1, 10}));
  Value a = op::transpose(s.weight("a", f32({2, 1}, {1, 2})), {1, 0}), b = s.weight("b", f32({1, 2}, {3, 4}));
  Value bias = op::concat({s.weight("bias", f32({1}, {100})), s.graph.constant(f32({1}, {200}))}, 0);
  expect_values(s.run(GetParam(), op::linear(x, op::concat({a, b}, 0), {.bias = bias})), {1, 2},
                std::vector<float>{121, 243});
}

TEST_P(FoldedWeights, SliceOfATableOfHalfFloats) {
  Sample s;
  Tensor half = Tensor::allocate(DType::kF16, {3, 2});
  const uint16_t bits[] = {0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600};  // 1 2 3 4 5 6
  std::copy(std::begin(bits), std::end(bits), static_cast<uint16_t*>(half.mutable_data()));
  Value table = s.weight("table", half), ids = s.in(i64({2}, {1, 0}));
  expect_values(s.run(GetParam(), op::gather_rows(table, ids)), {2, 2}, std::vector<float>{3, 4, 1, 2});
  expect_values(s.run(GetParam(), op::gather_rows(op::slice(table, 0, 1, 2), ids)), {2, 2},
                std::vector<float>{5, 6, 3, 4});
}

TEST_P(FoldedWeights, OfSymbolicShapeRunEachTime) {
  Sample s;
  const Extent n = Extent::symbol("n");
  Value x = s.in(f32({2, 2}, {1, 1, 1, 1}), {n, 2});
  Value w = op::reshape(s.weight("w", f32({4}, {1, 2, 3, 4})), {n, 2}) * 2.0f;
  expect_values(s.run(GetParam(), x + w), {2, 2}, std::vector<float>{3, 5, 7, 9});
}

TEST_P(FoldedWeights, MayBeResultsAndIntegers) {
  Sample s;
  Value w = s.weight("w", i64({2}, {3, 4}));
  Value twice = w + w;
  expect_values(s.run(GetParam(), twice), {2}, std::vector<int64_t>{6, 8});
  expect_values(s.run(GetParam(), op::reshape(op::cast(twice, DType::kF32), {2, 1})), {2, 1}, std::vector<float>{6, 8});
}

TEST_P(FoldedWeights, ACastToIntegersHasAResultForEveryFloat) {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const float below = std::nextafter(0x1p63f, 0.0f);
  const Tensor values = f32({10}, {nan, infinity, -infinity, 0x1p63f, below, -0x1p63f, 1e30f, -1e30f, -2.9f, 0.9f});
  const std::vector<int64_t> expected{0,         INT64_MAX, INT64_MIN, INT64_MAX, static_cast<int64_t>(below),
                                      INT64_MIN, INT64_MAX, INT64_MIN, -2,        0};
  Sample s;
  expect_values(s.run(GetParam(), op::cast(s.weight("w", values), DType::kI64)), {10}, expected);
  expect_values(s.run(GetParam(), op::cast(s.in(values), DType::kI64)), {10}, expected);
}

TEST(CpuExecutable, CountsTheMemoryOfWeightsThatAreMade) {
  Sample plain, folded;
  plain.graph.set_output("y", plain.in(f32({1, 2}, {1, 2})) + plain.weight("w", f32({2}, {1, 2})));
  EXPECT_EQ(plain.compile("cpu")->weight_bytes(), 0u) << "read where it lies";
  folded.graph.set_output("y", folded.in(f32({1, 2}, {1, 2})) + (folded.weight("w", f32({2}, {1, 2})) + 1.0f));
  EXPECT_EQ(folded.compile("cpu")->weight_bytes(), 2 * sizeof(float));
}

}  // namespace
}  // namespace gamut
