#include "graph/rows.h"

#include "graph/program.h"
#include "graph/test_ops.h"

namespace gamut {
namespace {

std::vector<int64_t> numbers(const Tensor& tensor) { return {tensor.i64().begin(), tensor.i64().end()}; }

TEST(Rows, DeclareAnInputOfStartsAndLengths) {
  Graph g;
  Rows rows = Rows::input(g, "table");
  EXPECT_EQ(to_string(rows.table.shape()), "[N,2]");
  EXPECT_EQ(rows.table.dtype(), DType::kI64);
  EXPECT_EQ(rows.count(), Extent::symbol(kRowCount));
  EXPECT_EQ(rows.batch(), Extent::symbol(kBatch));
  EXPECT_EQ(rows.sequence(), Extent::symbol(kSequence));
  EXPECT_EQ(g.inputs()[0]->attributes.s("name"), "table");
}

TEST(RowTable, PackedLaysRowsEndToEnd) {
  const RowTable table = RowTable::packed({3, 0, 5});
  EXPECT_EQ(table.batch, 1);
  EXPECT_EQ(table.sequence, 8);
  EXPECT_EQ(table.tokens(), 8);
  EXPECT_EQ(numbers(table.to_tensor()), (std::vector<int64_t>{0, 3, 3, 0, 3, 5}));
  EXPECT_EQ(table.to_tensor().dims(), (Dims{3, 2}));
  EXPECT_EQ(table.symbols(), (SymbolValues{{"B", 1}, {"S", 8}, {"N", 3}}));
}

TEST(RowTable, PaddedGivesEachRowALineOfTheLongest) {
  const RowTable table = RowTable::padded({3, 0, 5});
  EXPECT_EQ(table.batch, 3);
  EXPECT_EQ(table.sequence, 5);
  EXPECT_EQ(table.tokens(), 15);
  EXPECT_EQ(numbers(table.to_tensor()), (std::vector<int64_t>{0, 3, 5, 0, 10, 5}));
  EXPECT_EQ(table.symbols(), (SymbolValues{{"B", 3}, {"S", 5}, {"N", 3}}));
}

TEST(RowTable, OfNoRowsHasNoTokens) {
  for (const RowTable& table : {RowTable::packed({}), RowTable::padded({}), RowTable::padded({0, 0})}) {
    EXPECT_EQ(table.tokens(), 0);
    EXPECT_EQ(table.to_tensor().dim(1), 2);
  }
}

TEST(FillPositions, CountsInEachRowAndLeavesPaddingAtZero) {
  const HostFunction fill = fill_positions();
  EXPECT_EQ(numbers(fill({}, RowTable::packed({3, 2}))), (std::vector<int64_t>{0, 1, 2, 0, 1}));
  const Tensor padded = fill({}, RowTable::padded({1, 3}));
  EXPECT_EQ(padded.dims(), (Dims{2, 3}));
  EXPECT_EQ(numbers(padded), (std::vector<int64_t>{0, 0, 0, 0, 1, 2}));
  EXPECT_EQ(fill({}, RowTable::packed({})).dims(), (Dims{1, 0}));
}

TEST(FillZeros, IsZeroOnTheWholeGrid) {
  const Tensor zeros = fill_zeros()({}, RowTable::padded({1, 2}));
  EXPECT_EQ(zeros.dims(), (Dims{2, 2}));
  EXPECT_EQ(numbers(zeros), std::vector<int64_t>(4, 0));
}

TEST(Program, SaysWhenAGraphIsNotThere) {
  Program program;
  program.graphs.emplace("encode", Graph("encode"));
  EXPECT_EQ(program.graph("encode").name(), "encode");
  test::expect_error([&] { program.graph("decode"); }, ErrorCode::kInternal, "no such graph");
}

}  // namespace
}  // namespace gamut
