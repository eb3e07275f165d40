#include "backend/reference/reference_backend.h"

#include "backend/host_ops.h"
#include "backend/paged_state.h"
#include "backend/reference/stateful_ops.h"
#include "checkpoint/convert.h"
#include "graph/op_schema.h"
#include "graph/verifier.h"
#include "passes/binding.h"
#include "passes/decompose.h"
#include "passes/memory_plan.h"

namespace gamut::reference {
namespace {

bool has_state(const Node& node) { return !state_name(node).empty(); }

/// Runs a graph of core operators node by node; every value is a tensor of its own. With states also operators that
/// have one.
NamedTensors run_graph(const Graph& graph, const Checkpoint& checkpoint, const NamedTensors& inputs,
                       const SymbolValues& symbols, const StateRun& states = {}) {
  std::vector<Tensor> values(graph.value_count());
  for (const Node& node : graph.nodes()) {
    Tensor& result = values[node.outputs[0]];
    if (node.op == &kInput) {
      result = inputs.at(node.attributes.s("name"));
    } else if (node.op == &kConstant) {
      result = node.constant;
    } else if (node.op == &kWeight) {
      const Tensor stored = checkpoint.stored(node.attributes.s("name")).load();
      result = graph.info(node.outputs[0]).dtype == DType::kF32 ? to_f32(stored) : stored;
    } else {
      const ValueInfo& info = graph.info(node.outputs[0]);
      result = Tensor::allocate(info.dtype, evaluate(info.shape, symbols));
      std::vector<HostTensor> arguments;
      for (int input : node.inputs) {
        HostTensor argument;
        if (input >= 0) {
          const Tensor& tensor = values[input];
          argument = {tensor.dtype(), &tensor.dims(), const_cast<void*>(tensor.data())};
        }
        arguments.push_back(argument);
      }
      const HostTensor target{result.dtype(), &result.dims(), result.mutable_data()};
      if (states.state != nullptr && has_state(node)) {
        run_stateful_op(node, arguments, target, states);
      } else {
        run_core_op(node, arguments, target, symbols);
      }
    }
  }
  NamedTensors outputs;
  for (const auto& [name, value] : graph.outputs()) outputs[name] = values[value];
  return outputs;
}

class ReferenceExecutable : public Executable {
 public:
  ReferenceExecutable(Graph graph, Graph stateful, std::shared_ptr<const Checkpoint> checkpoint)
      : graph_(std::move(graph)), stateful_(std::move(stateful)), checkpoint_(std::move(checkpoint)) {}

  using Executable::run;
  NamedTensors run(const NamedTensors& inputs, const StateRun& states) const override {
    const Graph& graph = states.state == nullptr ? graph_ : stateful_;
    return run_graph(graph, *checkpoint_, inputs, bind_symbols(graph, inputs), states);
  }
  Precision precision() const override { return Precision::kF32; }
  size_t planned_bytes(const SymbolValues& symbols) const override { return gamut::planned_bytes(graph_, symbols); }
  size_t weight_bytes() const override { return 0; }

 private:
  Graph graph_;     // core operators
  Graph stateful_;  // and operators that have states
  std::shared_ptr<const Checkpoint> checkpoint_;
};

class ReferenceBackend : public Backend {
 public:
  std::string name() const override { return "reference"; }
  BackendInfo probe() const override { return {GAMUT_VERSION, {"CPU"}, {"plain loops"}, {Precision::kF32}}; }
  bool prefers_packed_rows() const override { return true; }
  bool supports(const Node& node) const override { return is_host_op(node); }
  std::unique_ptr<Executable> compile(const Graph& graph, std::shared_ptr<const Checkpoint> checkpoint,
                                      const CompileOptions& options) const override {
    require_plain_options(*this, options);
    Graph core = decompose(graph, [](const Node&) { return false; });
    verify_if_wanted(core);
    Graph stateful = decompose(graph, has_state);
    verify_if_wanted(stateful);
    return std::make_unique<ReferenceExecutable>(std::move(core), std::move(stateful), std::move(checkpoint));
  }
  std::unique_ptr<State> make_state(const std::vector<StateSpec>& specs, size_t budget) const override {
    return std::make_unique<PagedState>(specs, budget);
  }
};

}  // namespace

const Backend& backend() {
  static const ReferenceBackend instance;
  return instance;
}

Tensor evaluate_expression(const Graph& expression, const Checkpoint& checkpoint) {
  const Graph core = decompose(expression, [](const Node&) { return false; });
  return run_graph(core, checkpoint, {}, {}).at("value");
}

}  // namespace gamut::reference
