#include "layers/token_input.h"

#include <algorithm>
#include <utility>

namespace gamut {

Value add_token_input(Program& program, Graph& graph, const Rows& rows, ProgramInput declared) {
  const std::string name = declared.name;
  program.inputs.push_back(std::move(declared));
  return graph.input(name, DType::kI64, {rows.batch(), rows.sequence()});
}

Value add_token_numbers(Program& program, Graph& graph, const TokenNumbers& numbers, const std::string& name) {
  ProgramInput declared{.name = name, .dtype = DType::kF32, .per_token = false};
  declared.fill = [numbers](const NamedTensors& inputs, const RowTable& rows) {
    Tensor table = Tensor::allocate(DType::kF32, {rows.batch, rows.sequence, numbers.width});
    const auto values = table.mutable_f32();
    std::ranges::fill(values, 0.0f);
    const auto positions = inputs.at("position_ids").i64();
    const auto width = static_cast<size_t>(numbers.width);
    for (const RowTable::Row& row : rows.rows) {
      for (int64_t i = 0; i < row.length; ++i) {
        const auto token = static_cast<size_t>(row.start + i);
        numbers.write(positions[token], row.past + i, values.subspan(token * width, width));
      }
    }
    return table;
  };
  program.inputs.push_back(std::move(declared));
  return graph.input(name, DType::kF32, {Extent::symbol(kBatch), Extent::symbol(kSequence), numbers.width});
}

}  // namespace gamut
