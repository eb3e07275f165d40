// Checks that a graph is well formed: after recording and after each pass in development builds and tests.
#pragma once

#include "graph/graph.h"

namespace gamut {

/// Throws Error{kInternal} naming the node when an input is not defined before its use, a shape rule gives another
/// result than the one stored, an output does not exist, or a name is used twice.
void verify(const Graph& graph);

/// verify(graph) where GAMUT_VERIFY_GRAPHS is set (the dev, asan and coverage presets); nothing otherwise.
inline void verify_if_wanted([[maybe_unused]] const Graph& graph) {
#ifdef GAMUT_VERIFY_GRAPHS
  verify(graph);
#endif
}

/// Why the graph cannot run on packed rows, or an empty string when it can: every value that mentions B or S is a token
/// value [B,S,…], every node that touches one treats tokens independently or takes the rows, and no assumption ties B
/// or S to anything.
std::string why_not_packable(const Graph& graph);

}  // namespace gamut
