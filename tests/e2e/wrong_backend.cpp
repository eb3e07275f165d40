// A backend module whose results are one percent too large, to see that `gamut doctor` finds it. It has the library in
// itself, so that it fits beside any program of the same sources.
#include "backend/backend.h"
#include "backend/module.h"

namespace {

using namespace gamut;

class WrongExecutable : public Executable {
 public:
  explicit WrongExecutable(std::unique_ptr<Executable> base) : base_(std::move(base)) {}
  NamedTensors run(const NamedTensors& inputs) const override {
    NamedTensors results = base_->run(inputs);
    for (auto& [name, tensor] : results) {
      for (float& value : tensor.mutable_f32()) value *= 1.01f;
    }
    return results;
  }
  size_t planned_bytes(const SymbolValues& symbols) const override { return base_->planned_bytes(symbols); }
  size_t weight_bytes() const override { return base_->weight_bytes(); }

 private:
  std::unique_ptr<Executable> base_;
};

class WrongBackend : public Backend {
 public:
  std::string name() const override { return "openvino"; }
  BackendInfo probe() const override { return {"0", {"CPU", "GPU"}, {"wrong", "wrong too"}}; }
  bool prefers_packed_rows() const override { return true; }
  bool supports(const Node& node) const override { return find_backend("reference").supports(node); }
  std::unique_ptr<Executable> compile(const Graph& graph, std::shared_ptr<const Checkpoint> checkpoint,
                                      const CompileOptions&) const override {
    return std::make_unique<WrongExecutable>(find_backend("reference").compile(graph, std::move(checkpoint), {}));
  }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const gamut::BackendModule* gamut_backend_module() {
  static const WrongBackend backend;
  static const gamut::BackendModule module{gamut::module_version(), &backend};
  return &module;
}
