#include "runtime/self_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <new>

#include "base/system_text.h"
#include "checkpoint/seeded_weights.h"
#include "gamut/error.h"
#include "layers/basic.h"
#include "layers/scope.h"
#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/binary.h"
#include "ops/pool_rows.h"
#include "ops/reshape.h"
#include "runtime/session.h"

namespace gamut {
namespace {

constexpr int64_t kWords = 50, kPositions = 16, kWidth = 64, kHeadDim = 16, kInner = 160;
constexpr double kEps = 1e-12;

/// sentence[0, 0..8) and sentence[1, 0..8), computed in double by tools/self_check_values.py with PyTorch.
constexpr double kKnown[2][8] = {
    {-0.184951559, -0.766863425, -0.433615808, -0.243611443, 0.111592073, 0.344979584, -1.2336981, 0.312492679},
    {-0.813642966, -0.0923334411, -1.01674322, 0.219446093, -0.399553155, -0.318480048, -0.939397751, 0.685563338},
};

std::shared_ptr<const Checkpoint> weights() {
  NamedTensors tensors;
  auto add = [&](const std::string& name, Dims dims, double scale, double offset = 0) {
    tensors[name] = seeded_tensor(name, std::move(dims), 1, scale, offset);
  };
  auto linear = [&](const std::string& name, int64_t out, int64_t in) {
    add(name + ".weight", {out, in}, 0.25);
    add(name + ".bias", {out}, 0.25);
  };
  add("words.weight", {kWords, kWidth}, 1);
  add("positions.weight", {kPositions, kWidth}, 1);
  for (const char* name : {"query", "key", "value", "output"}) linear(name, kWidth, kWidth);
  linear("up", kInner, kWidth);
  linear("down", kWidth, kInner);
  for (const std::string name : {"attention_norm", "output_norm"}) {
    add(name + ".weight", {kWidth}, 0.25, 1);
    add(name + ".bias", {kWidth}, 0.25);
  }
  return std::make_shared<const Checkpoint>(Checkpoint::from_tensors(tensors));
}

/// words + positions, then a post-norm block, then the mean of each row.
Program record(const Checkpoint& checkpoint) {
  Program program{.model_type = "self-test", .head = "the self-test", .max_length = kPositions};
  program.inputs = {{.name = "input_ids", .limit = kWords},
                    {.name = "position_ids", .limit = kPositions, .fill = fill_positions()}};
  program.outputs = {{.name = "tokens"}, {.name = "sentence", .lines = Lines::kRows}};
  Graph graph("encode");
  WeightNames names(checkpoint, {});
  const Scope s(graph, names);
  const Rows rows = Rows::input(graph);
  auto token_input = [&](const char* name) { return graph.input(name, DType::kI64, {rows.batch(), rows.sequence()}); };
  const Value words = layer::embedding(s / "words", token_input("input_ids"));
  Value x = words + layer::embedding(s / "positions", token_input("position_ids"));
  auto heads = [&](const char* name) { return op::split_heads(layer::linear(s / name, x), kHeadDim); };
  const Value query = heads("query"), key = heads("key"), value = heads("value");
  const Value seen = op::merge_heads(op::attention(query, key, value, {.mask = {rows}}));
  x = layer::layer_norm(s / "attention_norm", x + layer::linear(s / "output", seen), kEps);
  const Value inner = op::activation(ActivationKind::kGelu, layer::linear(s / "up", x));
  x = layer::layer_norm(s / "output_norm", x + layer::linear(s / "down", inner), kEps);
  graph.set_output("tokens", x);
  graph.set_output("sentence", op::pool_rows(PoolKind::kMean, x, rows));
  program.graphs.emplace("encode", std::move(graph));
  return program;
}

NamedTensors run_on(const Backend& backend, const std::string& device) {
  const std::shared_ptr<const Checkpoint> checkpoint = weights();
  const Session session(record(*checkpoint), checkpoint, backend, {.precision = Precision::kF32, .device = device});
  return session.run_rows({{"input_ids", {{3, 14, 15, 9, 26, 5, 35}, {8, 9, 7, 49}}}});
}

/// The largest difference, relative to the largest number expected; notes in `test` what does not fit.
template <typename Expected>
void compare(const std::string& what, std::span<const float> actual, std::span<const Expected> expected,
             SelfCheck* test) {
  double scale = 0;
  for (const Expected value : expected) scale = std::max(scale, std::abs(static_cast<double>(value)));
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(static_cast<double>(actual[i]) - static_cast<double>(expected[i])) / scale;
    if (std::isfinite(error)) test->error = std::max(test->error, error);
    if (error <= kSelfCheckTolerance || !test->failure.empty()) continue;
    test->failure = fmt::format("{}: {:.6g} at {}, expected {:.6g}", what, actual[i], i, expected[i]);
  }
}

void compare_all(const NamedTensors& actual, const NamedTensors& expected, SelfCheck* test) {
  for (const auto& [name, tensor] : expected) {
    const auto found = actual.find(name);
    if (found == actual.end() || found->second.dtype() != DType::kF32 || found->second.dims() != tensor.dims()) {
      test->failure = fmt::format("{}: no result F32{}", name, to_string(tensor.dims()));
      return;
    }
    compare(name, found->second.f32(), tensor.f32(), test);
  }
}

void run_and_compare(const Backend& backend, const std::string& device, const Backend& oracle, SelfCheck* test) {
  const auto start = std::chrono::steady_clock::now();
  const NamedTensors actual = run_on(backend, device);
  test->milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  compare_all(actual, run_on(oracle, ""), test);
  if (!test->failure.empty()) return;
  for (size_t row = 0; row < std::size(kKnown); ++row) {
    const auto line = actual.at("sentence").f32().subspan(row * kWidth, std::size(kKnown[row]));
    compare(fmt::format("sentence {}", row), line, std::span<const double>(kKnown[row]), test);
  }
}

}  // namespace

SelfCheck run_self_check(const Backend& backend, const std::string& device, const Backend& oracle) {
  SelfCheck test;
  try {
    run_and_compare(backend, device, oracle, &test);
  } catch (const Error& error) {
    test.failure = one_line(error.message());
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    test.failure = one_line(error.what());
  } catch (...) {
    test.failure = "an exception that is no std::exception";
  }
  return test;
}

}  // namespace gamut
