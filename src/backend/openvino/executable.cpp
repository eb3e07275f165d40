#include "backend/openvino/executable.h"

#include <algorithm>
#include <cstring>

#include "backend/openvino/device.h"
#include "backend/openvino/lower.h"
#include "backend/paged_state.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/broadcast.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/linear.h"
#include "ops/matmul.h"
#include "ops/reshape.h"
#include "ops/row_index.h"
#include "ops/select.h"
#include "ops/slice.h"
#include "ops/transpose.h"
#include "passes/binding.h"
#include "passes/memory_plan.h"

namespace gamut::openvino {
namespace {

/// OpenVINO's view of a tensor's bytes.
ov::Tensor view(const Tensor& tensor) {
  static char nothing[1];
  void* data = tensor.bytes() > 0 ? const_cast<void*>(tensor.data()) : nothing;
  return {element_type(tensor.dtype()), ov::Shape(tensor.dims().begin(), tensor.dims().end()), data};
}

/// Operators that OpenVINO may take out, as it does a product with 1.
bool may_vanish(const Node& node) {
  for (const OpSchema* op : {&op::kReshape, &op::kTranspose, &op::kBroadcast, &op::kConcat, &op::kSlice, &op::kCast,
                             &op::kBinary, &op::kSelect, &op::kRowIndex}) {
    if (node.op == op) return true;
  }
  return node.inputs.empty() || (node.op == &op::kActivation && activation_kind(node) == ActivationKind::kIdentity);
}

/// By value: whether it may be an input's or a weight's memory. OpenVINO fills no tensor that it is given for such a
/// result.
std::vector<bool> find_passed_on(const Graph& graph) {
  std::vector<bool> passed_on(static_cast<size_t>(graph.value_count()));
  for (const Node& node : graph.nodes()) {
    const bool is_passed_on =
        may_vanish(node) && (node.inputs.empty() || std::ranges::any_of(node.inputs, [&](int input) {
                               return input >= 0 && passed_on[static_cast<size_t>(input)];
                             }));
    for (int output : node.outputs) passed_on[static_cast<size_t>(output)] = is_passed_on;
  }
  return passed_on;
}

/// Bytes of the weights that matrix products read: the device keeps them in a layout of its own.
size_t packed_weight_bytes(const Graph& graph) {
  size_t bytes = 0;
  for (const Node& node : graph.nodes()) {
    if (node.op != &op::kLinear && node.op != &op::kMatmul) continue;
    for (int input : node.inputs) {
      if (input < 0 || graph.producer(input).op != &kWeight) continue;
      int64_t count = 1;
      for (int64_t extent : evaluate(graph.info(input).shape, {})) count *= extent;
      bytes += static_cast<size_t>(count) * sizeof(float);
    }
  }
  return bytes;
}

}  // namespace

OpenvinoExecutable::OpenvinoExecutable(Graph graph, Interface interface, ov::CompiledModel model, Precision precision,
                                       std::shared_ptr<const Checkpoint> checkpoint)
    : graph_(std::move(graph)),
      interface_(std::move(interface)),
      checkpoint_(std::move(checkpoint)),
      is_passed_on_(find_passed_on(graph_)),
      precision_(precision),
      weight_bytes_(packed_weight_bytes(graph_)),
      model_(std::move(model)) {}

size_t OpenvinoExecutable::planned_bytes(const SymbolValues& symbols) const {
  return gamut::planned_bytes(graph_, symbols);
}

ov::InferRequest OpenvinoExecutable::take_request() const {
  std::lock_guard lock(mutex_);
  if (idle_requests_.empty()) return model_.create_infer_request();
  ov::InferRequest request = std::move(idle_requests_.back());
  idle_requests_.pop_back();
  return request;
}

/// Ids that the graph computes are looked at after the run; a gather of one outside its table has given zeros.
void OpenvinoExecutable::check_ids(ov::InferRequest& request) const {
  size_t result = graph_.outputs().size() + interface_.kept_count();
  for (const Node& node : graph_.nodes()) {
    if (node.op->name != std::string_view("gather_rows") || has_bound_ids(graph_, node)) continue;
    const int64_t limit = graph_.info(node.inputs[0]).shape[0].constant().value_or(INT64_MAX);
    for (int bound = 0; bound < 2; ++bound, ++result) {
      const ov::Tensor tensor = request.get_output_tensor(result);
      const int64_t id = *tensor.data<int64_t>();
      if (id >= 0 && id < limit) continue;
      fail(ErrorCode::kInvalidArgument, "{}: index {} is outside a table of {} lines", node.label, id, limit);
    }
  }
}

/// What the run adds to the sequences of its rows.
void OpenvinoExecutable::keep(ov::InferRequest& request, const NamedTensors& inputs, const StateRun& states) const {
  const auto& state = static_cast<const PagedState&>(*states.state);
  size_t result = graph_.outputs().size();
  for (const StateSpec& spec : interface_.states()) {
    const ov::Tensor first = request.get_output_tensor(result++);
    const float* numbers = first.data<float>();
    if (spec.kind == StateKind::kRecurrent) {
      const size_t count = first.get_size() / std::max<size_t>(states.sequences.size(), 1);
      for (int64_t sequence : states.sequences) {
        std::copy_n(numbers, count, state.recurrent(spec.name, sequence));
        numbers += count;
      }
      continue;
    }
    const ov::Tensor second = request.get_output_tensor(result++);
    const Tensor& rows = inputs.at(interface_.rows_of(spec));
    for (size_t n = 0; n < states.sequences.size(); ++n) {
      const int64_t start = rows.i64()[2 * n], length = rows.i64()[2 * n + 1];
      const int64_t sequence = states.sequences[n];
      state.write(state.kv(spec.name), sequence,
                  {.first = state.length(sequence),
                   .count = length,
                   .keys = numbers + start * spec.heads * spec.key_dim,
                   .values = second.data<float>() + start * spec.heads * spec.value_dim});
    }
  }
}

NamedTensors OpenvinoExecutable::run(const NamedTensors& inputs, const StateRun& states) const {
  const SymbolValues symbols = bind_symbols(graph_, inputs);
  interface_.check(inputs, symbols);
  checkpoint_->require_whole();  // a gather touches its table in the map
  const std::vector<Tensor> filled = interface_.fill(inputs, symbols, states);
  std::vector<Tensor> results;
  for (const auto& [name, value] : graph_.outputs()) {
    const ValueInfo& info = graph_.info(value);
    results.push_back(Tensor::allocate(info.dtype, evaluate(info.shape, symbols)));
  }
  translated("a run", [&] {
    ov::InferRequest request = take_request();
    for (size_t i = 0; i < filled.size(); ++i) request.set_input_tensor(i, view(filled[i]));
    for (size_t i = 0; i < results.size(); ++i) {
      if (!is_passed_on_[static_cast<size_t>(graph_.outputs()[i].second)])
        request.set_output_tensor(i, view(results[i]));
    }
    request.infer();
    for (size_t i = 0; i < results.size(); ++i) {
      const ov::Tensor found = request.get_output_tensor(i);
      check_internal(found.get_byte_size() == results[i].bytes(), "openvino: a result has another size than declared");
      if (results[i].bytes() > 0 && found.data() != results[i].data()) {
        std::memcpy(results[i].mutable_data(), found.data(), results[i].bytes());
      }
    }
    check_ids(request);
    if (states.state != nullptr) keep(request, inputs, states);
    std::lock_guard lock(mutex_);
    idle_requests_.push_back(std::move(request));
  });
  NamedTensors outputs;
  for (size_t i = 0; i < results.size(); ++i) outputs[graph_.outputs()[i].first] = results[i];
  return outputs;
}

}  // namespace gamut::openvino
