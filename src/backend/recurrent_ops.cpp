#include "backend/recurrent_ops.h"

#include <algorithm>
#include <array>

#include "backend/linear_recurrent_ops.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "ops/causal_conv1d.h"
#include "ops/delta_rule.h"
#include "ops/linear_scan.h"
#include "ops/wkv.h"

namespace gamut {
namespace {

using Inputs = std::span<const HostTensor>;

const float* f32(Inputs inputs, size_t i) {
  return i < inputs.size() ? static_cast<const float*>(inputs[i].data) : nullptr;
}

/// The state of one row: a copy, so that a result never reads what it wrote.
std::vector<float> copy_state(const RecurrentRow& row, int64_t count) {
  std::vector<float> state(static_cast<size_t>(count), 0.0f);
  if (row.state != nullptr) std::copy_n(row.state, count, state.data());
  return state;
}

void causal_conv1d(const Node&, Inputs in, float* out, const RecurrentRow& row) {
  const int64_t taps = (*in[2].dims)[0], channels = (*in[2].dims)[1], past = taps - 1;
  const float *x = f32(in, 0) + row.start * channels, *weight = f32(in, 2), *bias = f32(in, 3);
  std::vector<float> before = copy_state(row, past * channels);
  // Token -1 is the last of the state.
  auto token = [&](int64_t t) { return t < 0 ? before.data() + (past + t) * channels : x + t * channels; };
  for (int64_t t = 0; t < row.length; ++t) {
    for (int64_t c = 0; c < channels; ++c) {
      double sum = bias != nullptr ? bias[c] : 0;
      for (int64_t k = 0; k < taps; ++k) sum += static_cast<double>(weight[k * channels + c]) * token(t - past + k)[c];
      out[t * channels + c] = static_cast<float>(sum);
    }
  }
  if (row.state == nullptr) return;
  for (int64_t k = 0; k < past; ++k) std::copy_n(token(row.length - past + k), channels, row.state + k * channels);
}

/// Runs one row; `out` is at its first token.
using RowFunction = void (*)(const Node& node, Inputs inputs, float* out, const RecurrentRow& row);

RowFunction find(const OpSchema* op) {
  static const std::pair<const OpSchema*, RowFunction> kTable[] = {
      {&op::kCausalConv1d, causal_conv1d},
      {&op::kDeltaRule, run_delta_rule},
      {&op::kLinearScan, run_linear_scan},
      {&op::kWkv, run_wkv},
  };
  for (const auto& [schema, function] : kTable) {
    if (schema == op) return function;
  }
  return nullptr;
}

}  // namespace

bool is_recurrent_op(const OpSchema* op) { return find(op) != nullptr; }

std::vector<RecurrentRow> recurrent_rows(const HostTensor& table, int64_t tokens) {
  const auto* lines = static_cast<const int64_t*>(table.data);
  std::vector<RecurrentRow> rows;
  for (int64_t n = 0; n < (*table.dims)[0]; ++n) {
    const int64_t start = lines[2 * n], length = lines[2 * n + 1];
    if (start < 0 || length < 0 || start > tokens || length > tokens - start) {
      fail(ErrorCode::kInvalidArgument, "rows: row {} [{}, {}+{}) is outside {} tokens", n, start, start, length,
           tokens);
    }
    rows.push_back({start, length});
  }
  return rows;
}

void run_recurrent_op(const Node& node, Inputs inputs, const HostTensor& output, std::span<const RecurrentRow> rows) {
  const RowFunction function = find(node.op);
  if (function == nullptr) fail(ErrorCode::kInternal, "{}: operator {} has no plain loop", node.label, node.op->name);
  auto* out = static_cast<float*>(output.data);
  std::fill_n(out, output.count(), 0.0f);
  const Dims& dims = *output.dims;
  const int64_t tokens = dims[0] * dims[1], width = tokens == 0 ? 0 : output.count() / tokens;
  for (const RecurrentRow& row : rows) function(node, inputs, out + row.start * width, row);
}

}  // namespace gamut
