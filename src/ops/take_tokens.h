// take_tokens: some tokens of a grid, in a list: those whose logits are wanted.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kTakeTokens;

/// x [B,S,D], places I64 [M], each in [0, B*S) -> [M,D]: the tokens there.
Value take_tokens(Value x, Value places);

}  // namespace gamut::op
