#include "ops/unary.h"

#include <cmath>

#include "graph/op_case_builder.h"
#include "ops/kind_of.h"

namespace gamut {
namespace {

constexpr std::string_view kNames[] = {"neg",        "abs",  "exp", "log",     "sqrt", "rsqrt",
                                       "reciprocal", "tanh", "erf", "sigmoid", "floor"};

void infer(InferContext& c) {
  c.require_dtype(0, DType::kF32);
  c.output(DType::kF32, c.shape(0));
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (size_t kind = 0; kind < std::size(kNames); ++kind) {
    const bool positive = kNames[kind] == "log" || kNames[kind] == "sqrt" || kNames[kind] == "rsqrt";
    CaseBuilder b("unary_" + std::string(kNames[kind]));
    Value x = b.f32("x", {3, 37}, positive ? 0.01f : -6.0f, 6.0f);
    all.push_back(b.finish(op::unary(static_cast<UnaryKind>(kind), x)));
  }
  return all;
}

}  // namespace

namespace op {

const OpSchema kUnary{.name = "unary", .infer = infer, .keeps_tokens = always_keeps_tokens, .cases = cases};

Value unary(UnaryKind kind, Value x) { return x.graph->add(kUnary, {x}, {{"kind", std::string(unary_name(kind))}}); }

}  // namespace op

std::string_view unary_name(UnaryKind kind) { return kNames[static_cast<size_t>(kind)]; }

UnaryKind unary_kind(const Node& node) { return kind_of<UnaryKind>("unary", node, kNames); }

double apply_unary(UnaryKind kind, double x) {
  switch (kind) {
    case UnaryKind::kNeg: return -x;
    case UnaryKind::kAbs: return std::fabs(x);
    case UnaryKind::kExp: return std::exp(x);
    case UnaryKind::kLog: return std::log(x);
    case UnaryKind::kSqrt: return std::sqrt(x);
    case UnaryKind::kRsqrt: return 1.0 / std::sqrt(x);
    case UnaryKind::kReciprocal: return 1.0 / x;
    case UnaryKind::kTanh: return std::tanh(x);
    case UnaryKind::kErf: return std::erf(x);
    case UnaryKind::kSigmoid: return 1.0 / (1.0 + std::exp(-x));
    case UnaryKind::kFloor: return std::floor(x);
  }
  return x;
}

}  // namespace gamut
