#include "layers/token_input.h"

#include <utility>

namespace gamut {

Value add_token_input(Program& program, Graph& graph, const Rows& rows, const std::string& name, int64_t limit,
                      HostFunction fill) {
  program.inputs.push_back({.name = name, .limit = limit, .fill = std::move(fill)});
  return graph.input(name, DType::kI64, {rows.batch(), rows.sequence()});
}

}  // namespace gamut
