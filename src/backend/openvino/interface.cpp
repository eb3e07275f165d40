#include "backend/openvino/interface.h"

#include <algorithm>
#include <array>

#include "backend/host_ops.h"
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

/// What is added to the score of a key that is not seen. Every query sees some key, if only itself, so that no softmax
/// runs over nothing and no NaN spreads from padding.
constexpr float kUnseen = -1e30f;

std::string rows_name(const Graph& graph, const Node& node, int value) {
  const Node& producer = graph.producer(value);
  if (producer.op == &kInput) return producer.attributes.s("name");
  if (producer.op == &kConstant) return fmt::format("#{}", value);
  fail(ErrorCode::kUnsupported, "{}: operator {}: the openvino backend takes no rows that the graph computes",
       node.label, node.op->name);
}

/// Row numbers or positions of the rows table, [B,S].
Tensor row_index(const Tensor& rows, const char* kind, const SymbolValues& symbols) {
  Node node;
  node.op = &op::kRowIndex;
  node.attributes = {{"kind", std::string(kind)}};
  Tensor result = Tensor::allocate(DType::kI64, {symbols.at(kBatch), symbols.at(kSequence)});
  const std::array inputs{HostTensor{rows.dtype(), &rows.dims(), const_cast<void*>(rows.data())}};
  run_core_op(node, inputs, {result.dtype(), &result.dims(), result.mutable_data()}, symbols);
  return result;
}

/// Which keys of a line a query sees.
struct Line {
  const int64_t* numbers;    // of the rows, -1 on padding; null: one row
  const int64_t* positions;  // in their rows; null: counted from 0
  int64_t length;

  bool sees(int64_t query, int64_t key, const ModelInput& mask) const {
    if (numbers != nullptr && numbers[query] != numbers[key]) return false;
    if (!mask.causal) return true;
    const int64_t q = positions != nullptr ? positions[query] : query;
    const int64_t k = positions != nullptr ? positions[key] : key;
    return k <= q && (mask.window == 0 || q < k + mask.window);
  }
};

/// True when no line of the grid holds tokens of two rows: then a key is seen by all queries of its line or by none.
bool has_one_row_per_line(const Tensor& numbers) {
  const int64_t lines = numbers.dim(0), length = numbers.dim(1);
  for (int64_t line = 0; line < lines; ++line) {
    const int64_t* at = numbers.i64().data() + line * length;
    const int64_t* end = at + length;
    const int64_t* first = std::find_if(at, end, [](int64_t number) { return number >= 0; });
    if (std::any_of(first, end, [&](int64_t number) { return number >= 0 && number != *first; })) return false;
  }
  return true;
}

/// F32 [B,1,1,S]: one line of keys serves all queries. A line of padding alone sees itself.
Tensor key_mask(const Tensor& numbers) {
  const int64_t lines = numbers.dim(0), length = numbers.dim(1);
  Tensor mask = Tensor::allocate(DType::kF32, {lines, 1, 1, length});
  float* to = mask.mutable_f32().data();
  for (int64_t line = 0; line < lines; ++line) {
    const auto numbers_of_line = numbers.i64().subspan(static_cast<size_t>(line * length), static_cast<size_t>(length));
    const bool is_padding = std::ranges::all_of(numbers_of_line, [](int64_t number) { return number < 0; });
    for (int64_t number : numbers_of_line) *to++ = number >= 0 || is_padding ? 0 : kUnseen;
  }
  return mask;
}

/// F32 [B,1,S,S].
Tensor full_mask(const ModelInput& input, const Tensor& numbers, const Tensor& positions, int64_t lines,
                 int64_t length) {
  Tensor mask = Tensor::allocate(DType::kF32, {lines, 1, length, length});
  float* to = mask.mutable_f32().data();
  for (int64_t line = 0; line < lines; ++line) {
    const Line tokens{numbers.empty() ? nullptr : numbers.i64().data() + line * length,
                      positions.empty() ? nullptr : positions.i64().data() + line * length, length};
    for (int64_t query = 0; query < length; ++query) {
      for (int64_t key = 0; key < length; ++key) *to++ = tokens.sees(query, key, input) ? 0 : kUnseen;
    }
  }
  return mask;
}

Tensor make_mask(const ModelInput& input, const NamedTensors& bound, const SymbolValues& symbols) {
  if (input.name.empty()) return full_mask(input, {}, {}, 1, symbols.at(kSequence));
  const Tensor numbers = row_index(bound.at(input.name), "row", symbols);
  if (!input.causal && has_one_row_per_line(numbers)) return key_mask(numbers);
  const Tensor positions = row_index(bound.at(input.name), "position", symbols);
  return full_mask(input, numbers, positions, symbols.at(kBatch), symbols.at(kSequence));
}

void require_inside(const Tensor& rows, int64_t n, int64_t tokens) {
  const int64_t start = rows.i64()[2 * n], length = rows.i64()[2 * n + 1];
  if (start >= 0 && length >= 0 && start <= tokens && length <= tokens - start) return;
  fail(ErrorCode::kInvalidArgument, "rows: row {} [{}, {}+{}) is outside {} tokens", n, start, start, length, tokens);
}

/// I64 [N]. Outside the grid OpenVINO's gather finds zeros.
Tensor row_ends(const Tensor& rows, bool wants_last, const SymbolValues& symbols) {
  const int64_t tokens = symbols.at(kBatch) * symbols.at(kSequence);
  Tensor places = Tensor::allocate(DType::kI64, {rows.dim(0)});
  for (int64_t n = 0; n < rows.dim(0); ++n) {
    const int64_t start = rows.i64()[2 * n], length = rows.i64()[2 * n + 1];
    require_inside(rows, n, tokens);
    places.mutable_i64()[n] = length == 0 ? tokens : wants_last ? start + length - 1 : start;
  }
  return places;
}

/// The length of the longest row, at least 1.
int64_t longest_row(const Tensor& rows) {
  int64_t longest = 1;
  for (int64_t n = 0; n < rows.dim(0); ++n) longest = std::max(longest, rows.i64()[2 * n + 1]);
  return longest;
}

/// I64 [N,L], or its inverse [B,S].
Tensor row_tokens(const Tensor& rows, bool wants_inverse, const SymbolValues& symbols) {
  const int64_t tokens = symbols.at(kBatch) * symbols.at(kSequence), count = rows.dim(0);
  for (int64_t n = 0; n < count; ++n) require_inside(rows, n, tokens);
  const int64_t longest = longest_row(rows);
  const Dims grid{symbols.at(kBatch), symbols.at(kSequence)};
  Tensor places = Tensor::allocate(DType::kI64, wants_inverse ? grid : Dims{count, longest});
  const auto to = places.mutable_i64();
  std::ranges::fill(to, wants_inverse ? count * longest : tokens);
  for (int64_t n = 0; n < count; ++n) {
    const int64_t start = rows.i64()[2 * n];
    for (int64_t i = 0; i < rows.i64()[2 * n + 1]; ++i) {
      const int64_t token = start + i, place = n * longest + i;
      to[static_cast<size_t>(wants_inverse ? token : place)] = wants_inverse ? place : token;
    }
  }
  return places;
}

Tensor make_input(const ModelInput& input, const NamedTensors& bound, const SymbolValues& symbols) {
  switch (input.fill) {
    case Fill::kBound: return bound.at(input.name);
    case Fill::kRowNumbers: return row_index(bound.at(input.name), "row", symbols);
    case Fill::kRowPositions: return row_index(bound.at(input.name), "position", symbols);
    case Fill::kFirstTokens: return row_ends(bound.at(input.name), /*wants_last=*/false, symbols);
    case Fill::kLastTokens: return row_ends(bound.at(input.name), /*wants_last=*/true, symbols);
    case Fill::kRowTokens: return row_tokens(bound.at(input.name), /*wants_inverse=*/false, symbols);
    case Fill::kTokenLines: return row_tokens(bound.at(input.name), /*wants_inverse=*/true, symbols);
    case Fill::kMask: return make_mask(input, bound, symbols);
  }
  return {};
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
  *mask = {Fill::kMask, has_rows ? rows_name(graph, node, node.inputs[3]) : "", causal, node.attributes.i("window")};
  return true;
}

bool has_bound_ids(const Graph& graph, const Node& node) { return graph.producer(node.inputs[1]).op == &kInput; }

void require_short_integers(const Tensor& tensor, const std::string& what) {
  if (tensor.dtype() != DType::kI64) return;
  for (int64_t value : tensor.i64()) {
    if (value == static_cast<int32_t>(value)) continue;
    fail(ErrorCode::kUnsupported, "{}: {} needs more than the 32 bits that OpenVINO computes with", what, value);
  }
}

Interface::Interface(const Graph& graph) {
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
      add_rows(graph, node, node.inputs[1]);
    }
    if (node.op == &op::kAttention && find_mask(graph, node, &input)) {
      add(input);
      if (!input.name.empty()) add_rows(graph, node, node.inputs[3]);
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

std::vector<Tensor> Interface::fill(const NamedTensors& bound, const SymbolValues& symbols) const {
  NamedTensors known = constant_rows_;
  known.insert(bound.begin(), bound.end());
  std::vector<Tensor> tensors;
  for (const ModelInput& input : inputs_) tensors.push_back(make_input(input, known, symbols));
  return tensors;
}

}  // namespace gamut::openvino
