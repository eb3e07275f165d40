// dequantize: numbers from the integer codes of a quantised weight, with a scale per group of its last axis.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kDequantize;

struct DequantizeOptions {
  Value zero_point;  ///< [..., groups], of the dtype of the codes and one to a byte; absent: 0
  int bits = 8;      ///< of a code: 8, or 4
};

/// codes [..., in], U8 or I8 as they are without or with a sign, scale F32 [..., groups] -> F32 [..., in]:
/// (code - zero_point) · scale, where a group is in / groups numbers next to each other. Codes of 4 bits lie two to a
/// byte, [..., in / 2], the first in the lower half.
Value dequantize(Value codes, Value scale, const DequantizeOptions& options = {});

}  // namespace gamut::op
