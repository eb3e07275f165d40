// reduce(kind): sum, mean or max over some axes.
#pragma once

#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace gamut {

enum class ReduceKind { kSum, kMean, kMax };

std::string_view reduce_name(ReduceKind kind);
ReduceKind reduce_kind(const Node& node);

namespace op {

/// The operator.
extern const OpSchema kReduce;

/// x f32 -> the same rank with extent 1 on `axes` (counted from the end when negative).
Value reduce(ReduceKind kind, Value x, const std::vector<int64_t>& axes);

}  // namespace op
}  // namespace gamut
