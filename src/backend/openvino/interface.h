// What the OpenVINO model of a graph takes and gives besides the graph's own inputs and outputs, found from the graph
// alone: a model from the cache is run without lowering anything.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

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
  kMask,          ///< F32 [B or 1, 1, S or 1, S], added to the scores of attention
};

/// One input of the model. `name` is that of the bound tensor or of the rows table, "#7" for a table that is the
/// graph's constant 7; empty for a mask of one sequence.
struct ModelInput {
  Fill fill = Fill::kBound;
  std::string name;
  bool causal = false;
  int64_t window = 0;
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

  /// Throws Error{kInvalidArgument} for bound ids outside their table and slices outside their axis,
  /// Error{kUnsupported} for integers that the device does not hold: it computes with 32 bits.
  void check(const NamedTensors& bound, const SymbolValues& symbols) const;
  /// The tensors of a run, in the order of `inputs`.
  std::vector<Tensor> fill(const NamedTensors& bound, const SymbolValues& symbols) const;

 private:
  void add(const ModelInput& input);
  void add_rows(const Graph& graph, const Node& node, int value);

  std::vector<ModelInput> inputs_;
  NamedTensors constant_rows_;
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
/// True when the ids of a gather_rows node are an input as it was bound, so that they are checked before the run.
bool has_bound_ids(const Graph& graph, const Node& node);

}  // namespace gamut::openvino
