// wkv: RWKV's mean of the values so far, weighted by their keys and fading with every token.
#pragma once

#include <string>

#include "graph/graph.h"
#include "graph/rows.h"

namespace gamut::op {

/// The operator; as of every recurrent one, input 1 is the rows table.
extern const OpSchema kWkv;

/// What wkv reads.
struct WkvInputs {
  Value k, v;          // [B,S,C]
  Value decay, first;  // [C]; decay is at most 0
};

/// -> [B,S,C]: per row and channel, token t gives the mean of v_0 … v_t
/// with the weights e^(k_i + (t - 1 - i) * decay) for i < t and e^(k_t + first) for its own. With a name of a `state`
/// rows go on from earlier runs. Padding gives zeros.
Value wkv(const Rows& rows, const WkvInputs& inputs, const std::string& state = "");

}  // namespace gamut::op
