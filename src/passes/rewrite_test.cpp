// Folding, fusion, decomposition and removal: what they leave in the graph.
#include "passes/rewrite.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "gamut/error.h"
#include "graph/op_schema.h"
#include "graph/printer.h"
#include "graph/verifier.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/concat.h"
#include "ops/gated.h"
#include "ops/iota.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/reshape.h"
#include "ops/softmax.h"
#include "ops/transpose.h"
#include "passes/decompose.h"
#include "passes/fold.h"
#include "passes/fuse.h"

namespace gamut {
namespace {

const Extent B = Extent::symbol("B"), S = Extent::symbol("S");

int count(const Graph& graph, const std::string& op) {
  return static_cast<int>(
      std::ranges::count(graph.nodes(), op, [](const Node& node) { return std::string(node.op->name); }));
}

/// The one node of that operator.
const Node& only(const Graph& graph, const std::string& op) {
  EXPECT_EQ(count(graph, op), 1) << print(graph);
  for (const Node& node : graph.nodes()) {
    if (op == node.op->name) return node;
  }
  throw std::runtime_error("no " + op);
}

Value f32(Graph& g, const std::string& name, const Shape& shape) { return g.input(name, DType::kF32, shape); }
Value weight(Graph& g, const std::string& name, const Dims& dims) { return g.weight(name, DType::kF32, dims); }

TEST(RemoveUnused, KeepsInputsAndWhatOutputsNeed) {
  Graph g("g");
  Value x = f32(g, "x", {B, 4});
  f32(g, "spare", {B});
  weight(g, "unused", {4});
  Value y = x + 1.0f;
  op::softmax(y * 2.0f);
  g.set_output("y", y);
  const Graph kept = remove_unused(g);
  verify(kept);
  EXPECT_EQ(kept.inputs().size(), 2u);
  EXPECT_EQ(count(kept, "weight"), 0);
  EXPECT_EQ(count(kept, "softmax"), 0);
  EXPECT_EQ(count(kept, "binary"), 1);
  EXPECT_EQ(print(remove_unused(kept)), print(kept));
}

TEST(Rewrite, WithoutReplacementsIsACopyWithAssumptionsAndLabels) {
  Graph g("g");
  LabelScope label(g, "place");
  Value x = f32(g, "x", {B, 4}) + f32(g, "y", {S, 4});
  g.require_equal(S, B * 2, "told");
  g.set_output("z", x);
  const Graph copy = rewrite(g, [](Graph&, const Node&, std::span<const Value>) { return std::nullopt; });
  EXPECT_EQ(print(copy), print(g));
  EXPECT_EQ(copy.assumptions().size(), 2u);
}

TEST(CountUses, CountsNodesAndOutputs) {
  Graph g;
  Value x = f32(g, "x", {4}), y = x + x;
  g.set_output("y", y);
  g.set_output("again", y);
  EXPECT_EQ(count_uses(g), (std::vector<int>{2, 2}));
}

TEST(Decompose, UntilOnlyCoreOperatorsAndThoseKeptRemain) {
  Graph g;
  Value x = f32(g, "x", {B, S, 4});
  Value y = op::linear(x, weight(g, "w", {4, 4}), {.activation = ActivationKind::kMish});
  g.set_output("y", op::softmax(op::layer_norm(y, {}, {}, 1e-5)));
  const Graph core = decompose(g, [](const Node&) { return false; });
  verify(core);
  for (const Node& node : core.nodes()) EXPECT_EQ(node.op->op_class, OpClass::kCore) << node.op->name;
  const Graph kept = decompose(g, [](const Node& node) { return std::string(node.op->name) == "softmax"; });
  EXPECT_EQ(count(kept, "softmax"), 1);
  EXPECT_EQ(count(kept, "layer_norm"), 0);
  EXPECT_EQ(to_string(core.info(core.outputs()[0].second).shape), "[B,S,4]");
}

TEST(Fold, TakesTheLargestExpressionOverWeightsOut) {
  Graph g("g");
  Value x = f32(g, "x", {B, 4});
  Value w = op::concat({op::transpose(weight(g, "a", {4, 2}), {1, 0}), weight(g, "b", {3, 4})}, 0);
  g.set_output("y", op::linear(x, w + 1.0f));
  const Folded folded = fold_weights(g);
  verify(folded.graph);
  ASSERT_EQ(folded.expressions.size(), 1u);
  EXPECT_EQ(count(folded.graph, "weight"), 1);
  EXPECT_EQ(only(folded.graph, "weight").attributes.s("name"), "folded.0");
  EXPECT_EQ(to_string(folded.graph.info(only(folded.graph, "weight").outputs[0]).shape), "[5,4]");
  const Graph& expression = folded.expressions.at("folded.0");
  verify(expression);
  EXPECT_EQ(count(expression, "weight"), 2);
  EXPECT_EQ(count(expression, "concat"), 1);
  EXPECT_EQ(count(expression, "input"), 0);
  ASSERT_EQ(expression.outputs().size(), 1u);
  EXPECT_EQ(expression.outputs()[0].first, "value");
}

TEST(Fold, LeavesPlainWeightsSymbolicShapesAndWhatInputsTouch) {
  Graph g("g");
  Value x = f32(g, "x", {B, 4}), w = weight(g, "w", {4});
  Value symbolic = op::reshape(weight(g, "v", {8}), {B, 4}) * 2.0f;
  g.set_output("a", x + w);
  g.set_output("b", symbolic);
  g.set_output("c", op::iota(g, S));
  g.set_output("w", w);
  const Folded folded = fold_weights(g);
  EXPECT_TRUE(folded.expressions.empty());
  EXPECT_EQ(print(folded.graph), print(remove_unused(g)));
}

TEST(Fold, LeavesNodesThatAreToBeKeptAndWhatIsComputedFromThem) {
  Graph g("g");
  Value x = f32(g, "x", {B, 4});
  Value kept = op::transpose(weight(g, "a", {4, 2}) + 1.0f, {1, 0});
  g.set_output("y", op::linear(x, kept * 2.0f));
  const Folded folded = fold_weights(g, [](const Node& node) { return node.op == &op::kTranspose; });
  verify(folded.graph);
  EXPECT_EQ(folded.expressions.size(), 1u) << "what it reads is folded";
  EXPECT_EQ(count(folded.graph, "transpose"), 1);
  EXPECT_EQ(count(folded.graph, "binary"), 1);
}

TEST(Fold, OfASharedExpressionMakesOneWeightForEachUseThatIsRead) {
  Graph g("g");
  Value x = f32(g, "x", {B, 4}), shared = weight(g, "w", {4}) + 1.0f, more = shared * 2.0f;
  g.set_output("a", x + shared);
  g.set_output("b", x + shared);
  g.set_output("c", x + more);
  g.set_output("d", more);
  const Folded folded = fold_weights(g);
  verify(folded.graph);
  EXPECT_EQ(folded.expressions.size(), 2u);
  EXPECT_EQ(count(folded.graph, "weight"), 2);
}

bool any(ActivationKind) { return true; }

TEST(Fuse, ActivationAndResidualIntoTheLinear) {
  Graph g;
  Value x = f32(g, "x", {B, S, 4}), w = weight(g, "w", {4, 4}), bias = weight(g, "b", {4});
  Value y = op::activation(ActivationKind::kGelu, op::linear(x, w, {.bias = bias}));
  g.set_output("y", y + x);
  const Graph once = fuse_epilogues(g, any), fused = fuse_epilogues(once, any);
  verify(fused);
  EXPECT_EQ(count(fused, "activation"), 0);
  EXPECT_EQ(count(fused, "binary"), 0);
  const Node& linear = only(fused, "linear");
  EXPECT_EQ(linear.attributes.s("activation"), "gelu");
  ASSERT_EQ(linear.inputs.size(), 4u);
  EXPECT_EQ(fused.producer(linear.inputs[3]).op, &kInput);
}

TEST(Fuse, ResidualOnEitherSideAndWithoutBias) {
  for (bool left : {false, true}) {
    Graph g;
    Value x = f32(g, "x", {B, 4}), r = f32(g, "r", {B, 4}), y = op::linear(x, weight(g, "w", {4, 4}));
    g.set_output("y", left ? r + y : y + r);
    const Graph fused = fuse_epilogues(g, any);
    EXPECT_EQ(count(fused, "binary"), 0);
    const Node& linear = only(fused, "linear");
    ASSERT_EQ(linear.inputs.size(), 4u);
    EXPECT_EQ(linear.inputs[2], -1);
    EXPECT_EQ(fused.producer(linear.inputs[3]).attributes.s("name"), "r");
  }
}

TEST(Fuse, GateAndUpIntoTwoLinearsThatFollowEachOther) {
  for (bool same : {true, false}) {
    Graph g;
    Value x = f32(g, "x", {B, 4}), z = f32(g, "z", {B, 4}), bias = weight(g, "b", {6});
    Value up = op::linear(same ? x : z, weight(g, "u", {6, 4}), {.bias = bias});
    g.set_output("y", op::gated(ActivationKind::kSilu, op::linear(x, weight(g, "g", {6, 4})), up));
    const Graph fused = fuse_epilogues(g, any);
    verify(fused);
    EXPECT_EQ(count(fused, "gated"), same ? 0 : 1);
    if (!same) continue;
    const Node& last = fused.nodes().back();
    const Node& first = fused.nodes()[fused.nodes().size() - 2];
    ASSERT_EQ(last.inputs.size(), 5u);
    EXPECT_EQ(last.inputs[3], -1);
    EXPECT_EQ(last.inputs[4], first.outputs[0]);
    EXPECT_EQ(first.attributes.s("activation"), "silu");
    EXPECT_EQ(last.attributes.s("activation"), "identity");
  }
}

TEST(Fuse, TheSumBeforeALayerNorm) {
  Graph g;
  Value x = f32(g, "x", {B, 4}), r = f32(g, "r", {B, 4});
  g.set_output("y", op::layer_norm(x + r, weight(g, "w", {4}), {}, 1e-5));
  const Graph fused = fuse_epilogues(g, any);
  verify(fused);
  EXPECT_EQ(count(fused, "binary"), 0);
  EXPECT_EQ(only(fused, "layer_norm").inputs.size(), 4u);
  EXPECT_EQ(only(fused, "layer_norm").inputs[2], -1);
}

TEST(Fuse, NothingThatIsReadTwice) {
  Graph g;
  Value x = f32(g, "x", {B, 4}), r = f32(g, "r", {B, 4}), w = weight(g, "w", {4, 4});
  Value linear = op::linear(x, w), sum = x + r, twice = op::linear(r, w);
  g.set_output("a", op::activation(ActivationKind::kRelu, linear));
  g.set_output("b", linear);
  g.set_output("c", op::layer_norm(sum, {}, {}, 1e-5));
  g.set_output("d", sum * 2.0f);
  g.set_output("e", twice + twice);
  const Graph fused = fuse_epilogues(g, any);
  EXPECT_EQ(print(fused), print(remove_unused(g)));
}

TEST(Fuse, NothingWhoseShapesDiffer) {
  Graph g;
  Value x = f32(g, "x", {B, 4}), w = weight(g, "w", {4, 4});
  g.set_output("row", op::linear(x, w) + f32(g, "row", {4}));
  g.set_output("column", op::linear(x, w) + f32(g, "column", {B, 1}));
  g.set_output("wider", op::linear(x, w) + f32(g, "wider", {2, B, 4}));
  g.set_output("norm", op::layer_norm(x + f32(g, "one", {1}), {}, {}, 1e-5));
  EXPECT_EQ(print(fuse_epilogues(g, any)), print(remove_unused(g)));
}

TEST(Fuse, NoSecondActivationNoneAfterAResidualAndNoneThatTheBackendLacks) {
  Graph g;
  Value x = f32(g, "x", {B, 4}), w = weight(g, "w", {4, 4});
  g.set_output("two", op::activation(ActivationKind::kRelu, op::linear(x, w, {.activation = ActivationKind::kGelu})));
  g.set_output("late", op::activation(ActivationKind::kRelu, op::linear(x, w, {.residual = x})));
  g.set_output("norm", op::layer_norm(x + x, {}, {}, 1e-5, x));
  EXPECT_EQ(print(fuse_epilogues(g, any)), print(remove_unused(g)));
  Graph h;
  Value y = op::linear(f32(h, "x", {B, 4}), weight(h, "w", {4, 4}));
  h.set_output("y", op::activation(ActivationKind::kRelu, y));
  EXPECT_EQ(count(fuse_epilogues(h, [](ActivationKind) { return false; }), "activation"), 1);
}

TEST(Fuse, OtherArithmeticStays) {
  Graph g;
  Value x = f32(g, "x", {B, 4}), w = weight(g, "w", {4, 4});
  g.set_output("minus", op::linear(x, w) - x);
  g.set_output("times", op::linear(x, w) * x);
  g.set_output("norm", op::layer_norm(x * x, {}, {}, 1e-5));
  EXPECT_EQ(print(fuse_epilogues(g, any)), print(remove_unused(g)));
}

}  // namespace
}  // namespace gamut
