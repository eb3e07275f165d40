// Rows: which tokens of a [B,S] grid belong to which sequence. The same recording runs padded or packed by binding it.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace gamut {

/// The symbols that every sequence model uses. A padded run binds B = N and S = the longest row; a packed run binds
/// B = 1 and S = the sum of the lengths.
inline const char* const kBatch = "B";
inline const char* const kSequence = "S";
inline const char* const kRowCount = "N";

/// The sequence structure of a graph: an I64 input [N,2] whose line n holds the start of sequence n in the flattened
/// token grid [B*S] and its length.
struct Rows {
  Value table;

  /// Declares the input `name` in `graph`.
  static Rows input(Graph& graph, const std::string& name = "rows");
  Extent batch() const { return Extent::symbol(kBatch); }
  Extent sequence() const { return Extent::symbol(kSequence); }
  Extent count() const { return table.extent(0); }
};

/// The rows of one run, on the host.
struct RowTable {
  struct Row {
    int64_t start;
    int64_t length;
    int64_t past = 0;  ///< tokens of its sequence in earlier runs
  };
  std::vector<Row> rows;
  int64_t batch = 0;     // of the token grid
  int64_t sequence = 0;  // of the token grid

  /// One grid line with all rows end to end.
  static RowTable packed(const std::vector<int64_t>& lengths);
  /// One grid line per row, tokens at its start.
  static RowTable padded(const std::vector<int64_t>& lengths);

  int64_t tokens() const { return batch * sequence; }
  /// I64 [N,2].
  Tensor to_tensor() const;
  /// B, S and N.
  SymbolValues symbols() const;
};

}  // namespace gamut
