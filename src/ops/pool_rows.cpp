#include "ops/pool_rows.h"

#include <limits>

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/compare.h"
#include "ops/iota.h"
#include "ops/kind_of.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/row_index.h"
#include "ops/select.h"
#include "ops/slice.h"
#include "ops/unary.h"

namespace gamut {
namespace {

constexpr std::string_view kNames[] = {"first", "last", "mean", "max", "sum", "mean_sqrt"};

void infer(InferContext& c) {
  c.require_dtype(0, DType::kF32);
  c.require_dtype(1, DType::kI64);
  if (c.rank(0) != 3) c.fail("expected x [B,S,D]");
  c.output(DType::kF32, {c.shape(1)[0], c.shape(0)[2]});
}

/// BOOL [N,T]: which of the T = B*S tokens row n takes.
Value taken(Graph& g, PoolKind kind, const Rows& rows, Value lengths, const Extent& tokens) {
  Value row = op::reshape(op::iota(g, rows.count()), {rows.count(), 1});
  Value belongs = op::compare(CompareKind::kEqual, row, op::reshape(op::row_numbers(rows), {1, tokens}));
  if (kind != PoolKind::kFirst && kind != PoolKind::kLast) return belongs;
  Value position = op::reshape(op::row_positions(rows), {1, tokens});
  Value wanted = kind == PoolKind::kFirst ? g.scalar(int64_t{0}) : lengths + g.scalar(int64_t{-1});
  return op::logical_and(belongs, op::compare(CompareKind::kEqual, position, wanted));
}

Value decompose(Graph& g, const Node& node, std::span<const Value> inputs) {
  const PoolKind kind = pool_kind(node);
  const Rows rows{inputs[1]};
  const Extent tokens = inputs[0].extent(0) * inputs[0].extent(1), width = inputs[0].extent(2);
  Value flat = op::reshape(inputs[0], {tokens, width});
  Value lengths = op::slice(rows.table, 1, 1, 1);  // [N,1]
  Value mask = taken(g, kind, rows, lengths, tokens);
  if (kind == PoolKind::kMax) {
    Value each = op::select(op::reshape(mask, {rows.count(), tokens, 1}), op::reshape(flat, {1, tokens, width}),
                            g.scalar(std::numeric_limits<float>::lowest()));
    Value highest = op::reshape(op::reduce(ReduceKind::kMax, each, {1}), {rows.count(), width});
    Value empty = op::compare(CompareKind::kEqual, lengths, g.scalar(int64_t{0}));
    return op::select(empty, g.scalar(0.0f), highest);
  }
  Value sum = op::matmul(op::cast(mask, DType::kF32), flat);
  if (kind != PoolKind::kMean && kind != PoolKind::kMeanSqrt) return sum;
  Value divisor = op::binary(BinaryKind::kMax, op::cast(lengths, DType::kF32), g.scalar(1.0f));
  return sum / (kind == PoolKind::kMean ? divisor : op::unary(UnaryKind::kSqrt, divisor));
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (size_t kind = 0; kind < std::size(kNames); ++kind) {
    for (bool packed : {false, true}) {
      const std::vector<int64_t> lengths{3, 1, 0, 6};
      const RowTable table = packed ? RowTable::packed(lengths) : RowTable::padded(lengths);
      CaseBuilder b("pool_rows_" + std::string(kNames[kind]) + (packed ? "_packed" : "_padded"));
      const Rows rows = b.rows(table);
      all.push_back(b.finish(op::pool_rows(static_cast<PoolKind>(kind), b.tokens("x", table, {19}), rows)));
    }
  }
  return all;
}

}  // namespace

namespace op {

const OpSchema kPoolRows{.name = "pool_rows",
                         .op_class = OpClass::kComposed,
                         .min_inputs = 2,
                         .max_inputs = 2,
                         .infer = infer,
                         .decompose = decompose,
                         .keeps_tokens = always_keeps_tokens,
                         .cases = cases};

Value pool_rows(PoolKind kind, Value x, const Rows& rows) {
  return x.graph->add(kPoolRows, {x, rows.table}, {{"kind", std::string(pool_name(kind))}});
}

}  // namespace op

std::string_view pool_name(PoolKind kind) { return kNames[static_cast<size_t>(kind)]; }

PoolKind pool_kind(const Node& node) { return kind_of<PoolKind>("pool_rows", node, kNames); }

}  // namespace gamut
