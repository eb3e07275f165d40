// ssd_scan: the recurrence of Mamba 2, in which all numbers of a head decay at one rate.
#pragma once

#include <limits>
#include <string>

#include "graph/graph.h"
#include "graph/rows.h"

namespace gamut::op {

/// The operator. Inputs: x, rows, steps, a, b, c, d.
extern const OpSchema kSsdScan;

/// What one recurrence works on, besides x.
struct SsdScanInputs {
  Value steps;  ///< [B,S,H]; step = softplus of it, then brought into [least_step, most_step]
  Value a;      ///< [H]
  Value b, c;   ///< [B,S,G,N], H a multiple of G: a group serves H/G heads that follow each other
  Value d;      ///< [H]
  double least_step = 0, most_step = std::numeric_limits<double>::infinity();
};

/// x [B,S,H,P] -> y [B,S,H,P]. Each head has numbers h [N,P], zeros before its row's first token:
/// h[n,p] = exp(step * a) * h[n,p] + step * b[n] * x[p], then y[p] = d * x[p] + sum over n of c[n] * h[n,p]. Zeros on
/// padding. Under the name `state` h stays from one run to the next; empty: not.
Value ssd_scan(Value x, const SsdScanInputs& inputs, const Rows& rows, const std::string& state = {});

/// most_step of a node.
double most_step(const Node& node);

}  // namespace gamut::op
