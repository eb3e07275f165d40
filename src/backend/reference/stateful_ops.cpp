#include "backend/reference/stateful_ops.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "backend/paged_state.h"
#include "backend/recurrent_ops.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "ops/attention.h"

namespace gamut::reference {
namespace {

const float* f32(const HostTensor& tensor) { return static_cast<const float*>(tensor.data); }

/// One row of a stateful operator: its tokens in the grid, and its sequence.
struct Row {
  int64_t start, length, sequence, past;
};

std::vector<Row> rows_of(const HostTensor& table, const StateRun& states) {
  const auto* lines = static_cast<const int64_t*>(table.data);
  if (table.data == nullptr || (*table.dims)[0] != static_cast<int64_t>(states.sequences.size())) {
    fail(ErrorCode::kInternal, "a run with states needs one sequence for each row");
  }
  std::vector<Row> rows;
  for (size_t n = 0; n < states.sequences.size(); ++n) {
    const int64_t sequence = states.sequences[n];
    rows.push_back({lines[2 * n], lines[2 * n + 1], sequence, states.state->length(sequence)});
  }
  return rows;
}

/// The inputs and attributes of an attention node.
struct Attention {
  const Node& node;
  std::span<const HostTensor> inputs;
  const PagedState& state;
  const PagedKv& kv;

  const float* input(size_t i) const { return i < inputs.size() ? f32(inputs[i]) : nullptr; }
  const float* key(int64_t sequence, int64_t head, int64_t place) const {
    const float* page = state.pages(kv, sequence)[place / kPageTokens];
    return page + kv.keys + (head * kPageTokens + place % kPageTokens) * kv.spec.key_dim;
  }
  const float* value(int64_t sequence, int64_t head, int64_t place) const {
    const float* page = state.pages(kv, sequence)[place / kPageTokens];
    return page + kv.values + (head * kPageTokens + place % kPageTokens) * kv.spec.value_dim;
  }
  int64_t first_key(int64_t place) const;
  void store(const Row& row) const;
  void attend(const Row& row, int64_t token, int64_t head, float* out) const;
};

int64_t Attention::first_key(int64_t place) const {
  const int64_t window = node.attributes.i("window"), chunk = node.attributes.i("chunk");
  int64_t first = 0;
  if (window > 0) first = std::max<int64_t>(0, place - window + 1);
  if (chunk > 0) first = std::max(first, place / chunk * chunk);
  return first;
}

void Attention::store(const Row& row) const {
  const int64_t line = row.start * kv.spec.heads;
  const float *keys = input(1) + line * kv.spec.key_dim, *values = input(2) + line * kv.spec.value_dim;
  state.write(kv, row.sequence, {.first = row.past, .count = row.length, .keys = keys, .values = values});
}

/// The result of one query; sums in double.
void Attention::attend(const Row& row, int64_t token, int64_t head, float* out) const {
  const StateSpec& spec = kv.spec;
  const int64_t heads = (*inputs[0].dims)[2], group = head / (heads / spec.heads), place = row.past + token;
  const float* q = input(0) + ((row.start + token) * heads + head) * spec.key_dim;
  const double softcap = node.attributes.num("softcap");
  const int64_t first = first_key(place);
  std::vector<double> scores;
  for (int64_t j = first; j <= place; ++j) {
    double score = 0;
    for (int64_t d = 0; d < spec.key_dim; ++d) score += static_cast<double>(q[d]) * key(row.sequence, group, j)[d];
    score *= node.attributes.num("scale");
    if (softcap > 0) score = softcap * std::tanh(score / softcap);
    if (input(6) != nullptr) score += static_cast<double>(input(6)[head]) * static_cast<double>(j - place);
    scores.push_back(score);
  }
  double top = *std::ranges::max_element(scores);
  if (input(5) != nullptr) top = std::max(top, static_cast<double>(input(5)[head]));
  double sum = input(5) != nullptr ? std::exp(input(5)[head] - top) : 0;
  for (double& score : scores) sum += score = std::exp(score - top);
  for (int64_t d = 0; d < spec.value_dim; ++d) {
    double y = 0;
    for (size_t j = 0; j < scores.size(); ++j) {
      y += scores[j] * value(row.sequence, group, first + static_cast<int64_t>(j))[d];
    }
    out[d] = static_cast<float>(y / sum);
  }
}

void attention(const Node& node, std::span<const HostTensor> inputs, const HostTensor& output, const StateRun& states) {
  if (!node.attributes.b("causal") || (inputs.size() > 4 && inputs[4].data != nullptr)) {
    fail(ErrorCode::kInternal, "{}: only causal attention without a bias has a state", node.label);
  }
  const auto& state = static_cast<const PagedState&>(*states.state);
  const Attention a{node, inputs, state, state.kv(state_name(node))};
  const int64_t heads = (*inputs[0].dims)[2], width = a.kv.spec.value_dim;
  auto* out = static_cast<float*>(output.data);
  std::fill_n(out, output.count(), 0.0f);
  for (const Row& row : rows_of(inputs[3], states)) {
    a.store(row);
    for (int64_t i = 0; i < row.length; ++i) {
      for (int64_t h = 0; h < heads; ++h) a.attend(row, i, h, out + ((row.start + i) * heads + h) * width);
    }
  }
}

void recurrent(const Node& node, std::span<const HostTensor> inputs, const HostTensor& output, const StateRun& states) {
  const auto& state = static_cast<const PagedState&>(*states.state);
  std::vector<RecurrentRow> rows;
  for (const Row& row : rows_of(inputs[1], states)) {
    rows.push_back({row.start, row.length, state.recurrent(state_name(node), row.sequence)});
  }
  run_recurrent_op(node, inputs, output, rows);
}

}  // namespace

void run_stateful_op(const Node& node, std::span<const HostTensor> inputs, const HostTensor& output,
                     const StateRun& states) {
  if (node.op == &op::kAttention) return attention(node, inputs, output, states);
  if (is_recurrent_op(node.op)) return recurrent(node, inputs, output, states);
  fail(ErrorCode::kInternal, "{}: operator {} has no plain form with a state", node.label, node.op->name);
}

}  // namespace gamut::reference
