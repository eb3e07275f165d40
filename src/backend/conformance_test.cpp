// Every operator's sample cases on every backend and instruction set, against the reference backend.
#include <gtest/gtest.h>

#include <cmath>

#include "backend/backend.h"
#include "backend/cpu/kernel_table.h"
#include "base/cpu_info.h"
#include "graph/verifier.h"
#include "ops/table.h"

namespace gamut {
namespace {

struct Target {
  const char* backend;
  const char* instruction_set;
  int threads;
};

class Conformance : public testing::TestWithParam<Target> {};

std::string describe(const Target& target) {
  return std::string(target.backend) + (target.instruction_set[0] ? std::string("_") + target.instruction_set : "");
}

void expect_close(const Tensor& actual, const Tensor& expected, double tolerance, const std::string& name) {
  ASSERT_EQ(actual.dims(), expected.dims()) << name;
  ASSERT_EQ(actual.dtype(), expected.dtype()) << name;
  double scale = 1;
  for (float value : expected.f32()) scale = std::max(scale, std::fabs(static_cast<double>(value)));
  for (size_t i = 0; i < expected.f32().size(); ++i) {
    const double difference = std::fabs(static_cast<double>(actual.f32()[i]) - expected.f32()[i]);
    ASSERT_LE(difference, tolerance * scale)
        << name << " at " << i << ": " << actual.f32()[i] << ", expected " << expected.f32()[i];
  }
}

TEST_P(Conformance, EqualsTheReference) {
  const Target target = GetParam();
  CompileOptions options{.threads = target.threads, .instruction_set = target.instruction_set};
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (options.instruction_set == isa_name(isa) && !cpu::has_kernels(isa)) GTEST_SKIP() << "not on this machine";
  }
  for (const OpSchema* op : op::table()) {
    ASSERT_NE(op->cases, nullptr) << op->name << " has no sample cases";
    for (OpCase& sample : op->cases()) {
      SCOPED_TRACE(sample.name);
      verify(sample.graph);
      auto weights = std::make_shared<Checkpoint>(Checkpoint::from_tensors(sample.weights));
      auto expected = find_backend("reference").compile(sample.graph, weights, {})->run(sample.inputs);
      auto executable = find_backend(target.backend).compile(sample.graph, weights, options);
      for (int repeat = 0; repeat < 2; ++repeat) {  // the second run reuses plan and memory
        auto actual = executable->run(sample.inputs);
        expect_close(actual.at("y"), expected.at("y"), sample.tolerance, sample.name);
      }
    }
  }
}

std::vector<Target> targets() {
  std::vector<Target> all{{"cpu", "baseline", 1}, {"cpu", "avx2", 2}, {"cpu", "avx512", 2}, {"cpu", "avx512", 1}};
  for (const BackendStatus& status : backend_statuses()) {
    if (status.backend != nullptr && status.name == "openvino") all.push_back({"openvino", "", 2});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Backends, Conformance, testing::ValuesIn(targets()), [](const auto& target) {
  return describe(target.param) + "_" + std::to_string(target.param.threads);
});

TEST(Backends, OfThisBuildCanBeUsed) {
  for (const BackendStatus& status : backend_statuses()) {
#ifndef GAMUT_HAS_OPENVINO
    if (status.name == "openvino") continue;
#endif
    EXPECT_NE(status.backend, nullptr) << status.name << ": " << status.problem;
  }
}

TEST(Operators, ComposedOnesDecomposeAndCoreOnesDoNot) {
  for (const OpSchema* op : op::table()) {
    EXPECT_EQ(op->decompose != nullptr, op->op_class == OpClass::kComposed) << op->name;
  }
}

}  // namespace
}  // namespace gamut
