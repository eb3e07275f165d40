// What the OpenVINO model of a graph takes and gives besides the graph's own inputs and outputs, found from the graph
// alone: a model from the cache is run without lowering anything.
#pragma once

#include <string>
#include <vector>

#include "backend/state.h"
#include "graph/graph.h"
#include "graph/state.h"

namespace gamut::openvino {

/// How an input of the model is made in a run.
enum class Fill {
  kBound,         ///< the tensor that the caller binds
  kRowNumbers,    ///< I64 [B,S], see op::row_numbers
  kRowPositions,  ///< I64 [B,S], see op::row_positions
  kFirstTokens,   ///< I64 [N], each row's first place in the flat grid; of an empty row a place outside
  kLastTokens,    ///< the same with the last
  kRowTokens,     ///< I64 [N,L], each row's places in the flat grid; behind its end a place outside
  kTokenLines,    ///< I64 [B,S], each token's place in that table, line by line; of padding a place outside
  kMask,          ///< F32 [B or 1, 1, S or 1, P+S], added to the scores of attention
  kDistances,     ///< F32 [B, 1, S, P+S], the key's position less the query's
  kPastKeys,      ///< F32 [B,heads,P,key_dim], the keys of earlier runs that some row of the line has
  kPastValues,    ///< the same of values
  kState,         ///< F32 [N, dims of the state], what each row goes on from
};

/// One input of the model. `name` is that of the bound tensor or of the rows table, "#7" for a table that is the
/// graph's constant 7; empty for a mask of one sequence.
struct ModelInput {
  Fill fill = Fill::kBound;
  std::string name = {};
  bool causal = false;
  int64_t window = 0, chunk = 0;
  bool has_past = false;  ///< keys of earlier runs stand before those of the run
  int64_t past = 0;       ///< so many of each row as a window of this size keeps; 0: all
  std::string state = {};
  friend bool operator==(const ModelInput&, const ModelInput&) = default;
};

/// Ids that the caller binds, which must lie in [0, limit).
struct IdCheck {
  std::string input;
  int64_t limit = 0;
  std::string label;
};

/// A slice whose bounds depend on symbols.
struct SliceCheck {
  Extent begin, length, extent;
  std::string label;
};

class Interface {
 public:
  /// Throws Error{kUnsupported} for rows that are computed.
  explicit Interface(const Graph& graph);

  const std::vector<ModelInput>& inputs() const { return inputs_; }
  /// The input's place. Throws Error{kInternal} when there is none.
  size_t find(const ModelInput& input) const;

  /// The dtype and dims, -1 for any, of an input that is not bound.
  std::pair<DType, std::vector<int64_t>> form(const ModelInput& input) const;

  /// Throws Error{kInvalidArgument} for bound ids outside their table and slices outside their axis,
  /// Error{kUnsupported} for integers that the device does not hold: it computes with 32 bits.
  void check(const NamedTensors& bound, const SymbolValues& symbols) const;
  /// The tensors of a run, in the order of `inputs`.
  std::vector<Tensor> fill(const NamedTensors& bound, const SymbolValues& symbols, const StateRun& states) const;

  /// The graph's states. The model's results after the graph's outputs are, for each of them, what the run adds to it:
  /// keys and values [B,S,heads,dim], or the numbers [N, dims].
  const std::vector<StateSpec>& states() const { return states_; }
  /// The rows table by which a state's sequences are told apart.
  const std::string& rows_of(const StateSpec& state) const;
  /// How many such results there are.
  size_t kept_count() const;

 private:
  void add(const ModelInput& input);
  void add_rows(const Graph& graph, const Node& node, int value);

  std::vector<ModelInput> inputs_;
  NamedTensors constant_rows_;
  std::vector<StateSpec> states_;
  std::vector<IdCheck> id_checks_;
  std::vector<SliceCheck> slice_checks_;
};

/// Throws Error{kUnsupported} that names `what` when an integer of `tensor` needs more than 32 bits.
void require_short_integers(const Tensor& tensor, const std::string& what);
/// The row_index node as an input of the model. Throws Error{kUnsupported} when its rows are computed.
ModelInput row_index_input(const Graph& graph, const Node& node);
/// The inputs by which a recurrent node's tokens become one line per row, and come back. Throw as row_index_input.
ModelInput row_tokens_input(const Graph& graph, const Node& node);
ModelInput token_lines_input(const Graph& graph, const Node& node);
/// The places in the grid that a pool_rows node takes as an input; false when it pools more than one token of a row.
bool find_places(const Graph& graph, const Node& node, ModelInput* places);
/// The mask that an attention node takes as an input; false when it takes none.
bool find_mask(const Graph& graph, const Node& node, ModelInput* mask);
/// The distances that an attention node with slopes takes as an input.
ModelInput distances_input(const Graph& graph, const Node& node);
/// Keys or values of earlier runs that an attention node with a state takes as an input.
ModelInput past_input(const Graph& graph, const Node& node, Fill fill);
/// What the rows of a recurrence with a state, whose rows table is `rows`, go on from.
ModelInput state_input(const Graph& graph, const Node& node, int rows);
/// True when the ids of a gather_rows node are an input as it was bound, so that they are checked before the run.
bool has_bound_ids(const Graph& graph, const Node& node);

}  // namespace gamut::openvino
