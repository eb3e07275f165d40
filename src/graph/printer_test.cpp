#include "graph/printer.h"

#include <set>

#include "graph/test_ops.h"

namespace gamut {
namespace {

using test::kJoin;
using test::kMap;
using test::kTwice;

const Extent B = Extent::symbol("B"), S = Extent::symbol("S");

TEST(Printer, PrintsEveryKindOfLine) {
  Graph g("encode");
  Value x = g.input("x", DType::kF32, {B, S, 8}), w = g.weight("layer.weight", DType::kBf16, {4, 8});
  Value one = g.scalar(1.5f), two = g.scalar(int64_t{2});
  LabelScope label(g, "layer.0");
  Value y = g.add(kJoin, {x, Value{}, x}, {{"eps", 1e-12}, {"causal", true}});
  Value z = g.add(kTwice, {y}, {{"axes", std::vector<int64_t>{1, -1}}, {"count", S + 1}, {"shape", Shape{B, 4}}});
  g.require_equal(S, 128, "because");
  g.set_output("z", z);
  g.set_output("again", Value{&g, z.id + 1});
  static_cast<void>(w), static_cast<void>(one), static_cast<void>(two);
  EXPECT_EQ(print(g),
            "graph encode {\n"
            "  %0 = input \"x\" : f32[B,S,8]\n"
            "  %1 = weight \"layer.weight\" : f32[4,8]\n"
            "  %2 = constant() 1.5 : f32[]\n"
            "  %3 = constant() 2 : i64[]\n"
            "  %4 = join(%0, none, %0) {causal=true, eps=1e-12} : f32[B,S,8]  # layer.0\n"
            "  %5, %6 = twice(%4) {axes=[1,-1], count=S+1, shape=[B,4]} : f32[B,S,8] f32[B,S,8]  # layer.0\n"
            "  assume S == 128  # because\n"
            "  output \"z\" = %5\n"
            "  output \"again\" = %6\n"
            "}\n");
}

Graph recording(const Attributes& attributes, const std::string& label = "a", const std::string& output = "y") {
  Graph g("g");
  Value x = g.input("x", DType::kF32, {B, 8});
  LabelScope scope(g, label);
  g.set_output(output, g.add(kMap, {x}, attributes));
  return g;
}

TEST(Digest, IsSixteenDigitsAndTheSameForTheSameRecording) {
  const Attributes attributes{{"eps", 1e-5}};
  const std::string first = digest(recording(attributes));
  EXPECT_EQ(first.size(), 16u);
  EXPECT_EQ(first.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(first, digest(recording(attributes)));
}

TEST(Digest, ChangesWithAnyAttributeLabelOrName) {
  const Attributes variants[] = {{},
                                 {{"eps", 1e-5}},
                                 {{"eps", 1e-12}},
                                 {{"axis", int64_t{1}}},
                                 {{"axis", int64_t{-1}}},
                                 {{"on", true}},
                                 {{"on", false}},
                                 {{"kind", std::string("max")}},
                                 {{"kind", std::string("sum")}},
                                 {{"axes", std::vector<int64_t>{0, 1}}},
                                 {{"axes", std::vector<int64_t>{1, 0}}},
                                 {{"count", S}},
                                 {{"count", S + 1}},
                                 {{"shape", Shape{B, S}}},
                                 {{"shape", Shape{S, B}}}};
  std::set<std::string> digests;
  for (const Attributes& attributes : variants) digests.insert(digest(recording(attributes)));
  EXPECT_EQ(digests.size(), std::size(variants));
  digests.insert(digest(recording({}, "b")));
  digests.insert(digest(recording({}, "a", "z")));
  EXPECT_EQ(digests.size(), std::size(variants) + 2);
}

TEST(Digest, ChangesWithTheNumbersOfAConstant) {
  auto with = [](const std::vector<float>& numbers) {
    Graph g("g");
    g.set_output("y", g.constant(Tensor::from({static_cast<int64_t>(numbers.size())}, numbers)));
    return digest(g);
  };
  EXPECT_EQ(with({1, 2, 3}), with({1, 2, 3}));
  EXPECT_NE(with({1, 2, 3}), with({1, 2, 4}));
  EXPECT_NE(with({1}), with({2}));
}

}  // namespace
}  // namespace gamut
