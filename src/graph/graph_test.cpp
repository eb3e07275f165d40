#include "graph/graph.h"

#include "graph/test_ops.h"

namespace gamut {
namespace {

using test::expect_error;
using test::kJoin;
using test::kMap;
using test::kTwice;

const Extent B = Extent::symbol("B"), S = Extent::symbol("S");

TEST(Graph, RecordsNodesInOrderWithTheLabelOfTheirPlace) {
  Graph g("encode");
  Value x = g.input("x", DType::kF32, {B, S, 8});
  Value y;
  {
    LabelScope outer(g, "layer.0");
    Value z = g.add(kMap, {x});
    {
      LabelScope inner(g, "layer.0.output");
      y = g.add(kJoin, {z, x}, {{"scale", 2.0}});
    }
    EXPECT_EQ(g.label(), "layer.0");
  }
  EXPECT_EQ(g.label(), "");
  ASSERT_EQ(g.nodes().size(), 3u);
  EXPECT_EQ(g.nodes()[1].label, "layer.0");
  EXPECT_EQ(g.nodes()[2].label, "layer.0.output");
  EXPECT_EQ(g.nodes()[2].inputs, (std::vector<int>{1, 0}));
  EXPECT_EQ(&g.producer(y.id), &g.nodes()[2]);
  EXPECT_EQ(g.producer_index(y.id), 2);
  EXPECT_DOUBLE_EQ(g.nodes()[2].attributes.num("scale"), 2.0);
}

TEST(Graph, ShapeErrorsNameLabelOperatorAndShapes) {
  Graph g;
  Value x = g.input("x", DType::kF32, {B, S, 8}), ids = g.input("ids", DType::kI64, {B, S});
  Value narrow = g.input("narrow", DType::kF32, {B, S, 4});
  LabelScope label(g, "encoder.layer.3");
  expect_error([&] { g.add(kMap, {ids}); }, ErrorCode::kInvalidArgument,
               "encoder.layer.3: map: input 0 has dtype I64, expected F32; inputs I64[B,S]");
  expect_error(
      [&] {
        g.add(kJoin, {x, narrow});
      },
      ErrorCode::kInvalidArgument, "encoder.layer.3: join: extents: 8 and 4 differ; inputs F32[B,S,8], F32[B,S,4]");
  expect_error([&] { g.add(kJoin, {x, ids}); }, ErrorCode::kInvalidArgument, "ranks differ");
  expect_error([&] { g.add(kMap, {}); }, ErrorCode::kInvalidArgument, "0 inputs, expected 1 to 1; inputs none");
  expect_error([&] { g.add(kMap, {x, x}); }, ErrorCode::kInvalidArgument, "2 inputs, expected 1 to 1");
  expect_error([&] { g.add(kJoin, {Value{}, x}); }, ErrorCode::kInvalidArgument, "input 0 is required");
  EXPECT_EQ(g.nodes().size(), 3u) << "a refused node leaves nothing behind";
  EXPECT_EQ(g.value_count(), 3);
}

TEST(Graph, AbsentInputsAtTheEndAreDroppedAndThoseBetweenStay) {
  Graph g;
  Value x = g.input("x", DType::kF32, {4});
  Value end = g.add(kJoin, {x, x, Value{}}), between = g.add(kJoin, {x, Value{}, x});
  EXPECT_EQ(g.producer(end.id).inputs, (std::vector<int>{x.id, x.id}));
  EXPECT_EQ(g.producer(between.id).inputs, (std::vector<int>{x.id, -1, x.id}));
}

TEST(Graph, ValuesOfAnotherGraphAreRefused) {
  Graph a, b;
  Value x = a.input("x", DType::kF32, {4});
  expect_error([&] { b.add(kMap, {x}); }, ErrorCode::kInternal, "another graph");
  expect_error([&] { b.set_output("y", x); }, ErrorCode::kInternal, "another graph");
  expect_error([&] { a.set_output("y", Value{}); }, ErrorCode::kInternal, "another graph");
}

TEST(Value, ReadsExtentsFromBothEnds) {
  Graph g;
  Value x = g.input("x", DType::kF32, {B, S, 8});
  EXPECT_EQ(x.rank(), 3);
  EXPECT_EQ(x.dtype(), DType::kF32);
  EXPECT_EQ(x.extent(0), B);
  EXPECT_EQ(x.extent(-1), Extent(8));
  EXPECT_EQ(x.extent(-2), S);
  EXPECT_FALSE(Value{});
  EXPECT_TRUE(x);
  EXPECT_FALSE(x == Value{});
  expect_error([&] { Value{}.shape(); }, ErrorCode::kInternal, "absent");
  EXPECT_ANY_THROW(x.extent(3));
  EXPECT_ANY_THROW(x.extent(-4));
}

TEST(Graph, SeesFloatWeightsAsF32AndOthersAsTheyAre) {
  Graph g;
  for (DType dtype : {DType::kF16, DType::kBf16, DType::kF32, DType::kF64, DType::kF8E4M3}) {
    EXPECT_EQ(g.weight("w" + std::string(dtype_name(dtype)), dtype, {2}).dtype(), DType::kF32);
  }
  EXPECT_EQ(g.weight("ids", DType::kI64, {2}).dtype(), DType::kI64);
  EXPECT_EQ(g.weight("mask", DType::kBool, {2}).dtype(), DType::kBool);
}

TEST(Graph, AWeightAskedForTwiceIsOneNode) {
  Graph g;
  Value a = g.weight("w", DType::kF32, {2, 3}), b = g.weight("w", DType::kF32, {2, 3});
  EXPECT_EQ(a, b);
  EXPECT_EQ(g.nodes().size(), 1u);
  EXPECT_FALSE(g.weight("v", DType::kF32, {2, 3}) == a);
}

TEST(Graph, ConstantsCarryTheirPayload) {
  Graph g;
  Value f = g.scalar(2.5f), i = g.scalar(int64_t{7});
  EXPECT_EQ(f.rank(), 0);
  EXPECT_EQ(f.dtype(), DType::kF32);
  EXPECT_EQ(i.dtype(), DType::kI64);
  EXPECT_EQ(g.producer(f.id).constant.f32()[0], 2.5f);
  EXPECT_EQ(g.producer(i.id).constant.i64()[0], 7);
  const std::vector<float> numbers{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(to_string(g.constant(Tensor::from({2, 3}, numbers)).shape()), "[2,3]");
}

TEST(Graph, ANodeMayHaveSeveralResults) {
  Graph g;
  Value x = g.input("x", DType::kF32, {4});
  Value first = g.add(kTwice, {x});
  EXPECT_EQ(g.producer(first.id).outputs, (std::vector<int>{first.id, first.id + 1}));
  Value next = g.add(kMap, {Value{&g, first.id + 1}});
  EXPECT_EQ(next.id, first.id + 2);
}

TEST(Graph, AddLikeKeepsTheOldLabelAndTakesTheScopesWhenThereIsNone) {
  Graph from, to;
  Value x = from.input("x", DType::kF32, {4});
  Value plain = from.add(kMap, {x});
  Value labelled;
  {
    LabelScope scope(from, "old");
    labelled = from.add(kMap, {x});
  }
  Value y = to.input("x", DType::kF32, {6});
  LabelScope scope(to, "new");
  Value a = to.add_like(from.producer(plain.id), {y}), b = to.add_like(from.producer(labelled.id), {y});
  EXPECT_EQ(to.producer(a.id).label, "new");
  EXPECT_EQ(to.producer(b.id).label, "old");
  EXPECT_EQ(a.extent(0), Extent(6)) << "the shape rule runs anew";
}

TEST(Assumptions, ProvedAssumedAndRefused) {
  Graph g;
  EXPECT_TRUE(g.require_equal(B * S, S * B, "proved"));
  EXPECT_TRUE(g.require_equal(4, 4, "proved"));
  EXPECT_TRUE(g.assumptions().empty());
  EXPECT_FALSE(g.require_equal(4, 5, "refused"));
  EXPECT_TRUE(g.assumptions().empty());
  EXPECT_TRUE(g.require_equal(S, 5, "assumed"));
  EXPECT_TRUE(g.require_equal(5, S, "the same the other way round"));
  ASSERT_EQ(g.assumptions().size(), 1u);
  EXPECT_EQ(g.assumptions()[0].reason, "assumed");
}

TEST(Assumptions, OfAShapeRuleSayWhereTheyComeFrom) {
  Graph g;
  Value x = g.input("x", DType::kF32, {B, 8}), y = g.input("y", DType::kF32, {S, 8});
  LabelScope label(g, "head");
  g.add(kJoin, {x, y});
  ASSERT_EQ(g.assumptions().size(), 1u);
  EXPECT_EQ(g.assumptions()[0].a, B);
  EXPECT_EQ(g.assumptions()[0].b, S);
  EXPECT_EQ(g.assumptions()[0].reason, "head: join: extents");
}

TEST(Graph, OutputsCanBeDeclaredAnew) {
  Graph g;
  Value x = g.input("x", DType::kF32, {4}), y = g.add(kMap, {x});
  g.set_output("y", y);
  ASSERT_EQ(g.outputs().size(), 1u);
  EXPECT_EQ(g.outputs()[0], (std::pair<std::string, int>("y", y.id)));
  g.clear_outputs();
  EXPECT_TRUE(g.outputs().empty());
  ASSERT_EQ(g.inputs().size(), 1u);
  EXPECT_EQ(g.inputs()[0]->attributes.s("name"), "x");
}

TEST(Attributes, ReadTheirDefaultWhenAbsentAndRefuseAnotherType) {
  const Attributes a{{"axis", int64_t{2}}, {"eps", 0.5}, {"on", true}, {"kind", std::string("max")}};
  EXPECT_EQ(a.i("axis", 9), 2);
  EXPECT_EQ(a.i("other", 9), 9);
  EXPECT_EQ(a.num("eps"), 0.5);
  EXPECT_TRUE(a.b("on"));
  EXPECT_EQ(a.s("kind"), "max");
  EXPECT_EQ(a.s("other", "none"), "none");
  EXPECT_TRUE(a.has("axis"));
  EXPECT_FALSE(a.has("other"));
  EXPECT_ANY_THROW(a.s("axis"));
  EXPECT_EQ(a.to_string(), "{axis=2, eps=0.5, kind=max, on=true}");
  EXPECT_EQ(Attributes().to_string(), "");
  EXPECT_TRUE(a == a);
  EXPECT_FALSE(a == Attributes());
}

}  // namespace
}  // namespace gamut
