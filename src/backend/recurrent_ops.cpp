#include "backend/recurrent_ops.h"

#include <algorithm>
#include <cmath>

#include "backend/linear_recurrent_ops.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "ops/causal_conv1d.h"
#include "ops/delta_rule.h"
#include "ops/linear_scan.h"
#include "ops/selective_scan.h"
#include "ops/ssd_scan.h"
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

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

/// What one lane of a scan works on; numbers of a lane and lines of a token are strides apart.
struct ScanLane {
  int64_t numbers, width, b_stride;
  const float *x, *b, *c;  // of the row's first token
  int64_t x_stride;
  double d;
  float* y;
};

/// Runs one lane. step(t) is the step at token t, a(n) what it is multiplied with in the decay of number n; `state` is
/// null or the lane's first number.
template <typename Step, typename Decay>
void scan_lane(const ScanLane& lane, int64_t length, float* state, Step step, Decay a) {
  std::vector<double> h(static_cast<size_t>(lane.numbers));
  for (size_t n = 0; state != nullptr && n < h.size(); ++n) h[n] = state[static_cast<int64_t>(n) * lane.width];
  for (int64_t t = 0; t < length; ++t) {
    const double x = lane.x[t * lane.x_stride], size = step(t);
    double y = lane.d * x;
    for (size_t n = 0; n < h.size(); ++n) {
      const int64_t at = t * lane.b_stride + static_cast<int64_t>(n);
      h[n] = std::exp(size * a(static_cast<int64_t>(n))) * h[n] + size * lane.b[at] * x;
      y += lane.c[at] * h[n];
    }
    lane.y[t * lane.x_stride] = static_cast<float>(y);
  }
  for (size_t n = 0; state != nullptr && n < h.size(); ++n) {
    state[static_cast<int64_t>(n) * lane.width] = static_cast<float>(h[n]);
  }
}

void selective_scan(const Node&, Inputs in, float* out, const RecurrentRow& row) {
  const int64_t numbers = (*in[3].dims)[0], channels = (*in[3].dims)[1];
  const float *steps = f32(in, 2) + row.start * channels, *a = f32(in, 3);
  for (int64_t c = 0; c < channels; ++c) {
    const ScanLane lane{numbers,
                        channels,
                        numbers,
                        f32(in, 0) + row.start * channels + c,
                        f32(in, 4) + row.start * numbers,
                        f32(in, 5) + row.start * numbers,
                        channels,
                        f32(in, 6)[c],
                        out + c};
    scan_lane(
        lane, row.length, row.state == nullptr ? nullptr : row.state + c,
        [&](int64_t t) { return softplus(steps[t * channels + c]); },
        [&](int64_t n) { return double{a[n * channels + c]}; });
  }
}

void ssd_scan(const Node& node, Inputs in, float* out, const RecurrentRow& row) {
  const Dims &x = *in[0].dims, &b = *in[4].dims;
  const int64_t heads = x[2], width = x[3], groups = b[2], numbers = b[3];
  const double least = node.attributes.num("least_step"), most = op::most_step(node);
  const float* steps = f32(in, 2) + row.start * heads;
  for (int64_t i = 0; i < heads * width; ++i) {
    const int64_t head = i / width, b_start = (row.start * groups + head / (heads / groups)) * numbers;
    const ScanLane lane{numbers,
                        width,
                        groups * numbers,
                        f32(in, 0) + row.start * heads * width + i,
                        f32(in, 4) + b_start,
                        f32(in, 5) + b_start,
                        heads * width,
                        f32(in, 6)[head],
                        out + i};
    scan_lane(
        lane, row.length, row.state == nullptr ? nullptr : row.state + head * numbers * width + i % width,
        [&](int64_t t) { return std::min(most, std::max(least, softplus(steps[t * heads + head]))); },
        [&](int64_t) { return double{f32(in, 3)[head]}; });
  }
}

/// Runs one row; `out` is at its first token.
using RowFunction = void (*)(const Node& node, Inputs inputs, float* out, const RecurrentRow& row);

RowFunction find(const OpSchema* op) {
  static const std::pair<const OpSchema*, RowFunction> kTable[] = {
      {&op::kCausalConv1d, causal_conv1d},   {&op::kDeltaRule, run_delta_rule},
      {&op::kLinearScan, run_linear_scan},   {&op::kWkv, run_wkv},
      {&op::kSelectiveScan, selective_scan}, {&op::kSsdScan, ssd_scan},
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
