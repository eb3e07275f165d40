// What a program keeps of each sequence from one run to the next, as its operators declare it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace gamut {

enum class StateKind {
  kKv,         // keys and values of every token so far (or of those that a window still sees)
  kRecurrent,  // numbers of a fixed shape that every token changes
};

/// One state of a program. Attention layers and recurrences have one each.
struct StateSpec {
  std::string name;
  StateKind kind = StateKind::kKv;
  // kKv: what a token leaves behind is a key [heads, key_dim] and a value [heads, value_dim].
  int64_t heads = 0, key_dim = 0, value_dim = 0;
  int64_t window = 0;  ///< the last tokens that a query sees, itself included; 0: all
  // kRecurrent.
  Dims dims;  ///< per sequence; zeros before its first token

  friend bool operator==(const StateSpec& a, const StateSpec& b) = default;
};

/// The states of all nodes that declare one (attribute "state"), in recording order. Throws Error{kInternal} when two
/// nodes declare the same name.
std::vector<StateSpec> find_states(const Graph& graph);

/// The name that `node` declares; empty: none.
std::string state_name(const Node& node);

/// True for operators whose state is recurrent, whether or not the node keeps one. Their inputs 0 and 1 are the tokens
/// x [B,S,...] and the rows table.
bool is_recurrent(const Graph& graph, const Node& node);

}  // namespace gamut
