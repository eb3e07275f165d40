#include "ops/row_index.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/cast.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  c.require_dtype(0, DType::kI64);
  c.output(DType::kI64, {Extent::symbol(kBatch), Extent::symbol(kSequence)});
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (bool packed : {false, true}) {
    const RowTable table = packed ? RowTable::packed({3, 1, 4}) : RowTable::padded({3, 1, 4});
    CaseBuilder b(packed ? "row_index_packed" : "row_index_padded");
    const Rows rows = b.rows(table);
    Value x = b.tokens("x", table, {});
    all.push_back(b.finish(x + cast(row_numbers(rows), DType::kF32) + cast(row_positions(rows), DType::kF32) * 100.0f));
  }
  return all;
}

}  // namespace

const OpSchema kRowIndex{.name = "row_index", .infer = infer, .keeps_tokens = always_keeps_tokens, .cases = cases};

Value row_numbers(const Rows& rows) {
  return rows.table.graph->add(kRowIndex, {rows.table}, {{"kind", std::string("row")}});
}

Value row_positions(const Rows& rows) {
  return rows.table.graph->add(kRowIndex, {rows.table}, {{"kind", std::string("position")}});
}

}  // namespace gamut::op
