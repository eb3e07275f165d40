#include "runtime/self_check.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <stdexcept>

#include "gamut/error.h"

namespace gamut {
namespace {

using Change = std::function<void(NamedTensors& results)>;

/// The reference backend, with something done to every result.
class ChangedBackend : public Backend {
 public:
  explicit ChangedBackend(Change change) : change_(std::move(change)) {}

  std::string name() const override { return "changed"; }
  BackendInfo probe() const override { return {"1", {"CPU"}, {""}}; }
  bool prefers_packed_rows() const override { return false; }
  bool supports(const Node& node) const override { return base_.supports(node); }
  std::unique_ptr<Executable> compile(const Graph& graph, std::shared_ptr<const Checkpoint> checkpoint,
                                      const CompileOptions& options) const override {
    if (options.device == "no such device") return base_.compile(graph, checkpoint, options);
    return std::make_unique<Changed>(base_.compile(graph, std::move(checkpoint), {}), change_);
  }
  std::unique_ptr<State> make_state(const std::vector<StateSpec>& specs, size_t budget) const override {
    return base_.make_state(specs, budget);
  }

 private:
  struct Changed : Executable {
    Changed(std::unique_ptr<Executable> executable, Change change_results)
        : base(std::move(executable)), change(std::move(change_results)) {}
    NamedTensors run(const NamedTensors& inputs, const StateRun& states) const override {
      NamedTensors results = base->run(inputs, states);
      change(results);
      return results;
    }
    Precision precision() const override { return base->precision(); }
    size_t planned_bytes(const SymbolValues& symbols) const override { return base->planned_bytes(symbols); }
    size_t weight_bytes() const override { return base->weight_bytes(); }
    std::unique_ptr<Executable> base;
    Change change;
  };

  const Backend& base_ = find_backend("reference");
  Change change_;
};

std::string failure(const Change& change) { return run_self_check(ChangedBackend(change)).failure; }

TEST(SelfCheck, PassesOnEveryDeviceOfEveryBackend) {
  for (const std::string& name : backend_names()) {
    const Backend& backend = find_backend(name);
    for (const std::string& device : backend.probe().devices) {
      const SelfCheck check = run_self_check(backend, device);
      EXPECT_EQ(check.failure, "") << name << " on " << device;
      EXPECT_GT(check.error, 0) << "numbers from elsewhere differ in their last bits";
      EXPECT_LT(check.error, 1e-5) << name << " on " << device;
      EXPECT_GT(check.milliseconds, 0);
    }
  }
}

TEST(SelfCheck, PassesOnPaddedRows) {
  EXPECT_EQ(failure([](NamedTensors&) {}), "");
}

TEST(SelfCheck, NoticesOneWrongNumber) {
  for (const char* output : {"tokens", "sentence"}) {
    for (const float wrong :
         {0.001f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      const std::string message =
          failure([&](NamedTensors& results) { results.at(output).mutable_f32()[70] += wrong; });
      EXPECT_TRUE(message.starts_with(std::string(output) + ": ")) << message;
      EXPECT_NE(message.find("at 70, expected"), std::string::npos) << message;
    }
  }
}

TEST(SelfCheck, NoticesResultsOfAnotherForm) {
  EXPECT_EQ(failure([](NamedTensors& results) { results.erase("sentence"); }), "sentence: no result F32[2,64]");
  EXPECT_EQ(failure([](NamedTensors& results) {
              results.at("sentence") = results.at("sentence").reshaped({64, 2});
            }),
            "sentence: no result F32[2,64]");
  EXPECT_EQ(failure([](NamedTensors& results) {
              results.at("sentence") = Tensor::allocate(DType::kI64, {2, 64});
            }),
            "sentence: no result F32[2,64]");
}

TEST(SelfCheck, TurnsWhatIsThrownIntoTheFailure) {
  EXPECT_EQ(failure([](NamedTensors&) { throw Error(ErrorCode::kIo, "the device\nis gone"); }), "the device is gone");
  EXPECT_EQ(failure([](NamedTensors&) { throw std::runtime_error("clBuildProgram"); }), "clBuildProgram");
  EXPECT_EQ(failure([](NamedTensors&) { throw 7; }), "an exception that is no std::exception");
  EXPECT_NE(run_self_check(ChangedBackend([](NamedTensors&) {}), "no such device").failure, "");
}

TEST(SelfCheck, NoticesAWrongOracle) {
  // Both are wrong in the same way: only the numbers from elsewhere tell.
  const ChangedBackend wrong([](NamedTensors& results) {
    for (float& value : results.at("sentence").mutable_f32()) value *= 1.001f;
  });
  const std::string message = run_self_check(wrong, "", wrong).failure;
  EXPECT_TRUE(message.starts_with("sentence 0: ")) << message;
}

}  // namespace
}  // namespace gamut
