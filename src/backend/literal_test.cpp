// Operators against results worked out by hand, on every backend: the reference is the oracle of the conformance tests,
// so it needs one of its own.
#include <cmath>

#include "backend/graph_testing.h"
#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/binary.h"
#include "ops/broadcast.h"
#include "ops/cast.h"
#include "ops/compare.h"
#include "ops/concat.h"
#include "ops/gather_rows.h"
#include "ops/iota.h"
#include "ops/l2_normalize.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/matmul.h"
#include "ops/pool_rows.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/row_index.h"
#include "ops/select.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/transpose.h"
#include "ops/unary.h"

namespace gamut {
namespace {

using test::error_of;
using test::expect_values;
using test::f32;
using test::has_long_integers;
using test::i64;
using test::Sample;

class Literal : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Backends, Literal, testing::ValuesIn(backend_names()),
                         [](const auto& backend) { return backend.param; });

TEST_P(Literal, Unary) {
  const std::tuple<UnaryKind, float, float> known[] = {{UnaryKind::kNeg, 2, -2},
                                                       {UnaryKind::kAbs, -2, 2},
                                                       {UnaryKind::kExp, 1, 2.7182817f},
                                                       {UnaryKind::kLog, 10, 2.3025851f},
                                                       {UnaryKind::kSqrt, 9, 3},
                                                       {UnaryKind::kRsqrt, 4, 0.5f},
                                                       {UnaryKind::kReciprocal, 8, .125f},
                                                       {UnaryKind::kTanh, 0.5f, 0.46211716f},
                                                       {UnaryKind::kErf, 0.5f, 0.52049988f},
                                                       {UnaryKind::kSigmoid, 1, 0.73105858f}};
  for (const auto& [kind, x, y] : known) {
    SCOPED_TRACE(unary_name(kind));
    Sample s;
    expect_values(s.run(GetParam(), op::unary(kind, s.in(f32({1}, {x})))), {1}, std::vector<float>{y});
  }
}

TEST_P(Literal, BinaryBroadcasts) {
  Sample s;
  Value a = s.in(f32({2, 1, 2}, {1, 2, 3, 4})), b = s.in(f32({3, 1}, {10, 20, 30}));
  expect_values(s.run(GetParam(), a + b), {2, 3, 2},
                std::vector<float>{11, 12, 21, 22, 31, 32, 13, 14, 23, 24, 33, 34});
  expect_values(s.run(GetParam(), b - a), {2, 3, 2}, std::vector<float>{9, 8, 19, 18, 29, 28, 7, 6, 17, 16, 27, 26});
  Value c = s.in(f32({2}, {2, -3}));
  expect_values(s.run(GetParam(), a / c), {2, 1, 2}, std::vector<float>{.5f, -2.f / 3, 1.5f, -4.f / 3});
  expect_values(s.run(GetParam(), op::binary(BinaryKind::kPow, a, c)), {2, 1, 2},
                std::vector<float>{1, .125f, 9, 1.f / 64}, 1e-5);
  expect_values(s.run(GetParam(), op::binary(BinaryKind::kMax, a, c)), {2, 1, 2}, std::vector<float>{2, 2, 3, 4});
}

TEST_P(Literal, BinaryOfIntegersIsExact) {
  Sample s;
  const int64_t big =
      has_long_integers(GetParam()) ? (int64_t{1} << 53) + 1 : (1 << 24) + 1;  // not a double; not a float
  Value a = s.in(i64({2}, {big, -7})), b = s.in(i64({}, {2}));
  expect_values(s.run(GetParam(), a + b), {2}, std::vector<int64_t>{big + 2, -5});
  expect_values(s.run(GetParam(), a * b), {2}, std::vector<int64_t>{2 * big, -14});
  expect_values(s.run(GetParam(), op::binary(BinaryKind::kMin, a, b)), {2}, std::vector<int64_t>{2, -7});
  EXPECT_NE(error_of([&] { s.run(GetParam(), a / b); }, ErrorCode::kUnsupported).find("div of integers"),
            std::string::npos);
}

TEST_P(Literal, IntegersTooLongForABackendAreErrors) {
  Sample s;
  const int64_t big = int64_t{1} << 31;
  Value a = s.in(i64({2}, {0, big})), b = s.graph.constant(i64({}, {big}));
  if (has_long_integers(GetParam())) {
    expect_values(s.run(GetParam(), a + b), {2}, std::vector<int64_t>{big, 2 * big});
    return;
  }
  const std::string expected = "2147483648 needs more than the 32 bits that OpenVINO computes with";
  Value c = s.graph.scalar(int64_t{1});
  EXPECT_EQ(error_of([&] { s.run(GetParam(), a + c); }, ErrorCode::kUnsupported), "input x0: " + expected);
  LabelScope label(s.graph, "offset");
  Value d = s.graph.constant(i64({}, {big}));
  EXPECT_EQ(error_of([&] { s.run(GetParam(), a + d); }, ErrorCode::kUnsupported), "offset: " + expected);
}

TEST_P(Literal, CompareSelectAndCast) {
  Sample s;
  Value a = s.in(i64({3}, {1, 2, 3})), b = s.in(i64({2, 1}, {2, 3}));
  auto as_numbers = [&](Value v) { return s.run(GetParam(), op::cast(v, DType::kI64)); };
  expect_values(as_numbers(op::compare(CompareKind::kLess, a, b)), {2, 3}, std::vector<int64_t>{1, 0, 0, 1, 1, 0});
  expect_values(as_numbers(op::compare(CompareKind::kLessEqual, a, b)), {2, 3}, std::vector<int64_t>{1, 1, 0, 1, 1, 1});
  Value equal = op::compare(CompareKind::kEqual, a, b);
  expect_values(as_numbers(equal), {2, 3}, std::vector<int64_t>{0, 1, 0, 0, 0, 1});
  Value x = s.in(f32({3}, {10, 20, 30})), y = s.in(f32({2, 1}, {-1, -2}));
  expect_values(s.run(GetParam(), op::select(equal, x, y)), {2, 3}, std::vector<float>{-1, 20, -1, -2, -2, 30});
  Value f = s.in(f32({5}, {-1.9f, -0.5f, 0, 0.5f, 2.9f}));
  expect_values(s.run(GetParam(), op::cast(f, DType::kI64)), {5}, std::vector<int64_t>{-1, 0, 0, 0, 2});
  expect_values(as_numbers(op::cast(f, DType::kBool)), {5}, std::vector<int64_t>{1, 1, 0, 1, 1});
  expect_values(s.run(GetParam(), op::cast(a, DType::kF32)), {3}, std::vector<float>{1, 2, 3});
}

TEST_P(Literal, Reduce) {
  Sample s;
  Value x = s.in(f32({2, 3}, {1, 2, 6, -4, -5, -9}));
  expect_values(s.run(GetParam(), op::reduce(ReduceKind::kSum, x, {1})), {2, 1}, std::vector<float>{9, -18});
  expect_values(s.run(GetParam(), op::reduce(ReduceKind::kMean, x, {-1})), {2, 1}, std::vector<float>{3, -6});
  expect_values(s.run(GetParam(), op::reduce(ReduceKind::kMax, x, {0})), {1, 3}, std::vector<float>{1, 2, 6});
  expect_values(s.run(GetParam(), op::reduce(ReduceKind::kMax, x, {0, 1})), {1, 1}, std::vector<float>{6});
  expect_values(s.run(GetParam(), op::reduce(ReduceKind::kMean, x, {0, 1})), {1, 1}, std::vector<float>{-1.5f});
}

TEST_P(Literal, ReduceOverNothing) {
  Sample s;
  Value x = s.in(f32({2, 0}, {}));
  expect_values(s.run(GetParam(), op::reduce(ReduceKind::kSum, x, {1})), {2, 1}, std::vector<float>{0, 0});
  Value y = s.in(f32({0, 3}, {}));
  expect_values(s.run(GetParam(), op::reduce(ReduceKind::kSum, y, {1})), {0, 1}, std::vector<float>{});
}

TEST_P(Literal, Matmul) {
  Sample s;
  Value a = s.in(f32({2, 3}, {1, 2, 3, 4, 5, 6})), b = s.in(f32({3, 2}, {7, 8, 9, 10, 11, 12}));
  expect_values(s.run(GetParam(), op::matmul(a, b)), {2, 2}, std::vector<float>{58, 64, 139, 154});
  expect_values(s.run(GetParam(), op::matmul(a, a, true)), {2, 2}, std::vector<float>{14, 32, 32, 77});
  Value batch = s.in(f32({2, 1, 3}, {1, 0, 0, 0, 0, 1}));
  expect_values(s.run(GetParam(), op::matmul(batch, b)), {2, 1, 2}, std::vector<float>{7, 8, 11, 12});
}

TEST_P(Literal, Linear) {
  Sample s;
  Value x = s.in(f32({1, 2, 2}, {1, 2, -1, 0})), w = s.weight("w", f32({3, 2}, {1, 0, 0, 1, 1, 1}));
  Value bias = s.weight("b", f32({3}, {0.5f, 0, -1})), residual = s.in(f32({1, 2, 3}, {10, 20, 30, 40, 50, 60}));
  expect_values(s.run(GetParam(), op::linear(x, w, {.bias = bias})), {1, 2, 3},
                std::vector<float>{1.5f, 2, 2, -0.5f, 0, -2});
  const op::LinearOptions all{.bias = bias, .activation = ActivationKind::kRelu, .residual = residual};
  expect_values(s.run(GetParam(), op::linear(x, w, all)), {1, 2, 3}, std::vector<float>{11.5f, 22, 32, 40, 50, 60});
}

TEST_P(Literal, MovesOfData) {
  Sample s;
  Value x = s.in(f32({2, 3}, {1, 2, 3, 4, 5, 6}));
  expect_values(s.run(GetParam(), op::transpose(x, {1, 0})), {3, 2}, std::vector<float>{1, 4, 2, 5, 3, 6});
  expect_values(s.run(GetParam(), op::reshape(x, {3, 2})), {3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6});
  expect_values(s.run(GetParam(), op::slice(x, 1, 1, 2)), {2, 2}, std::vector<float>{2, 3, 5, 6});
  expect_values(s.run(GetParam(), op::slice(x, 0, 1, 0)), {0, 3}, std::vector<float>{});
  expect_values(s.run(GetParam(), op::concat({x, op::slice(x, 1, 0, 1)}, 1)), {2, 4},
                std::vector<float>{1, 2, 3, 1, 4, 5, 6, 4});
  expect_values(s.run(GetParam(), op::concat({x, op::slice(x, 0, 0, 1)}, 0)), {3, 3},
                std::vector<float>{1, 2, 3, 4, 5, 6, 1, 2, 3});
  Value column = op::slice(x, 1, 2, 1);
  expect_values(s.run(GetParam(), op::broadcast(column, {2, 2, 2})), {2, 2, 2},
                std::vector<float>{3, 3, 6, 6, 3, 3, 6, 6});
}

TEST_P(Literal, GatherRows) {
  Sample s;
  Value table = s.in(f32({3, 2}, {1, 2, 3, 4, 5, 6})), ids = s.in(i64({2, 2}, {2, 0, 1, 2}));
  expect_values(s.run(GetParam(), op::gather_rows(table, ids)), {2, 2, 2}, std::vector<float>{5, 6, 1, 2, 3, 4, 5, 6});
  for (int64_t bad : {int64_t{-1}, int64_t{3}, INT64_MAX, INT64_MIN}) {
    LabelScope label(s.graph, "embeddings.word");
    Value wrong = op::gather_rows(table, s.in(i64({1}, {bad})));
    EXPECT_EQ(error_of([&] { s.run(GetParam(), wrong); }),
              "embeddings.word: index " + std::to_string(bad) + " is outside a table of 3 lines");
  }
}

TEST_P(Literal, IotaAndSliceOfSymbols) {
  Sample s;
  const Extent length = Extent::symbol("L");
  Value x = s.in(f32({4}, {10, 20, 30, 40}), {length});
  expect_values(s.run(GetParam(), op::iota(s.graph, length * 2)), {8}, std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7});
  expect_values(s.run(GetParam(), op::slice(x, 0, length - 3, 2)), {2}, std::vector<float>{20, 30});
  EXPECT_NE(error_of([&] { s.run(GetParam(), op::slice(x, 0, length, 2)); }).find("[4, 4+2) is outside an axis of 4"),
            std::string::npos);
}

TEST_P(Literal, RowNumbersAndPositions) {
  for (const RowTable& table : {RowTable::packed({2, 0, 3}), RowTable::padded({2, 0, 3})}) {
    Sample s;
    const Rows rows = s.rows(table);
    s.tokens(table, {}, std::vector<float>(table.tokens()));  // binds B and S
    const bool packed = table.batch == 1;
    expect_values(s.run(GetParam(), op::row_numbers(rows)), {table.batch, table.sequence},
                  packed ? std::vector<int64_t>{0, 0, 2, 2, 2} : std::vector<int64_t>{0, 0, -1, -1, -1, -1, 2, 2, 2});
    expect_values(s.run(GetParam(), op::row_positions(rows)), {table.batch, table.sequence},
                  packed ? std::vector<int64_t>{0, 1, 0, 1, 2} : std::vector<int64_t>{0, 1, 0, 0, 0, 0, 0, 1, 2});
  }
}

TEST_P(Literal, SoftmaxAndNorms) {
  Sample s;
  Value x = s.in(f32({2, 2}, {0, std::log(3.0f), 1000, 1000}));
  expect_values(s.run(GetParam(), op::softmax(x)), {2, 2}, std::vector<float>{.25f, .75f, .5f, .5f});
  Value y = s.in(f32({1, 4}, {1, 2, 3, 6}));  // mean 3, biased variance 3.5
  Value w = s.weight("w", f32({4}, {1, 1, 2, 1})), b = s.weight("b", f32({4}, {0, 0, 0, 10}));
  const float unit = 0.5f;  // 1 / sqrt(3.5 + 0.5)
  expect_values(s.run(GetParam(), op::layer_norm(y, w, b, 0.5)), {1, 4},
                std::vector<float>{-2 * unit, -unit, 0, 3 * unit + 10});
  Value v = s.in(f32({2, 2}, {3, -4, 0, 0}));
  expect_values(s.run(GetParam(), op::l2_normalize(v)), {2, 2}, std::vector<float>{.6f, -.8f, 0, 0});
}

TEST_P(Literal, AttentionSeesItsOwnRowOnly) {
  // Keys are equal, so each query gets the mean of the values that it sees.
  const RowTable table = RowTable::packed({2, 3});
  Sample s;
  const Rows rows = s.rows(table);
  Value qk = s.tokens(table, {1, 1}, {1, 1, 1, 1, 1}), v = s.tokens(table, {1, 1}, {1, 3, 10, 20, 60});
  expect_values(s.run(GetParam(), op::attention(qk, qk, v, {.mask = {rows}})), {1, 5, 1, 1},
                std::vector<float>{2, 2, 30, 30, 30});
  expect_values(s.run(GetParam(), op::attention(qk, qk, v, {.mask = {rows, /*causal=*/true}})), {1, 5, 1, 1},
                std::vector<float>{1, 2, 10, 15, 30});
  expect_values(s.run(GetParam(), op::attention(qk, qk, v, {.mask = {rows, true, /*window=*/2}})), {1, 5, 1, 1},
                std::vector<float>{1, 2, 10, 15, 40});
}

TEST_P(Literal, AttentionWeighsByScaleAndBias) {
  Sample s;
  Value q = s.in(f32({1, 2, 1, 1}, {1, 0})), k = s.in(f32({1, 2, 1, 1}, {std::log(3.0f), 0}));
  Value v = s.in(f32({1, 2, 1, 2}, {1, 0, 0, 1}));
  expect_values(s.run(GetParam(), op::attention(q, k, v, {.scale = 1})), {1, 2, 1, 2},
                std::vector<float>{.75f, .25f, .5f, .5f});
  expect_values(s.run(GetParam(), op::attention(q, k, v, {.scale = 2})), {1, 2, 1, 2},
                std::vector<float>{.9f, .1f, .5f, .5f});
  Value bias = s.in(f32({1, 2, 2}, {0, 0, std::log(4.0f), 0}));
  expect_values(s.run(GetParam(), op::attention(q, k, v, {.scale = 1, .bias = bias})), {1, 2, 1, 2},
                std::vector<float>{.75f, .25f, .8f, .2f});
}

TEST_P(Literal, PoolRows) {
  for (const RowTable& table : {RowTable::packed({3, 0, 1}), RowTable::padded({3, 0, 1})}) {
    // Padding is 99: no pooling may see it.
    std::vector<float> values(static_cast<size_t>(table.tokens()) * 2, 99);
    const std::vector<float> first{1, -1, 2, -5, 6, -3}, last{-7, 8};
    std::copy(first.begin(), first.end(), values.begin());
    std::copy(last.begin(), last.end(), values.begin() + table.rows[2].start * 2);
    Sample s;
    const Rows rows = s.rows(table);
    Value x = s.tokens(table, {2}, values);
    auto pool = [&](PoolKind kind) { return s.run(GetParam(), op::pool_rows(kind, x, rows)); };
    const float root = std::sqrt(3.0f);
    expect_values(pool(PoolKind::kFirst), {3, 2}, std::vector<float>{1, -1, 0, 0, -7, 8});
    expect_values(pool(PoolKind::kLast), {3, 2}, std::vector<float>{6, -3, 0, 0, -7, 8});
    expect_values(pool(PoolKind::kMean), {3, 2}, std::vector<float>{3, -3, 0, 0, -7, 8});
    expect_values(pool(PoolKind::kMax), {3, 2}, std::vector<float>{6, -1, 0, 0, -7, 8});
    expect_values(pool(PoolKind::kSum), {3, 2}, std::vector<float>{9, -9, 0, 0, -7, 8});
    expect_values(pool(PoolKind::kMeanSqrt), {3, 2}, std::vector<float>{9 / root, -9 / root, 0, 0, -7, 8});
  }
}

}  // namespace
}  // namespace gamut
