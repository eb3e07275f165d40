#include "graph/program.h"

#include <algorithm>

#include "base/error.h"

namespace gamut {

const Graph& Program::graph(const std::string& name) const {
  auto found = graphs.find(name);
  check_internal(found != graphs.end(), "program: no such graph");
  return found->second;
}

HostFunction fill_zeros() {
  return [](const NamedTensors&, const RowTable& rows) {
    Tensor zeros = Tensor::allocate(DType::kI64, {rows.batch, rows.sequence});
    std::ranges::fill(zeros.mutable_i64(), 0);
    return zeros;
  };
}

HostFunction fill_positions(int64_t first) {
  return [first](const NamedTensors&, const RowTable& rows) {
    Tensor positions = Tensor::allocate(DType::kI64, {rows.batch, rows.sequence});
    auto out = positions.mutable_i64();
    std::ranges::fill(out, 0);
    for (const RowTable::Row& row : rows.rows) {
      for (int64_t i = 0; i < row.length; ++i) out[row.start + i] = first + row.past + i;
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
