// unary(kind): one function of one number, element by element.
#pragma once

#include <string_view>

#include "graph/graph.h"

namespace gamut {

enum class UnaryKind { kNeg, kAbs, kExp, kLog, kSqrt, kRsqrt, kReciprocal, kTanh, kErf, kSigmoid, kFloor };

/// "exp", "rsqrt" … as attributes and dumps spell it.
std::string_view unary_name(UnaryKind kind);
/// The kind of a `unary` node.
UnaryKind unary_kind(const Node& node);
/// The function itself, in double; the definition that every backend is tested against.
double apply_unary(UnaryKind kind, double x);

namespace op {

/// The operator.
extern const OpSchema kUnary;

/// x [...] f32 -> [...].
Value unary(UnaryKind kind, Value x);

}  // namespace op
}  // namespace gamut
