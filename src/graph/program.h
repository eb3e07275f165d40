// A model as it runs: named graphs, the inputs they take, and pure host functions that fill inputs nobody gave.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/rows.h"
#include "graph/state.h"

namespace gamut {

/// A pure function from the given inputs and their rows to one tensor on the host. Token inputs are on the rows' grid.
using HostFunction = std::function<Tensor(const NamedTensors& inputs, const RowTable& rows)>;

/// How a program's input gets its value.
struct ProgramInput {
  std::string name;
  DType dtype = DType::kI64;
  /// Token inputs have one entry per token and are moved onto the grid of the rows by the runtime. The others are made
  /// by `fill` and by nobody else.
  bool per_token = true;
  /// Ids must lie in [0, limit); 0 means unlimited.
  int64_t limit = 0;
  /// Makes the value when the caller gives none; empty means that the caller must.
  HostFunction fill;
};

/// The lines of a result.
enum class Lines {
  kTokens,  // [B,S,…], one entry per token
  kRows,    // [N,…], one entry per row
  kTaken,   // [M,…], one entry per token that the input kTakenTokens names
};

/// What a result means to the runtime.
struct ProgramOutput {
  std::string name;
  Lines lines = Lines::kTokens;
};

/// The input of programs whose result is taken of some tokens only: I64 [M], places in the flattened grid [B*S].
inline const char* const kTakenTokens = "taken_tokens";
inline const char* const kTakenCount = "M";

/// The symbols of a run over `rows` that takes the results of all tokens.
SymbolValues forward_symbols(const RowTable& rows);

/// An architecture with one head, recorded. Made by `models/`, run by `runtime/`.
struct Program {
  std::string model_type;
  std::string head;  // the transformers class: "BertForMaskedLM"
  std::map<std::string, Graph> graphs;
  std::vector<ProgramInput> inputs;
  std::vector<ProgramOutput> outputs;
  /// The longest row that the model takes (its position table); 0 means unlimited.
  int64_t max_length = 0;
  /// What the program keeps of each sequence from one run to the next; empty: nothing, it cannot go on from a run.
  std::vector<StateSpec> states;
  /// The same token at the same position differs between rows whose lengths have different classes: a sequence that
  /// grows into another class starts anew. Null: there is one class.
  std::function<int64_t(int64_t length)> length_class;

  /// The graph that is there under `name`. Throws Error{kInternal} when it is not.
  const Graph& graph(const std::string& name) const;
  /// The graph of a program that has one. Throws Error{kInternal} when it has another number.
  const Graph& only_graph() const;
  Graph& only_graph();
};

/// Zeros: the default of token_type_ids.
HostFunction fill_zeros();
/// 0, 1, 2 … in each row, behind what its sequence has already: the default of position_ids.
HostFunction fill_positions();
/// The places of all tokens, row by row: the default of kTakenTokens.
HostFunction fill_all_places();

}  // namespace gamut
