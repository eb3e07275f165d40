// compare(kind): equal, less or less-equal, element by element, giving BOOL.
#pragma once

#include <string_view>

#include "graph/graph.h"

namespace gamut {

enum class CompareKind { kEqual, kLess, kLessEqual };

std::string_view compare_name(CompareKind kind);
CompareKind compare_kind(const Node& node);

namespace op {

/// The operator.
extern const OpSchema kCompare;

/// a, b of one dtype (F32 or I64), shapes that broadcast -> BOOL.
Value compare(CompareKind kind, Value a, Value b);
/// a, b BOOL, shapes that broadcast -> BOOL: both.
Value logical_and(Value a, Value b);

}  // namespace op
}  // namespace gamut
