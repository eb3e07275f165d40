// selective_scan: the recurrence of Mamba, in which every channel has numbers that decay each at its own rate.
#pragma once

#include <string>

#include "graph/graph.h"
#include "graph/rows.h"

namespace gamut::op {

/// The operator. Inputs: x, rows, steps, A as [N,C], b, c, d.
extern const OpSchema kSelectiveScan;

/// What one recurrence works on, besides x.
struct SelectiveScanInputs {
  Value steps;  ///< [B,S,C]; step = softplus of it
  Value a;      ///< [C,N]
  Value b, c;   ///< [B,S,N]
  Value d;      ///< [C]
};

/// x [B,S,C] -> y [B,S,C]. Each channel has N numbers h, zeros before its row's first token:
/// h[n] = exp(step * a[n]) * h[n] + step * b[n] * x, then y = d * x + sum over n of c[n] * h[n]. Zeros on padding.
/// Under the name `state` h stays from one run to the next; empty: not.
Value selective_scan(Value x, const SelectiveScanInputs& inputs, const Rows& rows, const std::string& state = {});

}  // namespace gamut::op
