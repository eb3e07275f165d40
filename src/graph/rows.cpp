#include "graph/rows.h"

#include <algorithm>

#include "base/error.h"

namespace gamut {

Rows Rows::input(Graph& graph, const std::string& name) {
  return {graph.input(name, DType::kI64, {Extent::symbol(kRowCount), 2})};
}

RowTable RowTable::packed(const std::vector<int64_t>& lengths) {
  RowTable table;
  table.batch = 1;
  for (int64_t length : lengths) {
    table.rows.push_back({table.sequence, length});
    table.sequence += length;
  }
  return table;
}

RowTable RowTable::padded(const std::vector<int64_t>& lengths) {
  RowTable table;
  table.batch = static_cast<int64_t>(lengths.size());
  for (int64_t length : lengths) table.sequence = std::max(table.sequence, length);
  for (size_t n = 0; n < lengths.size(); ++n) {
    table.rows.push_back({static_cast<int64_t>(n) * table.sequence, lengths[n]});
  }
  return table;
}

Tensor RowTable::to_tensor() const {
  Tensor tensor = Tensor::allocate(DType::kI64, {static_cast<int64_t>(rows.size()), 2});
  auto out = tensor.mutable_i64();
  for (size_t n = 0; n < rows.size(); ++n) {
    out[2 * n] = rows[n].start;
    out[2 * n + 1] = rows[n].length;
  }
  return tensor;
}

SymbolValues RowTable::symbols() const {
  return {{kBatch, batch}, {kSequence, sequence}, {kRowCount, static_cast<int64_t>(rows.size())}};
}

}  // namespace gamut
