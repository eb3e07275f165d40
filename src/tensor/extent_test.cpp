#include "tensor/extent.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace gamut {
namespace {

const Extent B = Extent::symbol("B"), S = Extent::symbol("S");

TEST(Extent, IsCanonical) {
  EXPECT_EQ(B * S + Extent(2) * S, S * (B + 2));
  EXPECT_EQ((B + S) * (B - S), B * B - S * S);
  EXPECT_EQ(B - B, Extent(0));
  EXPECT_FALSE(B == S);
  EXPECT_EQ((Extent(2) * S + 1).to_string(), "2*S+1");
  EXPECT_EQ((S - 1).to_string(), "S-1");
  EXPECT_EQ((Extent(0) - S).to_string(), "-S");
}

TEST(Extent, FloorDivisionAndModuloTakeOutWhatDivides) {
  EXPECT_EQ(floor_div(Extent(6) * S + 4, 2), Extent(3) * S + 2);
  EXPECT_EQ(floor_div(Extent(4) * S + 5, 4), S + 1);
  EXPECT_EQ(floor_div(Extent(3) * S + 7, 2), floor_div(Extent(3) * S + 1, 2) + 3);
  EXPECT_EQ(modulo(Extent(6) * S + 5, 3), Extent(2));
  EXPECT_EQ(modulo(S - 4, 4), modulo(S, 4));
}

TEST(Extent, EvaluatesLikeTheIntegersItStandsFor) {
  for (int64_t b : {0, 1, 7}) {
    for (int64_t s : {1, 2, 5, 128}) {
      SymbolValues v{{"B", b}, {"S", s}};
      // A convolution's length: (S + 2p - k) / stride + 1.
      EXPECT_EQ((floor_div(S + 2 - 3, 2) + 1).evaluate(v), (s + 2 - 3 >= 0 ? (s - 1) / 2 : 0) + 1);
      EXPECT_EQ(modulo(Extent(0) - S, 7).evaluate(v), ((-s) % 7 + 7) % 7);
      EXPECT_EQ(min(B * S, S + 3).evaluate(v), std::min(b * s, s + 3));
      EXPECT_EQ(max(B * S, S + 3).evaluate(v), std::max(b * s, s + 3));
    }
  }
}

TEST(Extent, ReportsUnboundSymbolsAndOverflow) {
  EXPECT_THROW(S.evaluate({{"B", 1}}), Error);
  EXPECT_THROW((S * S).evaluate({{"S", int64_t{1} << 40}}), Error);
  EXPECT_THROW(Extent(INT64_MAX) + Extent(1), Error);
}

TEST(Extent, KnowsItsSymbols) {
  EXPECT_TRUE((min(S, 4) * B).mentions("S"));
  EXPECT_FALSE((S - S).mentions("S"));
  EXPECT_EQ(S.as_symbol(), "S");
  EXPECT_FALSE((S + 1).as_symbol());
  EXPECT_EQ(to_string(Shape{B, S, 768}), "[B,S,768]");
  EXPECT_EQ(element_count({B, S, 4}), B * S * 4);
  EXPECT_THROW(evaluate(Shape{S - 5}, {{"S", 2}}), Error);
}

/// Builds with plain numbers, so that what is built can be compared with what `evaluate` finds.
class NumberBuilder : public ExtentBuilder {
 public:
  explicit NumberBuilder(const SymbolValues& symbols) : symbols_(symbols) {}
  int constant(int64_t value) override { return add_value(value); }
  int symbol(const std::string& name) override { return add_value(symbols_.at(name)); }
  int add(int a, int b) override { return add_value(values_[a] + values_[b]); }
  int multiply(int a, int b) override { return add_value(values_[a] * values_[b]); }
  int floor_div(int a, int64_t divisor) override {
    return add_value((values_[a] - ((values_[a] % divisor) + divisor) % divisor) / divisor);
  }
  int modulo(int a, int64_t divisor) override { return add_value(((values_[a] % divisor) + divisor) % divisor); }
  int min(int a, int b) override { return add_value(std::min(values_[a], values_[b])); }
  int max(int a, int b) override { return add_value(std::max(values_[a], values_[b])); }
  int64_t value(int handle) const { return values_[handle]; }

 private:
  int add_value(int64_t value) {
    values_.push_back(value);
    return static_cast<int>(values_.size()) - 1;
  }
  const SymbolValues symbols_;
  std::vector<int64_t> values_;
};

TEST(Extent, IsBuiltElsewhereAsItEvaluates) {
  const Extent expressions[] = {Extent(7),
                                S,
                                B * S,
                                Extent(2) * S * S - B + 3,
                                floor_div(S * 3 - 7, 4),
                                modulo(S - 9, 5),
                                min(B * S, S + 3),
                                max(floor_div(S, 2), B) * 2 - 1};
  for (const Extent& expression : expressions) {
    for (int64_t s : {1, 5, 12}) {
      const SymbolValues values{{"B", 3}, {"S", s}};
      NumberBuilder builder(values);
      EXPECT_EQ(builder.value(expression.build(builder)), expression.evaluate(values)) << expression.to_string();
    }
  }
}

}  // namespace
}  // namespace gamut
