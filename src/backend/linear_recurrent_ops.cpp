#include "backend/linear_recurrent_ops.h"

#include <algorithm>
#include <cmath>

namespace gamut {
namespace {

using Inputs = std::span<const HostTensor>;

const float* f32(const HostTensor& tensor) { return static_cast<const float*>(tensor.data); }

/// What a row remembers while it runs, in double; kept as f32.
std::vector<double> begin_row(const RecurrentRow& row, int64_t count) {
  std::vector<double> state(static_cast<size_t>(count), 0.0);
  if (row.state != nullptr) std::copy_n(row.state, count, state.begin());
  return state;
}

void end_row(const RecurrentRow& row, const std::vector<double>& state) {
  if (row.state == nullptr) return;
  std::ranges::transform(state, row.state, [](double x) { return static_cast<float>(x); });
}

/// The sums of one channel, both divided by e^top.
struct WeightedMean {
  double values, weights, top;

  void add(double key, double value) {
    const double next = weights == 0 ? key : std::max(top, key);
    const double fade = std::exp(top - next), share = std::exp(key - next);
    values = (weights == 0 ? 0 : fade * values) + share * value;
    weights = (weights == 0 ? 0 : fade * weights) + share;
    top = next;
  }
};

/// One token of one head.
struct DeltaToken {
  std::span<const float> q, k, v;
  double decay, rate;
};

/// Changes the memory [K,V] and writes the token's result.
void delta_step(const DeltaToken& token, std::span<double> memory, float* out) {
  const size_t depth = token.k.size(), width = token.v.size();
  for (double& x : memory) x *= token.decay;
  for (size_t j = 0; j < width; ++j) {
    double known = 0, y = 0;
    for (size_t i = 0; i < depth; ++i) known += token.k[i] * memory[i * width + j];
    const double change = token.rate * (token.v[j] - known);
    for (size_t i = 0; i < depth; ++i) y += token.q[i] * (memory[i * width + j] += token.k[i] * change);
    out[j] = static_cast<float>(y);
  }
}

}  // namespace

void run_wkv(const Node&, Inputs in, float* out, const RecurrentRow& row) {
  const int64_t channels = in[0].dims->back();
  const float *k = f32(in[0]) + row.start * channels, *v = f32(in[2]) + row.start * channels;
  const float *decay = f32(in[3]), *first = f32(in[4]);
  std::vector<double> state = begin_row(row, 3 * channels);
  for (int64_t c = 0; c < channels; ++c) {
    double &values = state[c], &weights = state[channels + c], &top = state[2 * channels + c];
    WeightedMean past{values, weights, top};
    for (int64_t t = 0; t < row.length; ++t) {
      const double key = k[t * channels + c], value = v[t * channels + c];
      WeightedMean seen = past;
      seen.add(key + first[c], value);
      out[t * channels + c] = static_cast<float>(seen.values / seen.weights);
      past.top += decay[c];
      past.add(key, value);
    }
    values = past.values, weights = past.weights, top = past.top;
  }
  end_row(row, state);
}

void run_linear_scan(const Node&, Inputs in, float* out, const RecurrentRow& row) {
  const int64_t channels = in[0].dims->back();
  const float *a = f32(in[0]) + row.start * channels, *b = f32(in[2]) + row.start * channels;
  std::vector<double> y = begin_row(row, channels);
  for (int64_t t = 0; t < row.length; ++t) {
    for (int64_t c = 0; c < channels; ++c) {
      y[c] = a[t * channels + c] * y[c] + b[t * channels + c];
      out[t * channels + c] = static_cast<float>(y[c]);
    }
  }
  end_row(row, y);
}

void run_delta_rule(const Node&, Inputs in, float* out, const RecurrentRow& row) {
  const Dims &k = *in[2].dims, &v = *in[3].dims;
  const int64_t groups = k[2], depth = k[3], heads = v[2], width = v[3];
  const auto size = static_cast<size_t>(depth * width);
  std::vector<double> memory = begin_row(row, heads * depth * width);
  auto line = [&](size_t input, int64_t index, int64_t length) {
    return std::span(f32(in[input]) + index * length, static_cast<size_t>(length));
  };
  for (int64_t t = 0; t < row.length; ++t) {
    for (int64_t h = 0; h < heads; ++h) {
      const int64_t own = (row.start + t) * heads + h, key = (row.start + t) * groups + h / (heads / groups);
      const DeltaToken token{line(0, key, depth), line(2, key, depth), line(3, own, width), f32(in[4])[own],
                             f32(in[5])[own]};
      delta_step(token, std::span(memory).subspan(static_cast<size_t>(h) * size, size), out + (t * heads + h) * width);
    }
  }
  end_row(row, memory);
}

}  // namespace gamut
