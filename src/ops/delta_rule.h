// delta_rule: a memory of keys and values per head that fades, forgets what it held under a key, and learns anew.
#pragma once

#include <string>

#include "graph/graph.h"
#include "graph/rows.h"

namespace gamut::op {

/// The operator; as of every recurrent one, input 1 is the rows table.
extern const OpSchema kDeltaRule;

/// What the gated delta rule reads; H is a multiple of G, and head h has the key head h / (H / G).
struct DeltaRuleInputs {
  Value q, k;   // [B,S,G,K]
  Value v;      // [B,S,H,V]
  Value decay;  // [B,S,H], what is left of the memory
  Value rate;   // [B,S,H], how far a key's value moves to the new one
};

/// -> [B,S,H,V]. With M [K,V] of a row and head, zeros before its first token, each token does M = decay * M,
/// M += k ⊗ rate * (v - kᵀ·M) and gives qᵀ·M. With a name of a `state` rows go on from earlier runs. Padding gives
/// zeros.
Value delta_rule(const Rows& rows, const DeltaRuleInputs& inputs, const std::string& state = "");

}  // namespace gamut::op
