#include "ops/take_tokens.h"

#include "graph/op_case_builder.h"
#include "ops/gather_rows.h"
#include "ops/reshape.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  c.require_dtype(0, DType::kF32);
  c.require_dtype(1, DType::kI64);
  if (c.rank(0) != 3) c.fail("expected x [B,S,D]");
  if (c.rank(1) != 1) c.fail("expected places [M]");
  c.output(DType::kF32, {c.shape(1)[0], c.shape(0)[2]});
}

Value decompose(Graph&, const Node&, std::span<const Value> inputs) {
  const Shape& shape = inputs[0].shape();
  return gather_rows(reshape(inputs[0], {shape[0] * shape[1], shape[2]}), inputs[1]);
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (bool packed : {false, true}) {
    const RowTable table = packed ? RowTable::packed({3, 1, 4}) : RowTable::padded({3, 1, 4});
    CaseBuilder b(packed ? "take_tokens_packed" : "take_tokens_padded");
    Value x = b.tokens("x", table, {7});
    all.push_back(b.finish(take_tokens(x, b.ids("places", {5}, table.tokens()))));
  }
  return all;
}

}  // namespace

const OpSchema kTakeTokens{.name = "take_tokens",
                           .op_class = OpClass::kComposed,
                           .min_inputs = 2,
                           .max_inputs = 2,
                           .infer = infer,
                           .decompose = decompose,
                           .keeps_tokens = always_keeps_tokens,
                           .cases = cases};

Value take_tokens(Value x, Value places) { return x.graph->add(kTakeTokens, {x, places}); }

}  // namespace gamut::op
