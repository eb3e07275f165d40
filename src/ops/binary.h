// binary(kind): one function of two numbers, element by element, with broadcasting as numpy does it.
#pragma once

#include <string_view>

#include "graph/graph.h"

namespace gamut {

enum class BinaryKind { kAdd, kSub, kMul, kDiv, kMax, kMin, kPow };

std::string_view binary_name(BinaryKind kind);
/// The kind of a `binary` node.
BinaryKind binary_kind(const Node& node);
/// The function itself, in double.
double apply_binary(BinaryKind kind, double a, double b);

class InferContext;

/// The shape of a broadcast of the inputs `first` and `second` of a node under inference; throws when they do not fit.
Shape broadcast_shape(InferContext& c, size_t first, size_t second);

namespace op {

/// The operator.
extern const OpSchema kBinary;

/// a, b of one dtype (F32 or I64), shapes that broadcast -> their broadcast shape.
Value binary(BinaryKind kind, Value a, Value b);

}  // namespace op

Value operator+(Value a, Value b);
Value operator-(Value a, Value b);
Value operator*(Value a, Value b);
Value operator/(Value a, Value b);
Value operator+(Value a, float b);
Value operator*(Value a, float b);

}  // namespace gamut
