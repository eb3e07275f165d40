// A model as it runs: named graphs, the inputs they take, and pure host functions that fill inputs nobody gave.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/rows.h"

namespace gamut {

/// A pure function from the given inputs and their rows to one tensor on the host. Token inputs are on the rows' grid.
using HostFunction = std::function<Tensor(const NamedTensors& inputs, const RowTable& rows)>;

/// How a program's input gets its value.
struct ProgramInput {
  std::string name;
  DType dtype = DType::kI64;
  /// Token inputs have one entry per token and are moved onto the grid of the rows by the runtime.
  bool per_token = true;
  /// Ids must lie in [0, limit); 0 means unlimited.
  int64_t limit = 0;
  /// Makes the value when the caller gives none; empty means that the caller must.
  HostFunction fill;
};

/// What a result means to the runtime.
struct ProgramOutput {
  std::string name;
  /// True: [B,S,…], one entry per token. False: [N,…], one entry per row.
  bool per_token = true;
};

/// An architecture with one head, recorded. Made by `models/`, run by `runtime/`.
struct Program {
  std::string model_type;
  std::string head;  // the transformers class: "BertForMaskedLM"
  std::map<std::string, Graph> graphs;
  std::vector<ProgramInput> inputs;
  std::vector<ProgramOutput> outputs;
  /// The longest row that the model takes (its position table); 0 means unlimited.
  int64_t max_length = 0;

  /// The graph that is there under `name`. Throws Error{kInternal} when it is not.
  const Graph& graph(const std::string& name) const;
};

/// Zeros: the default of token_type_ids.
HostFunction fill_zeros();
/// 0, 1, 2 … in each row: the default of position_ids.
HostFunction fill_positions();

}  // namespace gamut
