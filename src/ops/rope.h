// rope: rotary position embedding, a rotation of pairs of a head's numbers by angles that grow with the position.
#pragma once

#include "graph/graph.h"

namespace gamut::op {

/// The operator.
extern const OpSchema kRope;

/// x [B,S,H,D], cos and sin [B,S,R/2] with R <= D -> [B,S,H,D]. Number i is paired with i + R/2, or with its neighbour
/// when `interleaved`: (a, b) becomes (a cos - b sin, b cos + a sin). Numbers from R on stay as they are.
Value rope(Value x, Value cos, Value sin, bool interleaved = false);

}  // namespace gamut::op
