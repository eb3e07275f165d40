// causal_conv1d: each channel of a token is a weighted sum of the same channel of the tokens up to it in its row.
#pragma once

#include <string>

#include "graph/graph.h"
#include "graph/rows.h"

namespace gamut::op {

/// The operator. As of every recurrent operator, input 1 is the rows table. Its weight lies as [K,C].
extern const OpSchema kCausalConv1d;

/// x [B,S,C], weight [C,K], bias [C] or none -> [B,S,C]: y[t] = bias + sum over k of weight[k] * x[t-K+1+k], where
/// tokens before the row's first count as zeros; zeros on padding. Under the name `state` the last K-1 inputs of a
/// sequence stay from one run to the next; empty: not.
Value causal_conv1d(Value x, Value weight, Value bias, const Rows& rows, const std::string& state = {});

}  // namespace gamut::op
