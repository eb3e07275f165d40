// A backend module that answers the self-test with one half everywhere, to see that `gamut doctor` finds it. It has the
// library in itself, so that it fits beside any program of the same sources, with OpenVINO or without; nothing of its
// copy is compared with the program's (operators are told apart by address), and nothing is thrown.
#include "backend/backend.h"
#include "backend/module.h"

namespace {

using namespace gamut;

class WrongExecutable : public Executable {
 public:
  NamedTensors run(const NamedTensors& inputs, const StateRun&) const override {
    constexpr int64_t kWidth = 64;
    const Dims& ids = inputs.at("input_ids").dims();
    NamedTensors results{{"tokens", Tensor::allocate(DType::kF32, {ids[0], ids[1], kWidth})},
                         {"sentence", Tensor::allocate(DType::kF32, {inputs.at("rows").dim(0), kWidth})}};
    for (auto& [name, tensor] : results) {
      for (float& value : tensor.mutable_f32()) value = 0.5f;
    }
    return results;
  }
  Precision precision() const override { return Precision::kF32; }
  size_t planned_bytes(const SymbolValues&) const override { return 0; }
  size_t weight_bytes() const override { return 0; }
};

class WrongBackend : public Backend {
 public:
  std::string name() const override { return "openvino"; }
  BackendInfo probe() const override { return {"0", {"CPU", "GPU"}, {"wrong", "wrong too"}}; }
  bool prefers_packed_rows() const override { return true; }
  bool supports(const Node&) const override { return true; }
  std::unique_ptr<Executable> compile(const Graph&, std::shared_ptr<const Checkpoint>,
                                      const CompileOptions&) const override {
    return std::make_unique<WrongExecutable>();
  }
  std::unique_ptr<State> make_state(const std::vector<StateSpec>&, size_t) const override { return nullptr; }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const gamut::BackendModule* gamut_backend_module() {
  static const WrongBackend backend;
  static const gamut::BackendModule module{gamut::module_version(), &backend};
  return &module;
}
