#include "passes/binding.h"

#include <gtest/gtest.h>

#include "gamut/error.h"

namespace gamut {
namespace {

const Extent B = Extent::symbol("B"), S = Extent::symbol("S");

Tensor zeros(DType dtype, const Dims& dims) { return Tensor::allocate(dtype, dims); }

std::string refusal(const Graph& graph, const NamedTensors& inputs) {
  try {
    bind_symbols(graph, inputs);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.message();
  }
  return "";
}

Graph two_inputs() {
  Graph g;
  g.input("a", DType::kF32, {B, S, 8});
  g.input("b", DType::kI64, {S, B * 2});
  return g;
}

TEST(Binding, ReadsSymbolsFromTheDims) {
  const Graph g = two_inputs();
  EXPECT_EQ(bind_symbols(g, {{"a", zeros(DType::kF32, {3, 5, 8})}, {"b", zeros(DType::kI64, {5, 6})}}),
            (SymbolValues{{"B", 3}, {"S", 5}}));
  EXPECT_EQ(bind_symbols(g, {{"a", zeros(DType::kF32, {0, 0, 8})}, {"b", zeros(DType::kI64, {0, 0})}}),
            (SymbolValues{{"B", 0}, {"S", 0}}));
  EXPECT_EQ(bind_symbols(Graph(), {{"unknown", zeros(DType::kF32, {1})}}), SymbolValues{});
}

TEST(Binding, SaysWhatDoesNotFit) {
  const Graph g = two_inputs();
  const Tensor a = zeros(DType::kF32, {3, 5, 8}), b = zeros(DType::kI64, {5, 6});
  EXPECT_EQ(refusal(g, {{"a", a}}), "input b is missing");
  EXPECT_EQ(refusal(g, {{"a", zeros(DType::kF16, {3, 5, 8})}, {"b", b}}), "input a: dtype F16, expected F32");
  EXPECT_EQ(refusal(g, {{"a", zeros(DType::kF32, {3, 5})}, {"b", b}}), "input a: shape [3,5], expected [B,S,8]");
  EXPECT_EQ(refusal(g, {{"a", zeros(DType::kF32, {3, 5, 9})}, {"b", b}}), "input a: shape [3,5,9], expected [B,S,8]");
  EXPECT_EQ(refusal(g, {{"a", a}, {"b", zeros(DType::kI64, {4, 6})}}),
            "input b: shape [4,6], expected [S,2*B] with S=5");
  EXPECT_EQ(refusal(g, {{"a", a}, {"b", zeros(DType::kI64, {5, 5})}}), "input b: shape [5,5], expected [S,2*B]");
}

TEST(Binding, ChecksAssumptions) {
  Graph g = two_inputs();
  g.require_equal(S, B + 2, "head: join: extents");
  EXPECT_EQ(refusal(g, {{"a", zeros(DType::kF32, {3, 5, 8})}, {"b", zeros(DType::kI64, {5, 6})}}), "");
  EXPECT_EQ(refusal(g, {{"a", zeros(DType::kF32, {3, 4, 8})}, {"b", zeros(DType::kI64, {4, 6})}}),
            "head: join: extents: S is 4 and B+2 is 5 in this run; they must be equal");
}

TEST(Binding, SaysWhichSymbolNobodyGives) {
  Graph g;
  g.input("a", DType::kF32, {B * 2});
  EXPECT_EQ(refusal(g, {{"a", zeros(DType::kF32, {4})}}), "symbol B has no value in this run");
}

}  // namespace
}  // namespace gamut
