// attention: softmax(q·kᵀ·scale + mask)·v per head. The mask is declared, never built.
#pragma once

#include <optional>
#include <string>

#include "graph/graph.h"
#include "graph/rows.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kAttention;

/// Which keys a query sees. With `rows`, those of its own row only; padding is never seen.
struct Mask {
  std::optional<Rows> rows;
  bool causal = false;
  /// With causal: only the last `window` keys up to the query itself; 0 means all.
  int64_t window = 0;
  /// With causal: only the keys of the query's own chunk of so many tokens; 0 means all.
  int64_t chunk = 0;
};

struct AttentionOptions {
  Mask mask;
  /// Applied to q·k; 0 means 1/sqrt(head_dim).
  double scale = 0;
  /// Added to the scores: [H,S,S] or [1,S,S]; absent for none.
  Value bias;
  /// Above 0: scores become softcap * tanh(score / softcap), before anything is added.
  double softcap = 0;
  /// [H]: one more score per head that takes its share of the softmax and has no value.
  Value sinks;
  /// [H], with rows: slope * (key's position - query's position) is added to the scores (ALiBi).
  Value slopes;
  /// Under this name keys and values stay from one run to the next, and queries see those of earlier runs; empty: not.
  std::string state;
};

/// q [B,S,H,D], k [B,S,G,D], v [B,S,G,E], H a multiple of G -> [B,S,H,E].
Value attention(Value q, Value k, Value v, const AttentionOptions& options = {});

}  // namespace gamut::op
