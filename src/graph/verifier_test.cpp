#include "graph/verifier.h"

#include "graph/rows.h"
#include "graph/test_ops.h"

namespace gamut {
namespace {

using test::expect_error;
using test::kJoin;
using test::kMap;
using test::kMix;

const Extent B = Extent::symbol(kBatch), S = Extent::symbol(kSequence), N = Extent::symbol(kRowCount);

Graph small_graph() {
  Graph g("small");
  Value x = g.input("x", DType::kF32, {B, S, 8});
  LabelScope label(g, "layer");
  g.set_output("y", g.add(kMap, {g.add(kMap, {x})}));
  return g;
}

/// The recorder makes no broken graph, so the tests break one behind its back.
Node& node(const Graph& graph, size_t index) { return const_cast<Node&>(graph.nodes()[index]); }

TEST(Verifier, AcceptsWhatTheRecorderMakes) { EXPECT_NO_THROW(verify(small_graph())); }

TEST(Verifier, RefusesAnInputThatIsNotDefinedBefore) {
  Graph g = small_graph();
  node(g, 1).inputs[0] = 2;
  expect_error([&] { verify(g); }, ErrorCode::kInternal, "graph small: node map (layer): input %2 is not defined");
  node(g, 1).inputs[0] = 1;
  expect_error([&] { verify(g); }, ErrorCode::kInternal, "input %1 is not defined");
  node(g, 1).inputs[0] = 99;
  expect_error([&] { verify(g); }, ErrorCode::kInternal, "input %99 is not defined");
}

TEST(Verifier, RefusesWrongOutputsOfANode) {
  Graph g = small_graph();
  node(g, 1).outputs.clear();
  expect_error([&] { verify(g); }, ErrorCode::kInternal, "no outputs");
  node(g, 1).outputs = {0};
  expect_error([&] { verify(g); }, ErrorCode::kInternal, "output %0 is out of range or defined twice");
  node(g, 1).outputs = {-1};
  expect_error([&] { verify(g); }, ErrorCode::kInternal, "output %-1 is out of range");
  node(g, 1).outputs = {3};
  expect_error([&] { verify(g); }, ErrorCode::kInternal, "output %3 is out of range");
}

TEST(Verifier, RefusesAStoredShapeThatIsNotTheRules) {
  Graph g = small_graph();
  const_cast<ValueInfo&>(g.info(2)).shape = {B, S, 9};
  expect_error([&] { verify(g); }, ErrorCode::kInternal, "its shape rule gives [B,S,8], stored is [B,S,9]");
  Graph h = small_graph();
  const_cast<ValueInfo&>(h.info(1)).dtype = DType::kI64;
  expect_error([&] { verify(h); }, ErrorCode::kInternal, "its shape rule gives");
}

TEST(Verifier, RefusesANameThatIsUsedTwice) {
  Graph g;
  Value x = g.input("x", DType::kF32, {4});
  g.input("x", DType::kF32, {4});
  g.set_output("y", x);
  expect_error([&] { verify(g); }, ErrorCode::kInternal, "name \"x\" is used twice");
  Graph h;
  h.input("w", DType::kF32, {4});
  h.set_output("y", h.weight("w", DType::kF32, {4}));
  EXPECT_NO_THROW(verify(h)) << "an input and a weight may share a name";
}

TEST(Verifier, RefusesOutputsThatAreMissingUndefinedOrDeclaredTwice) {
  Graph g("bare");
  Value x = g.input("x", DType::kF32, {4});
  expect_error([&] { verify(g); }, ErrorCode::kInternal, "graph bare: no outputs");
  g.set_output("y", x);
  g.set_output("y", x);
  expect_error([&] { verify(g); }, ErrorCode::kInternal, "output \"y\" is undefined or declared twice");
  g.clear_outputs();
  g.set_output("y", Value{&g, 7});
  expect_error([&] { verify(g); }, ErrorCode::kInternal, "output \"y\" is undefined");
}

TEST(Packable, TokensTreatedOneByOneAre) {
  Graph g;
  Rows rows = Rows::input(g);
  Value x = g.input("x", DType::kF32, {B, S, 8}), w = g.weight("w", DType::kF32, {8});
  g.set_output("y", g.add(kMap, {x}));
  g.set_output("rest", g.add(kMix, {w}, {{"shape", Shape{8, 4}}}));
  g.set_output("per_row", g.add(kMap, {g.input("r", DType::kF32, {rows.count(), 8})}));
  EXPECT_EQ(why_not_packable(g), "");
}

TEST(Packable, NotWhenANodeMixesTokens) {
  Graph g;
  Value x = g.input("x", DType::kF32, {B, S, 8});
  LabelScope label(g, "mixer");
  g.set_output("y", g.add(kMix, {x}, {{"shape", Shape{B, S, 8}}}));
  EXPECT_EQ(why_not_packable(g), "mix (mixer) mixes tokens");
}

TEST(Packable, NotWhenTokensLeaveTheirGrid) {
  for (const Shape& shape : {Shape{B * S, 8}, Shape{S, B, 8}, Shape{B, S, S}, Shape{4, B}, Shape{S}}) {
    Graph g;
    Value x = g.input("x", DType::kF32, {N, 8});
    LabelScope label(g, "place");
    g.set_output("y", g.add(kMix, {x}, {{"shape", shape}}));
    EXPECT_EQ(why_not_packable(g), "mix (place) has shape " + to_string(shape));
  }
}

TEST(Packable, NotWhenATokenValueIsReducedToSomethingElse) {
  Graph g;
  Value x = g.input("x", DType::kF32, {B, S, 8});
  g.set_output("y", g.add(kMix, {x}, {{"shape", Shape{N, 8}}}));
  EXPECT_EQ(why_not_packable(g), "mix () mixes tokens");
}

TEST(Packable, NotWhenAnAssumptionTiesTheGrid) {
  Graph g;
  Value x = g.input("x", DType::kF32, {B, S, 8}), y = g.input("y", DType::kF32, {B, 5, 8});
  g.set_output("z", g.add(kJoin, {x, y}));
  EXPECT_EQ(why_not_packable(g).substr(0, 17), "S must equal 5 (:");
  Graph h;
  Value a = h.input("a", DType::kF32, {N, 8}), b = h.input("b", DType::kF32, {Extent::symbol("M"), 8});
  h.set_output("z", h.add(kJoin, {a, b}));
  EXPECT_EQ(why_not_packable(h), "") << "other symbols may be tied";
}

}  // namespace
}  // namespace gamut
