#include "models/decoder/mamba_mixer.h"

#include "base/error.h"
#include "layers/basic.h"
#include "ops/binary.h"
#include "ops/causal_conv1d.h"
#include "ops/gated.h"
#include "ops/linear.h"
#include "ops/reshape.h"
#include "ops/rms_norm.h"
#include "ops/selective_scan.h"
#include "ops/slice.h"
#include "ops/ssd_scan.h"
#include "ops/unary.h"

namespace gamut::decoder {
namespace {

/// The tensor `name` of the layer `s`, which has to have these dims.
Value with_dims(const Scope& s, const char* name, const Shape& dims) {
  Value tensor = s.weight(name);
  bool fits = tensor.rank() == static_cast<int>(dims.size());
  for (size_t i = 0; fits && i < dims.size(); ++i) fits = tensor.shape()[i] == dims[i];
  if (!fits) {
    fail(ErrorCode::kInvalidFile, "{}.{}: {}, expected {}", s.path(), name, to_string(tensor.shape()), to_string(dims));
  }
  return tensor;
}

/// One linear whose lines are several, side by side; taken apart before it multiplies.
class FusedLinear {
 public:
  FusedLinear(const Scope& s, int64_t in, int64_t out) : weight_(with_dims(s, "weight", {out, in})) {
    if (s.has("bias")) bias_ = with_dims(s, "bias", {out});
  }
  /// The lines [begin, begin + count) of x [..., in]; `more`: [count] added to their bias, or none.
  Value operator()(Value x, int64_t begin, int64_t count, Value more = {}) const {
    Value bias = bias_ ? op::slice(bias_, 0, begin, count) : bias_;
    if (more) bias = bias ? bias + more : more;
    return op::linear(x, op::slice(weight_, 0, begin, count), {.bias = bias});
  }

 private:
  Value weight_, bias_;
};

/// The state of block `index` that is called `name`.
std::string state_of(int64_t index, const char* name) { return "layer." + std::to_string(index) + "." + name; }

/// The short convolution over x [B,S,C] and its activation.
Value convolve(const DecoderContext& c, const Scope& s, Value x, int64_t taps, const std::string& state) {
  LabelScope label(s.graph(), s.path());
  const Extent channels = x.extent(-1);
  const Value weight = op::reshape(with_dims(s, "weight", {channels, 1, taps}), {channels, taps});
  const Value bias = s.has("bias") ? with_dims(s, "bias", {channels}) : Value{};
  return op::causal_conv1d(x, weight, bias, c.rows, state);
}

/// -exp of the tensor A_log.
Value decays(const Scope& s, const Shape& dims) {
  return op::unary(UnaryKind::kNeg, op::unary(UnaryKind::kExp, with_dims(s, "A_log", dims)));
}

/// What a token decides besides x, by the layer `s`: steps, b or c, with its norm, if there is one.
Value norm_part(const Scope& s, const MambaShape& shape, const char* name, Value x) {
  if (shape.norm_eps < 0) return x;
  const Scope norm = s / name;
  return op::rms_norm(x, norm.has("weight") ? with_dims(norm, "weight", {x.extent(-1)}) : Value{}, shape.norm_eps);
}

/// How many numbers of a token its steps are made of.
int64_t step_rank(const Scope& s, int64_t inner) {
  const Value weight = s.weight("weight");
  const auto rank = weight.rank() == 2 ? weight.extent(1).constant() : std::nullopt;
  if (rank.value_or(0) < 1 || !(weight.extent(0) == Extent(inner))) {
    fail(ErrorCode::kInvalidFile, "{}.weight: {}, expected {} lines", s.path(), to_string(weight.shape()), inner);
  }
  return *rank;
}

}  // namespace

Value mamba(const DecoderContext& c, const Scope& s, const MambaShape& shape, int64_t index, Value x) {
  LabelScope label(s.graph(), s.path());
  const int64_t inner = shape.inner, rank = step_rank(s / "dt_proj", inner);
  const FusedLinear in(s / "in_proj", shape.hidden, 2 * inner);
  const Value mixed = in(x, 0, inner), gate = in(x, inner, inner);
  const Value y =
      op::activation(shape.activation, convolve(c, s / "conv1d", mixed, shape.taps, state_of(index, "conv")));
  const FusedLinear decide(s / "x_proj", inner, rank + 2 * shape.numbers);
  const Value low = decide(y, 0, rank), b = decide(y, rank, shape.numbers);
  const Value read = decide(y, rank + shape.numbers, shape.numbers);
  op::SelectiveScanInputs inputs;
  inputs.steps = layer::linear(s / "dt_proj", norm_part(s, shape, "dt_layernorm", low));
  inputs.a = decays(s, {inner, shape.numbers});
  inputs.b = norm_part(s, shape, "b_layernorm", b), inputs.c = norm_part(s, shape, "c_layernorm", read);
  inputs.d = with_dims(s, "D", {inner});
  const Value scanned = op::selective_scan(y, inputs, c.rows, state_of(index, "scan"));
  return layer::linear(s / "out_proj", op::gated(ActivationKind::kSilu, gate, scanned));
}

Value mamba2(const DecoderContext& c, const Scope& s, const Mamba2Shape& shape, int64_t index, Value x) {
  LabelScope label(s.graph(), s.path());
  const int64_t inner = shape.inner, decided = shape.groups * shape.numbers, convolved = inner + 2 * decided;
  const FusedLinear in(s / "in_proj", shape.hidden, inner + convolved + shape.heads);
  const Value gate = in(x, 0, inner), fused = in(x, inner, convolved);
  op::SsdScanInputs inputs{.least_step = shape.least_step, .most_step = shape.most_step};
  inputs.steps = in(x, inner + convolved, shape.heads, with_dims(s, "dt_bias", {shape.heads}));
  const Value y =
      op::activation(shape.activation, convolve(c, s / "conv1d", fused, shape.taps, state_of(index, "conv")));
  auto part = [&](int64_t begin, int64_t count, int64_t width) {
    return op::split_heads(op::slice(y, -1, begin, count), width);
  };
  inputs.b = part(inner, decided, shape.numbers), inputs.c = part(inner + decided, decided, shape.numbers);
  inputs.a = decays(s, {shape.heads}), inputs.d = with_dims(s, "D", {shape.heads});
  const Value heads = part(0, inner, inner / shape.heads);
  const Value scanned = op::merge_heads(op::ssd_scan(heads, inputs, c.rows, state_of(index, "scan")));
  // The norm is of each group by itself.
  const Value gated = op::split_heads(op::gated(ActivationKind::kSilu, gate, scanned), inner / shape.groups);
  const Value weight = op::reshape(with_dims(s / "norm", "weight", {inner}), {shape.groups, inner / shape.groups});
  return layer::linear(s / "out_proj", op::merge_heads(op::rms_norm(gated, {}, shape.norm_eps) * weight));
}

}  // namespace gamut::decoder
