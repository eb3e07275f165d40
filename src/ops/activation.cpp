#include "ops/activation.h"

#include <algorithm>
#include <cmath>

#include "base/excerpt.h"
#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/unary.h"

namespace gamut {
namespace {

constexpr std::string_view kNames[] = {"identity", "gelu",  "gelu_tanh",  "gelu_10",     "quick_gelu", "relu",
                                       "relu2",    "relu6", "leaky_relu", "sigmoid",     "silu",       "hardswish",
                                       "tanh",     "mish",  "laplace",    "sqrtsoftplus"};

/// transformers' spellings (its ACT2FN) that differ from ours.
constexpr std::pair<std::string_view, ActivationKind> kAliases[] = {
    {"linear", ActivationKind::kIdentity},           {"gelu_python", ActivationKind::kGelu},
    {"gelu_new", ActivationKind::kGeluTanh},         {"gelu_fast", ActivationKind::kGeluTanh},
    {"gelu_accurate", ActivationKind::kGeluTanh},    {"gelu_pytorch_tanh", ActivationKind::kGeluTanh},
    {"gelu_python_tanh", ActivationKind::kGeluTanh}, {"swish", ActivationKind::kSilu}};

constexpr double kSqrtHalf = 0.70710678118654752440, kSqrtTwoOverPi = 0.79788456080286535588;
// Laplace approximation of relu squared: mean and deviation from https://arxiv.org/abs/2209.10655.
constexpr double kLaplaceMean = 0.707107, kLaplaceDeviation = 0.282095;

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

void infer(InferContext& c) {
  c.require_dtype(0, DType::kF32);
  c.output(DType::kF32, c.shape(0));
}

Value softplus(Value x) {
  Graph& g = *x.graph;
  Value tail = op::unary(UnaryKind::kExp, op::unary(UnaryKind::kNeg, op::unary(UnaryKind::kAbs, x)));
  return op::binary(BinaryKind::kMax, x, g.scalar(0.0f)) + op::unary(UnaryKind::kLog, tail + 1.0f);
}

Value clip(Value x, float low, float high) {
  Graph& g = *x.graph;
  return op::binary(BinaryKind::kMin, op::binary(BinaryKind::kMax, x, g.scalar(low)), g.scalar(high));
}

Value gelu(Value x) { return x * 0.5f * (op::unary(UnaryKind::kErf, x * static_cast<float>(kSqrtHalf)) + 1.0f); }

Value decompose(Graph& g, const Node& node, std::span<const Value> inputs) {
  Value x = inputs[0];
  auto relu = [&](Value v) { return op::binary(BinaryKind::kMax, v, g.scalar(0.0f)); };
  auto sigmoid = [](Value v) { return op::unary(UnaryKind::kSigmoid, v); };
  switch (activation_kind(node)) {
    case ActivationKind::kIdentity: return x * 1.0f;
    case ActivationKind::kGelu: return gelu(x);
    case ActivationKind::kGeluTanh: {
      Value inner = (x + x * x * x * 0.044715f) * static_cast<float>(kSqrtTwoOverPi);
      return x * 0.5f * (op::unary(UnaryKind::kTanh, inner) + 1.0f);
    }
    case ActivationKind::kGelu10: return clip(gelu(x), -10, 10);
    case ActivationKind::kQuickGelu: return x * sigmoid(x * 1.702f);
    case ActivationKind::kRelu: return relu(x);
    case ActivationKind::kRelu2: return relu(x) * relu(x);
    case ActivationKind::kRelu6: return clip(x, 0, 6);
    case ActivationKind::kLeakyRelu: return op::binary(BinaryKind::kMax, x, x * 0.01f);
    case ActivationKind::kSigmoid: return sigmoid(x);
    case ActivationKind::kSilu: return x * sigmoid(x);
    case ActivationKind::kHardswish: return x * clip(x + 3.0f, 0, 6) * (1.0f / 6);
    case ActivationKind::kTanh: return op::unary(UnaryKind::kTanh, x);
    case ActivationKind::kMish: return x * op::unary(UnaryKind::kTanh, softplus(x));
    case ActivationKind::kLaplace: {
      Value z = (x + static_cast<float>(-kLaplaceMean)) * static_cast<float>(kSqrtHalf / kLaplaceDeviation);
      return (op::unary(UnaryKind::kErf, z) + 1.0f) * 0.5f;
    }
    case ActivationKind::kSqrtSoftplus: return op::unary(UnaryKind::kSqrt, softplus(x));
  }
  return x;
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (size_t kind = 0; kind < std::size(kNames); ++kind) {
    CaseBuilder b("activation_" + std::string(kNames[kind]));
    all.push_back(b.finish(op::activation(static_cast<ActivationKind>(kind), b.f32("x", {3, 67}, -12, 12)), 4e-6));
  }
  return all;
}

}  // namespace

namespace op {

const OpSchema kActivation{.name = "activation",
                           .op_class = OpClass::kComposed,
                           .infer = infer,
                           .decompose = decompose,
                           .keeps_tokens = always_keeps_tokens,
                           .cases = cases};

Value activation(ActivationKind kind, Value x) {
  return x.graph->add(kActivation, {x}, {{"activation", std::string(activation_name(kind))}});
}

}  // namespace op

std::string_view activation_name(ActivationKind kind) { return kNames[static_cast<size_t>(kind)]; }

ActivationKind activation_kind(const Node& node) {
  return parse_activation(node.attributes.s("activation", "identity"));
}

ActivationKind parse_activation(const std::string& hidden_act) {
  for (size_t kind = 0; kind < std::size(kNames); ++kind) {
    if (hidden_act == kNames[kind]) return static_cast<ActivationKind>(kind);
  }
  std::string known;
  for (std::string_view name : kNames) known += std::string(name) + " ";
  for (const auto& [name, kind] : kAliases) {
    if (hidden_act == name) return kind;
    known += std::string(name) + " ";
  }
  known.pop_back();
  fail(ErrorCode::kUnsupported, "activation \"{}\" is unknown; expected one of: {}", excerpt(hidden_act), known);
}

double apply_activation(ActivationKind kind, double x) {
  auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  auto gelu = [](double v) { return 0.5 * v * (1 + std::erf(v * kSqrtHalf)); };
  switch (kind) {
    case ActivationKind::kIdentity: return x;
    case ActivationKind::kGelu: return gelu(x);
    case ActivationKind::kGeluTanh: return 0.5 * x * (1 + std::tanh(kSqrtTwoOverPi * (x + 0.044715 * x * x * x)));
    case ActivationKind::kGelu10: return std::clamp(gelu(x), -10.0, 10.0);
    case ActivationKind::kQuickGelu: return x * sigmoid(1.702 * x);
    case ActivationKind::kRelu: return x < 0 ? 0 : x;
    case ActivationKind::kRelu2: return x < 0 ? 0 : x * x;
    case ActivationKind::kRelu6: return std::clamp(x, 0.0, 6.0);
    case ActivationKind::kLeakyRelu: return x < 0 ? 0.01 * x : x;
    case ActivationKind::kSigmoid: return sigmoid(x);
    case ActivationKind::kSilu: return x * sigmoid(x);
    case ActivationKind::kHardswish: return x * std::clamp(x + 3, 0.0, 6.0) / 6;
    case ActivationKind::kTanh: return std::tanh(x);
    case ActivationKind::kMish: return x * std::tanh(softplus(x));
    case ActivationKind::kLaplace:
      return 0.5 * (1 + std::erf((x - kLaplaceMean) / (kLaplaceDeviation * std::sqrt(2.0))));
    case ActivationKind::kSqrtSoftplus: return std::sqrt(softplus(x));
  }
  return x;
}

}  // namespace gamut
