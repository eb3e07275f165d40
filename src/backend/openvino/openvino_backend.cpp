// The OpenVINO backend, and the entry point of the module that holds it.
#include <algorithm>

#include "backend/module.h"
#include "backend/openvino/executable.h"
#include "backend/openvino/lower.h"
#include "backend/reference/reference_backend.h"
#include "base/cpu_info.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "graph/verifier.h"
#include "openvino/runtime/core.hpp"
#include "openvino/runtime/properties.hpp"
#include "passes/decompose.h"
#include "passes/fold.h"

namespace gamut::openvino {
namespace {

/// One for the process. It is never taken down: its threads may outlive whoever would do it.
ov::Core& core() {
  static ov::Core* const instance = new ov::Core();
  return *instance;
}

ov::element::Type inference_precision(Precision precision) {
  switch (precision) {
    case Precision::kAuto:
    case Precision::kF32: return ov::element::f32;
    case Precision::kBf16: return ov::element::bf16;
    case Precision::kF16: return ov::element::f16;
  }
  return ov::element::f32;
}

ov::AnyMap properties(const CompileOptions& options, const std::string& device) {
  ov::AnyMap map{ov::hint::inference_precision(inference_precision(options.precision)),
                 ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY)};
  if (device == "CPU") {
    map.insert(ov::inference_num_threads(options.threads > 0 ? options.threads : cpu_info().cores));
    map.insert(ov::num_streams(1));
  }
  return map;
}

class OpenvinoBackend : public Backend {
 public:
  std::string name() const override { return "openvino"; }

  BackendInfo probe() const override {
    return translated("asking for the devices", [] {
      BackendInfo info;
      info.version = ov::get_openvino_version().buildNumber;
      for (const std::string& device : core().get_available_devices()) {
        info.devices.push_back(device);
        info.descriptions.push_back(core().get_property(device, ov::device::full_name));
      }
      return info;
    });
  }

  bool prefers_packed_rows() const override { return false; }
  bool supports(const Node& node) const override { return find_lowering(node) != nullptr; }

  std::unique_ptr<Executable> compile(const Graph& graph, std::shared_ptr<const Checkpoint> checkpoint,
                                      const CompileOptions& options) const override {
    const std::string device = options.device.empty() ? "CPU" : options.device;
    Folded folded = fold_weights(graph);
    verify_if_wanted(folded.graph);
    Graph direct = decompose(folded.graph, [this](const Node& node) { return supports(node); });
    verify_if_wanted(direct);
    require_support(direct);
    const Weights weights(checkpoint, std::move(folded.expressions), reference::evaluate_expression);
    Interface interface(direct);
    return translated("compiling", [&] {
      const std::shared_ptr<ov::Model> model = Lowering(direct, weights, interface).run();
      ov::CompiledModel compiled = core().compile_model(model, device, properties(options, device));
      return std::make_unique<OpenvinoExecutable>(std::move(direct), std::move(interface), std::move(compiled),
                                                  std::move(checkpoint));
    });
  }

 private:
  void require_support(const Graph& graph) const {
    for (const Node& node : graph.nodes()) {
      const bool is_leaf = node.op == &kInput || node.op == &kWeight || node.op == &kConstant;
      if (is_leaf || supports(node)) continue;
      fail(ErrorCode::kUnsupported, "{}: {}: operator {} is not supported by the openvino backend", graph.name(),
           node.label, node.op->name);
    }
  }
};

}  // namespace
}  // namespace gamut::openvino

extern "C" __attribute__((visibility("default"))) const gamut::BackendModule* gamut_backend_module() {
  static const gamut::openvino::OpenvinoBackend backend;
  static const gamut::BackendModule module{GAMUT_VERSION, &backend};
  return &module;
}
