#include "graph/program.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace gamut {

const Graph& Program::graph(const std::string& name) const {
  auto found = graphs.find(name);
  check_internal(found != graphs.end(), "program: no such graph");
  return found->second;
}

const Graph& Program::only_graph() const {
  check_internal(graphs.size() == 1, "program: expected one graph");
  return graphs.begin()->second;
}

Graph& Program::only_graph() { return const_cast<Graph&>(std::as_const(*this).only_graph()); }

SymbolValues forward_symbols(const RowTable& rows) {
  SymbolValues symbols = rows.symbols();
  int64_t& taken = symbols[kTakenCount];
  for (const RowTable::Row& row : rows.rows) taken += row.length;
  return symbols;
}

HostFunction fill_zeros() {
  return [](const NamedTensors&, const RowTable& rows) {
    Tensor zeros = Tensor::allocate(DType::kI64, {rows.batch, rows.sequence});
    std::ranges::fill(zeros.mutable_i64(), 0);
    return zeros;
  };
}

HostFunction fill_positions() {
  return [](const NamedTensors&, const RowTable& rows) {
    Tensor positions = Tensor::allocate(DType::kI64, {rows.batch, rows.sequence});
    auto out = positions.mutable_i64();
    std::ranges::fill(out, 0);
    for (const RowTable::Row& row : rows.rows) {
      for (int64_t i = 0; i < row.length; ++i) out[row.start + i] = row.past + i;
    }
    return positions;
  };
}

HostFunction fill_all_places() {
  return [](const NamedTensors&, const RowTable& rows) {
    int64_t count = 0;
    for (const RowTable::Row& row : rows.rows) count += row.length;
    Tensor places = Tensor::allocate(DType::kI64, {count});
    int64_t* place = places.mutable_i64().data();
    for (const RowTable::Row& row : rows.rows) {
      for (int64_t i = 0; i < row.length; ++i) *place++ = row.start + i;
    }
    return places;
  };
}

}  // namespace gamut
