#include "backend/openvino/interface.h"

#include <algorithm>

#include "backend/openvino/fill.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "graph/rows.h"
#include "ops/attention.h"
#include "ops/gather_rows.h"
#include "ops/pool_rows.h"
#include "ops/row_index.h"
#include "ops/slice.h"

namespace gamut::openvino {
namespace {

std::string rows_name(const Graph& graph, const Node& node, int value) {
  const Node& producer = graph.producer(value);
  if (producer.op == &kInput) return producer.attributes.s("name");
  if (producer.op == &kConstant) return fmt::format("#{}", value);
  fail(ErrorCode::kUnsupported, "{}: operator {}: the openvino backend takes no rows that the graph computes",
       node.label, node.op->name);
}

}  // namespace

ModelInput row_index_input(const Graph& graph, const Node& node) {
  const bool wants_row = node.attributes.s("kind") == "row";
  return {wants_row ? Fill::kRowNumbers : Fill::kRowPositions, rows_name(graph, node, node.inputs[0])};
}

ModelInput row_tokens_input(const Graph& graph, const Node& node) {
  return {Fill::kRowTokens, rows_name(graph, node, node.inputs[1])};
}

ModelInput token_lines_input(const Graph& graph, const Node& node) {
  return {Fill::kTokenLines, rows_name(graph, node, node.inputs[1])};
}

bool find_places(const Graph& graph, const Node& node, ModelInput* places) {
  const PoolKind kind = pool_kind(node);
  if (kind != PoolKind::kFirst && kind != PoolKind::kLast) return false;
  *places = {kind == PoolKind::kFirst ? Fill::kFirstTokens : Fill::kLastTokens, rows_name(graph, node, node.inputs[1])};
  return true;
}

bool find_mask(const Graph& graph, const Node& node, ModelInput* mask) {
  const bool has_rows = node.inputs.size() > 3 && node.inputs[3] >= 0;
  const bool causal = node.attributes.b("causal");
  if (!has_rows && !causal) return false;
  *mask = {.fill = Fill::kMask,
           .name = has_rows ? rows_name(graph, node, node.inputs[3]) : "",
           .causal = causal,
           .window = node.attributes.i("window"),
           .chunk = node.attributes.i("chunk")};
  if (!state_name(node).empty()) mask->past = node.op->state(graph, node).window, mask->has_past = true;
  return true;
}

ModelInput distances_input(const Graph& graph, const Node& node) {
  ModelInput distances;
  find_mask(graph, node, &distances);
  distances.fill = Fill::kDistances;
  distances.window = distances.chunk = 0;
  return distances;
}

ModelInput past_input(const Graph& graph, const Node& node, Fill fill) {
  return {.fill = fill, .name = rows_name(graph, node, node.inputs[3]), .state = state_name(node)};
}

ModelInput state_input(const Graph& graph, const Node& node, int rows) {
  return {.fill = Fill::kState, .name = rows_name(graph, node, rows), .state = state_name(node)};
}

bool has_bound_ids(const Graph& graph, const Node& node) { return graph.producer(node.inputs[1]).op == &kInput; }

void require_short_integers(const Tensor& tensor, const std::string& what) {
  if (tensor.dtype() != DType::kI64) return;
  for (int64_t value : tensor.i64()) {
    if (value == static_cast<int32_t>(value)) continue;
    fail(ErrorCode::kUnsupported, "{}: {} needs more than the 32 bits that OpenVINO computes with", what, value);
  }
}

Interface::Interface(const Graph& graph) : states_(find_states(graph)) {
  for (const Node* node : graph.inputs()) add({Fill::kBound, node->attributes.s("name")});
  for (const Node& node : graph.nodes()) {
    ModelInput input;
    if (node.op == &op::kRowIndex) {
      add(row_index_input(graph, node));
      add_rows(graph, node, node.inputs[0]);
    }
    if (node.op == &op::kPoolRows && find_places(graph, node, &input)) {
      add(input);
      add_rows(graph, node, node.inputs[1]);
    }
    if (is_recurrent(graph, node)) {
      add(row_tokens_input(graph, node));
      add(token_lines_input(graph, node));
      if (!state_name(node).empty()) add(state_input(graph, node, node.inputs[1]));
      add_rows(graph, node, node.inputs[1]);
    }
    if (node.op == &op::kAttention && find_mask(graph, node, &input)) {
      add(input);
      if (!input.name.empty()) add_rows(graph, node, node.inputs[3]);
      if (node.inputs.size() > 6 && node.inputs[6] >= 0) add(distances_input(graph, node));
      if (input.has_past) {
        add(past_input(graph, node, Fill::kPastKeys));
        add(past_input(graph, node, Fill::kPastValues));
      }
    }
    if (node.op == &op::kGatherRows && has_bound_ids(graph, node)) {
      const auto limit = graph.info(node.inputs[0]).shape[0].constant();
      if (limit) id_checks_.push_back({graph.producer(node.inputs[1]).attributes.s("name"), *limit, node.label});
    }
    if (node.op == &op::kSlice) {
      const Shape& from = graph.info(node.inputs[0]).shape;
      const size_t axis = static_cast<size_t>(node.attributes.i("axis"));
      const Extent length = graph.info(node.outputs[0]).shape[axis];
      slice_checks_.push_back({node.attributes.extent("begin"), length, from[axis], node.label});
    }
  }
}

void Interface::add_rows(const Graph& graph, const Node& node, int value) {
  const Node& producer = graph.producer(value);
  if (producer.op == &kConstant) constant_rows_[rows_name(graph, node, value)] = producer.constant;
}

void Interface::add(const ModelInput& input) {
  if (std::ranges::find(inputs_, input) == inputs_.end()) inputs_.push_back(input);
}

size_t Interface::find(const ModelInput& input) const {
  const auto found = std::ranges::find(inputs_, input);
  check_internal(found != inputs_.end(), "openvino: an input of the model was not planned");
  return static_cast<size_t>(found - inputs_.begin());
}

void Interface::check(const NamedTensors& bound, const SymbolValues& symbols) const {
  for (const IdCheck& check : id_checks_) {
    for (int64_t id : bound.at(check.input).i64()) {
      if (id >= 0 && id < check.limit) continue;
      fail(ErrorCode::kInvalidArgument, "{}: index {} is outside a table of {} lines", check.label, id, check.limit);
    }
  }
  for (const SliceCheck& check : slice_checks_) {
    const int64_t begin = check.begin.evaluate(symbols), length = check.length.evaluate(symbols);
    const int64_t extent = check.extent.evaluate(symbols);
    if (begin >= 0 && begin <= extent && length <= extent - begin) continue;
    fail(ErrorCode::kInvalidArgument, "{}: slice [{}, {}+{}) is outside an axis of {}", check.label, begin, begin,
         length, extent);
  }
  for (const ModelInput& input : inputs_) {
    if (input.fill == Fill::kBound) require_short_integers(bound.at(input.name), "input " + input.name);
  }
}

std::vector<Tensor> Interface::fill(const NamedTensors& bound, const SymbolValues& symbols,
                                    const StateRun& states) const {
  FillRun run{constant_rows_, symbols, states, states_};
  run.bound.insert(bound.begin(), bound.end());
  std::vector<Tensor> tensors;
  for (const ModelInput& input : inputs_) tensors.push_back(make_input(input, run));
  return tensors;
}

std::pair<DType, std::vector<int64_t>> Interface::form(const ModelInput& input) const {
  const auto state = std::ranges::find(states_, input.state, &StateSpec::name);
  switch (input.fill) {
    case Fill::kMask:
    case Fill::kDistances: return {DType::kF32, {-1, 1, -1, -1}};
    case Fill::kPastKeys: return {DType::kF32, {-1, state->heads, -1, state->key_dim}};
    case Fill::kPastValues: return {DType::kF32, {-1, state->heads, -1, state->value_dim}};
    case Fill::kState: {
      std::vector<int64_t> dims(state->dims.begin(), state->dims.end());
      dims.insert(dims.begin(), -1);
      return {DType::kF32, dims};
    }
    case Fill::kFirstTokens:
    case Fill::kLastTokens: return {DType::kI64, {-1}};
    default: return {DType::kI64, {-1, -1}};
  }
}

const std::string& Interface::rows_of(const StateSpec& state) const {
  const auto found = std::ranges::find(inputs_, state.name, &ModelInput::state);
  check_internal(found != inputs_.end(), "openvino: a state that no input was planned for");
  return found->name;
}

size_t Interface::kept_count() const {
  size_t count = 0;
  for (const StateSpec& state : states_) count += state.kind == StateKind::kKv ? 2 : 1;
  return count;
}

}  // namespace gamut::openvino
