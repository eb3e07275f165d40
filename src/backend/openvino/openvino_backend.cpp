// The OpenVINO backend, and the entry point of the module that holds it.
#include <algorithm>

#include <openvino/core/version.hpp>
#include <openvino/runtime/properties.hpp>
#include "backend/module.h"
#include "backend/openvino/compile_cache.h"
#include "backend/openvino/device.h"
#include "backend/openvino/executable.h"
#include "backend/openvino/file_weights.h"
#include "backend/openvino/lower.h"
#include "backend/paged_state.h"
#include "backend/reference/reference_backend.h"
#include "graph/op_schema.h"
#include "graph/verifier.h"
#include "passes/decompose.h"
#include "passes/fold.h"

namespace gamut::openvino {
namespace {

/// Throws Error{kUnsupported} that names model, node and operator when one has no lowering.
void require_support(const Graph& graph, const std::string& model) {
  for (const Node& node : graph.nodes()) {
    const bool is_leaf = node.op == &kInput || node.op == &kWeight || node.op == &kConstant;
    if (is_leaf || find_lowering(node) != nullptr) continue;
    fail(ErrorCode::kUnsupported, "{}: node \"{}\": operator {} is not supported by the openvino backend",
         model.empty() ? graph.name() : model, node.label, node.op->name);
  }
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
      info.precisions = precisions_of(info.devices.at(0));
      return info;
    });
  }

  bool prefers_packed_rows() const override { return false; }
  bool supports(const Node& node) const override { return find_lowering(node) != nullptr; }

  std::unique_ptr<Executable> compile(const Graph& graph, std::shared_ptr<const Checkpoint> checkpoint,
                                      const CompileOptions& options) const override {
    const std::vector<int> quantised = find_quantised(graph);
    Folded folded =
        fold_weights(graph, [&](const Node& node) { return std::ranges::count(quantised, node.outputs[0]) > 0; });
    verify_if_wanted(folded.graph);
    Graph direct = decompose(folded.graph, [this](const Node& node) { return supports(node); });
    verify_if_wanted(direct);
    require_support(direct, options.model);
    const Weights weights(checkpoint, std::move(folded.expressions), reference::evaluate_expression);
    Interface interface(direct);
    checkpoint->require_whole();  // compiling touches every weight in the map
    return translated("compiling", [&] {
      const Device device = find_device(options, *checkpoint);
      ov::CompiledModel model = load_or_compile(direct, weights, interface, device, options);
      const Precision precision = require_precision(model, device);
      return std::make_unique<OpenvinoExecutable>(std::move(direct), std::move(interface), std::move(model), precision,
                                                  std::move(checkpoint));
    });
  }
  /// Sequences lie in host memory: a run takes what its rows have as inputs, and what it adds comes back as results.
  std::unique_ptr<State> make_state(const std::vector<StateSpec>& specs, size_t budget) const override {
    return std::make_unique<PagedState>(specs, budget);
  }

 private:
  static ov::CompiledModel load_or_compile(const Graph& graph, const Weights& weights, const Interface& interface,
                                           const Device& device, const CompileOptions& options) {
    const auto cache = CompileCache::open(options, graph, *weights.checkpoint(), device);
    if (!cache)
      return core().compile_model(Lowering(graph, weights, interface).run(), device.name, device.properties());
    if (auto known = cache->load(device)) return *known;
    auto shared = cache->leaves_weights() ? read_file_weights(graph, weights) : std::map<std::string, Out>();
    ov::CompiledModel model = core().compile_model(Lowering(graph, weights, interface, std::move(shared)).run(),
                                                   device.name, cache->properties(device));
    cache->store(model);
    return model;
  }
};

}  // namespace
}  // namespace gamut::openvino

extern "C" __attribute__((visibility("default"))) const gamut::BackendModule* gamut_backend_module() {
  static const gamut::openvino::OpenvinoBackend backend;
  static const gamut::BackendModule module{GAMUT_VERSION, &backend};
  return &module;
}
