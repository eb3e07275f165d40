// pool_rows: one vector per row out of the row's tokens.
#pragma once

#include <string_view>

#include "graph/graph.h"
#include "graph/rows.h"

namespace gamut {

enum class PoolKind { kFirst, kLast, kMean, kMax, kSum, kMeanSqrt };

std::string_view pool_name(PoolKind kind);
PoolKind pool_kind(const Node& node);

namespace op {

/// The operator.
extern const OpSchema kPoolRows;

/// x [B,S,D] -> [N,D]: the first or last token, or the mean, maximum, sum or sum / sqrt(length) of a row's tokens.
/// An empty row gives zeros.
Value pool_rows(PoolKind kind, Value x, const Rows& rows);

}  // namespace op
}  // namespace gamut
