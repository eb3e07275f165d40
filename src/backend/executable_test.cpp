// What holds for an executable of any backend: plans, views, leaves as results, bad bindings, several callers.
#include <atomic>
#include <cstring>
#include <thread>

#include "backend/cpu/kernel_table.h"
#include "backend/graph_testing.h"
#include "checkpoint/seeded_weights.h"
#include "ops/attention.h"
#include "ops/binary.h"
#include "ops/gather_rows.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/pool_rows.h"
#include "ops/reshape.h"
#include "ops/row_index.h"

namespace gamut {
namespace {

using test::error_of;
using test::expect_values;
using test::f32;
using test::i64;
using test::Sample;

class AnyBackend : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Backends, AnyBackend, testing::ValuesIn(backend_names()),
                         [](const auto& backend) { return backend.param; });

const Extent B = Extent::symbol(kBatch);

/// ids -> embedding -> attention -> linear -> norm -> pooled, over rows: every kind of step once.
struct Block {
  Sample sample;

  Block() {
    Graph& g = sample.graph;
    const Rows rows = Rows::input(g);
    Value ids = g.input("ids", DType::kI64, {rows.batch(), rows.sequence()});
    auto weight = [&](const char* name, const Dims& dims) {
      return sample.weight(name, seeded_tensor(name, dims, 1, 0.5, 0));
    };
    Value x = op::gather_rows(weight("table", {50, 24}), ids);
    Value heads = op::split_heads(x, 8);
    Value y = op::merge_heads(op::attention(heads, heads, heads, {.mask = {rows}}));
    y = op::linear(y, weight("w", {24, 24}), {.bias = weight("b", {24}), .activation = ActivationKind::kGelu});
    x = op::layer_norm(x + y, weight("norm", {24}), {}, 1e-5);
    g.set_output("tokens", x);
    g.set_output("pooled", op::pool_rows(PoolKind::kMean, x, rows));
  }

  static NamedTensors inputs(const std::vector<int64_t>& lengths, int64_t seed = 0) {
    const RowTable table = RowTable::packed(lengths);
    Tensor ids = Tensor::allocate(DType::kI64, {table.batch, table.sequence});
    for (int64_t i = 0; i < ids.count(); ++i) ids.mutable_i64()[i] = (i * 7 + seed) % 50;
    return {{"rows", table.to_tensor()}, {"ids", ids}};
  }
};

void expect_equal_bits(const NamedTensors& a, const NamedTensors& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) {
    ASSERT_EQ(tensor.dims(), b.at(name).dims()) << name;
    ASSERT_TRUE(tensor.bytes() == 0 || std::memcmp(tensor.data(), b.at(name).data(), tensor.bytes()) == 0) << name;
  }
}

TEST_P(AnyBackend, ResultsOfEarlierRunsStayAndRepeatToTheBit) {
  const Block block;
  auto executable = block.sample.compile(GetParam(), {.threads = 2});
  const std::vector<std::vector<int64_t>> sizes{{5, 3}, {1}, {40, 2, 9}, {5, 3}, {8}};
  std::vector<NamedTensors> first;
  for (const auto& lengths : sizes) first.push_back(executable->run(Block::inputs(lengths)));
  for (size_t i = sizes.size(); i-- > 0;) {
    expect_equal_bits(executable->run(Block::inputs(sizes[i])), first[i]);
  }
  expect_equal_bits(first[0], first[3]);
}

TEST_P(AnyBackend, KeepsWorkingPastTheNumberOfPlansItKeeps) {
  const Block block;
  auto executable = block.sample.compile(GetParam(), {.threads = 1});
  const NamedTensors first = executable->run(Block::inputs({3}));
  for (int64_t length = 1; length <= 80; ++length) {
    EXPECT_EQ(executable->run(Block::inputs({length})).at("tokens").dims(), (Dims{1, length, 24}));
  }
  expect_equal_bits(executable->run(Block::inputs({3})), first);
}

TEST_P(AnyBackend, TakesNoRowsAndRowsWithoutTokens) {
  const Block block;
  auto executable = block.sample.compile(GetParam(), {.threads = 2});
  const NamedTensors none = executable->run(Block::inputs({}));
  EXPECT_EQ(none.at("tokens").dims(), (Dims{1, 0, 24}));
  EXPECT_EQ(none.at("pooled").dims(), (Dims{0, 24}));
  expect_values(executable->run(Block::inputs({0, 0})).at("pooled"), {2, 24}, std::vector<float>(48, 0));
  const NamedTensors mixed = executable->run(Block::inputs({0, 4, 0}));
  const NamedTensors alone = executable->run(Block::inputs({4}));
  expect_equal_bits({{"tokens", mixed.at("tokens")}}, {{"tokens", alone.at("tokens")}});
  for (size_t i = 0; i < 24; ++i) EXPECT_EQ(mixed.at("pooled").f32()[24 + i], alone.at("pooled").f32()[i]);
}

TEST_P(AnyBackend, TwoResultsMayBeViewsOfOneBuffer) {
  Sample s;
  Value x = s.in(f32({2, 3}, {1, 2, 3, 4, 5, 6}), {B, 3});
  Value y = x + 1.0f, flat = op::reshape(y, {B * 3});
  s.graph.set_output("flat", flat);
  s.graph.set_output("y", y);
  s.graph.set_output("again", op::reshape(flat, {3, B}));
  s.graph.set_output("same", y);
  const NamedTensors outputs = s.compile(GetParam())->run(s.inputs);
  const std::vector<float> expected{2, 3, 4, 5, 6, 7};
  expect_values(outputs.at("flat"), {6}, expected);
  expect_values(outputs.at("y"), {2, 3}, expected);
  expect_values(outputs.at("again"), {3, 2}, expected);
  expect_values(outputs.at("same"), {2, 3}, expected);
}

TEST_P(AnyBackend, AResultMayBeAnInputAWeightOrAConstant) {
  Sample s;
  Value x = s.in(f32({2}, {1, 2}), {B}), w = s.weight("w", f32({3}, {7, 8, 9})), ids = s.in(i64({1, 2}, {4, 5}));
  s.graph.set_output("x", x);
  s.graph.set_output("x_view", op::reshape(x, {1, B}));
  s.graph.set_output("w", w);
  s.graph.set_output("w_view", op::reshape(w, {3, 1}));
  s.graph.set_output("w_more", w + 1.0f);
  s.graph.set_output("constant", s.graph.constant(f32({2}, {3, 4})));
  s.graph.set_output("ids", ids);
  auto executable = s.compile(GetParam());
  for (int repeat = 0; repeat < 2; ++repeat) {
    const NamedTensors outputs = executable->run(s.inputs);
    expect_values(outputs.at("x"), {2}, std::vector<float>{1, 2});
    expect_values(outputs.at("x_view"), {1, 2}, std::vector<float>{1, 2});
    expect_values(outputs.at("w"), {3}, std::vector<float>{7, 8, 9});
    expect_values(outputs.at("w_view"), {3, 1}, std::vector<float>{7, 8, 9});
    expect_values(outputs.at("w_more"), {3}, std::vector<float>{8, 9, 10});
    expect_values(outputs.at("constant"), {2}, std::vector<float>{3, 4});
    expect_values(outputs.at("ids"), {1, 2}, std::vector<int64_t>{4, 5});
  }
}

TEST_P(AnyBackend, WeightsMayStandAnywhere) {
  Sample s;
  Value x = s.in(f32({2, 2}, {1, 0, 0, 1})), square = s.weight("square", f32({2, 2}, {1, 2, 3, 4}));
  Value table = s.weight("table", f32({2, 2}, {10, 20, 30, 40})), heads = s.weight("heads", f32({1, 2, 1, 1}, {1, 3}));
  // A weight as residual, as the left side of a linear, as q, k and v, as the table of rows.
  expect_values(s.run(GetParam(), op::linear(x, square) + table), {2, 2}, std::vector<float>{11, 23, 32, 44});
  expect_values(s.run(GetParam(), op::linear(x, square, {.residual = table})), {2, 2},
                std::vector<float>{11, 23, 32, 44});
  expect_values(s.run(GetParam(), op::linear(table, x)), {2, 2}, std::vector<float>{10, 20, 30, 40});
  Value zero = s.in(f32({1, 2, 1, 1}, {0, 0}));
  expect_values(s.run(GetParam(), op::attention(zero, zero, heads)), {1, 2, 1, 1}, std::vector<float>{2, 2});
  expect_values(s.run(GetParam(), op::attention(heads, zero, zero)), {1, 2, 1, 1}, std::vector<float>{0, 0});
  Value rows = s.graph.constant(i64({1, 2}, {1, 2})), tokens = s.tokens(RowTable::packed({3}), {1}, {5, 6, 8});
  expect_values(s.run(GetParam(), op::pool_rows(PoolKind::kMean, tokens, Rows{rows})), {1, 1}, std::vector<float>{7});
}

TEST_P(AnyBackend, RefusesInputsThatDoNotFitBeforeAnyWork) {
  const Block block;
  auto executable = block.sample.compile(GetParam());
  NamedTensors inputs = Block::inputs({3, 2});
  inputs.erase("ids");
  EXPECT_EQ(error_of([&] { executable->run(inputs); }), "input ids is missing");
  inputs["ids"] = f32({1, 5}, {0, 0, 0, 0, 0});
  EXPECT_EQ(error_of([&] { executable->run(inputs); }), "input ids: dtype F32, expected I64");
  inputs["ids"] = i64({5}, {0, 0, 0, 0, 0});
  EXPECT_EQ(error_of([&] { executable->run(inputs); }), "input ids: shape [5], expected [B,S]");
  inputs = Block::inputs({3, 2});
  inputs["rows"] = i64({1, 3}, {0, 5, 0});
  EXPECT_EQ(error_of([&] { executable->run(inputs); }), "input rows: shape [1,3], expected [N,2]");
}

TEST_P(AnyBackend, AFailedRunLeavesTheExecutableUsable) {
  const Block block;
  auto executable = block.sample.compile(GetParam(), {.threads = 2});
  const NamedTensors good = executable->run(Block::inputs({4}));
  NamedTensors bad = Block::inputs({4});
  bad["ids"] = i64({1, 4}, {0, 1, 50, 2});
  EXPECT_NE(error_of([&] { executable->run(bad); }).find("index 50 is outside a table of 50 lines"), std::string::npos);
  expect_equal_bits(executable->run(Block::inputs({4})), good);
}

TEST(CpuExecutable, RefusesRowsThatOverlapAreOutOfOrderOrLeaveTheTokens) {
  const Block block;
  auto executable = block.sample.compile("cpu");
  for (const std::vector<int64_t>& rows : std::vector<std::vector<int64_t>>{{0, 3, 2, 3},   // overlap
                                                                            {3, 2, 0, 3},   // out of order
                                                                            {0, 3, 3, 3},   // one token too long
                                                                            {-1, 3, 3, 2},  // before the first
                                                                            {0, -1, 3, 2},  // negative length
                                                                            {0, 3, INT64_MAX, 2},
                                                                            {0, 3, 3, INT64_MAX}}) {
    NamedTensors inputs = Block::inputs({3, 2});
    inputs["rows"] = i64({2, 2}, rows);
    const std::string message = error_of([&] { executable->run(inputs); });
    EXPECT_EQ(message.substr(0, 9), "rows: row") << to_string(Dims(rows));
  }
  NamedTensors gaps = Block::inputs({5});
  gaps["rows"] = i64({2, 2}, {1, 1, 3, 2});
  EXPECT_EQ(executable->run(gaps).at("pooled").dims(), (Dims{2, 24})) << "gaps are padding";
}

TEST(ReferenceBackend, RefusesRowsThatLeaveTheTokens) {
  Sample s;
  s.tokens(RowTable::packed({4}), {}, {0, 0, 0, 0});
  s.inputs["rows"] = i64({1, 2}, {2, 3});
  const Rows rows = Rows::input(s.graph);
  EXPECT_EQ(error_of([&] { s.run("reference", op::row_numbers(rows)); }), "rows: row 0 [2, 2+3) is outside 4 tokens");
}

TEST(CpuExecutable, GivesTheSameBitsForAnyNumberOfThreads) {
  const Block block;
  const NamedTensors inputs = Block::inputs({200, 3, 77, 1});
  const NamedTensors one = block.sample.compile("cpu", {.threads = 1})->run(inputs);
  for (int threads : {2, 3}) expect_equal_bits(block.sample.compile("cpu", {.threads = threads})->run(inputs), one);
}

TEST(CpuExecutable, ConcurrentCallersGetWhatEachWouldGetAlone) {
  const Block block;
  auto executable = block.sample.compile("cpu", {.threads = 2});
  std::vector<NamedTensors> inputs, expected;
  for (int64_t caller = 0; caller < 4; ++caller) {
    inputs.push_back(Block::inputs({10 + caller, 3, 40 - caller}, caller));
    expected.push_back(executable->run(inputs.back()));
  }
  std::atomic<int> different{0};
  std::vector<std::thread> callers;
  for (size_t caller = 0; caller < inputs.size(); ++caller) {
    callers.emplace_back([&, caller] {
      for (int repeat = 0; repeat < 25; ++repeat) {
        const NamedTensors actual = executable->run(inputs[caller]);
        for (const auto& [name, tensor] : expected[caller]) {
          if (std::memcmp(tensor.data(), actual.at(name).data(), tensor.bytes()) != 0) ++different;
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(different.load(), 0);
}

TEST_P(AnyBackend, PlannedBytesGrowWithTheTokens) {
  const Block block;
  auto executable = block.sample.compile(GetParam());
  size_t before = 0;
  for (int64_t tokens : {16, 64, 256}) {
    const size_t bytes = executable->planned_bytes(RowTable::packed({tokens}).symbols());
    EXPECT_GT(bytes, before);
    before = bytes;
  }
  EXPECT_THROW(executable->planned_bytes({}), Error) << "symbols without values";
}

TEST(Backends, AreFoundByName) {
  ASSERT_FALSE(backend_names().empty());
  for (const std::string& name : backend_names()) EXPECT_EQ(find_backend(name).name(), name);
  EXPECT_NE(error_of([] { find_backend("abacus"); }, ErrorCode::kUnsupported).find("available: cpu"),
            std::string::npos);
  EXPECT_NE(error_of([] { parse_precision("f12"); }, ErrorCode::kUnsupported).find("\"f12\""), std::string::npos);
  EXPECT_STREQ(precision_name(parse_precision("auto")), "auto");
  EXPECT_STREQ(precision_name(parse_precision("f32")), "f32");
}

TEST(CpuBackend, KeepsWeightsAsTheyAreStored) {
  struct Kind {
    DType dtype;
    cpu::Source source;
    Precision precision;
    float most;  // off f32 on the same weights
  };
  for (const Kind& kind : {Kind{DType::kBf16, cpu::Source::kBf16, Precision::kBf16, 0.05f},
                           Kind{DType::kF16, cpu::Source::kF16, Precision::kF16, 1e-5f}}) {
    Block block;
    for (auto& [name, weight] : block.sample.weights) {
      Tensor narrow = Tensor::allocate(kind.dtype, weight.dims());
      cpu::kernel_table(cpu::best_isa())
          .narrow(kind.source, weight.f32().data(), narrow.mutable_data(), weight.count());
      weight = narrow;
    }
    const auto own = block.sample.compile("cpu"), f32 = block.sample.compile("cpu", {.precision = Precision::kF32});
    EXPECT_EQ(own->precision(), kind.precision);
    EXPECT_EQ(f32->precision(), Precision::kF32);
    EXPECT_LT(own->weight_bytes(), f32->weight_bytes());
    const Tensor a = own->run(Block::inputs({40, 3})).at("tokens"), b = f32->run(Block::inputs({40, 3})).at("tokens");
    for (int64_t i = 0; i < a.count(); ++i) {
      ASSERT_NEAR(a.f32()[static_cast<size_t>(i)], b.f32()[static_cast<size_t>(i)], kind.most) << i;
    }
  }
}

TEST(CpuBackend, RefusesInstructionSetsThatItDoesNotHave) {
  const Block block;
  EXPECT_NE(error_of([&] { block.sample.compile("cpu", {.instruction_set = "mmx"}); }).find("\"mmx\" is unknown"),
            std::string::npos);
}

}  // namespace
}  // namespace gamut
