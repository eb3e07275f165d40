// The scalar definitions against numbers computed elsewhere (Python's math module, to 17 digits).
#include <gtest/gtest.h>

#include <cmath>

#include "gamut/error.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/compare.h"
#include "ops/pool_rows.h"
#include "ops/reduce.h"
#include "ops/unary.h"

namespace gamut {
namespace {

struct Known {
  ActivationKind kind;
  double x, y;
};

const Known kKnown[] = {
    {ActivationKind::kIdentity, -2.5, -2.5},
    {ActivationKind::kIdentity, -0.75, -0.75},
    {ActivationKind::kIdentity, 0.0, 0},
    {ActivationKind::kIdentity, 1.25, 1.25},
    {ActivationKind::kIdentity, 12.0, 12},
    {ActivationKind::kGelu, -2.5, -0.015524163314440348},
    {ActivationKind::kGelu, -0.75, -0.16997051428265114},
    {ActivationKind::kGelu, 0.0, 0},
    {ActivationKind::kGelu, 1.25, 1.1179377829164308},
    {ActivationKind::kGelu, 12.0, 12},
    {ActivationKind::kGeluTanh, -2.5, -0.01508426608999857},
    {ActivationKind::kGeluTanh, -0.75, -0.17003944483437966},
    {ActivationKind::kGeluTanh, 0.0, 0},
    {ActivationKind::kGeluTanh, 1.25, 1.1177142029697147},
    {ActivationKind::kGeluTanh, 12.0, 12},
    {ActivationKind::kGelu10, -2.5, -0.015524163314440348},
    {ActivationKind::kGelu10, -0.75, -0.16997051428265114},
    {ActivationKind::kGelu10, 0.0, 0},
    {ActivationKind::kGelu10, 1.25, 1.1179377829164308},
    {ActivationKind::kGelu10, 12.0, 10},
    {ActivationKind::kQuickGelu, -2.5, -0.034986165048570078},
    {ActivationKind::kQuickGelu, -0.75, -0.1636099424653622},
    {ActivationKind::kQuickGelu, 0.0, 0},
    {ActivationKind::kQuickGelu, 1.25, 1.1169343014431692},
    {ActivationKind::kQuickGelu, 12.0, 11.999999983813582},
    {ActivationKind::kRelu, -2.5, 0},
    {ActivationKind::kRelu, -0.75, 0},
    {ActivationKind::kRelu, 0.0, 0},
    {ActivationKind::kRelu, 1.25, 1.25},
    {ActivationKind::kRelu, 12.0, 12},
    {ActivationKind::kRelu2, -2.5, 0},
    {ActivationKind::kRelu2, -0.75, 0},
    {ActivationKind::kRelu2, 0.0, 0},
    {ActivationKind::kRelu2, 1.25, 1.5625},
    {ActivationKind::kRelu2, 12.0, 144},
    {ActivationKind::kRelu6, -2.5, 0},
    {ActivationKind::kRelu6, -0.75, 0},
    {ActivationKind::kRelu6, 0.0, 0},
    {ActivationKind::kRelu6, 1.25, 1.25},
    {ActivationKind::kRelu6, 12.0, 6},
    {ActivationKind::kLeakyRelu, -2.5, -0.025000000000000001},
    {ActivationKind::kLeakyRelu, -0.75, -0.0074999999999999997},
    {ActivationKind::kLeakyRelu, 0.0, 0},
    {ActivationKind::kLeakyRelu, 1.25, 1.25},
    {ActivationKind::kLeakyRelu, 12.0, 12},
    {ActivationKind::kSigmoid, -2.5, 0.075858180021243546},
    {ActivationKind::kSigmoid, -0.75, 0.32082130082460703},
    {ActivationKind::kSigmoid, 0.0, 0.5},
    {ActivationKind::kSigmoid, 1.25, 0.77729986117469108},
    {ActivationKind::kSigmoid, 12.0, 0.99999385582539779},
    {ActivationKind::kSilu, -2.5, -0.18964545005310887},
    {ActivationKind::kSilu, -0.75, -0.24061597561845527},
    {ActivationKind::kSilu, 0.0, 0},
    {ActivationKind::kSilu, 1.25, 0.97162482646836379},
    {ActivationKind::kSilu, 12.0, 11.999926269904773},
    {ActivationKind::kHardswish, -2.5, -0.20833333333333334},
    {ActivationKind::kHardswish, -0.75, -0.28125},
    {ActivationKind::kHardswish, 0.0, 0},
    {ActivationKind::kHardswish, 1.25, 0.88541666666666663},
    {ActivationKind::kHardswish, 12.0, 12},
    {ActivationKind::kTanh, -2.5, -0.98661429815143031},
    {ActivationKind::kTanh, -0.75, -0.6351489523872873},
    {ActivationKind::kTanh, 0.0, 0},
    {ActivationKind::kTanh, 1.25, 0.84828363995751288},
    {ActivationKind::kTanh, 12.0, 0.99999999992449728},
    {ActivationKind::kMish, -2.5, -0.19681620390653337},
    {ActivationKind::kMish, -0.75, -0.27649471450546514},
    {ActivationKind::kMish, 0.0, 0},
    {ActivationKind::kMish, 1.25, 1.1318703042410392},
    {ActivationKind::kMish, 12.0, 11.99999999909398},
    {ActivationKind::kLaplace, -2.5, 2.9871269697748852e-30},
    {ActivationKind::kLaplace, -0.75, 1.2002293438748042e-07},
    {ActivationKind::kLaplace, 0.0, 0.006094459617935602},
    {ActivationKind::kLaplace, 1.25, 0.97285428987647637},
    {ActivationKind::kLaplace, 12.0, 1},
    {ActivationKind::kSqrtSoftplus, -2.5, 0.28087316406618418},
    {ActivationKind::kSqrtSoftplus, -0.75, 0.62198955466703776},
    {ActivationKind::kSqrtSoftplus, 0.0, 0.83255461115769769},
    {ActivationKind::kSqrtSoftplus, 1.25, 1.2255321625095659},
    {ActivationKind::kSqrtSoftplus, 12.0, 3.4641025019755807},
};

TEST(ApplyActivation, EqualsKnownValues) {
  for (const Known& k : kKnown) {
    EXPECT_NEAR(apply_activation(k.kind, k.x), k.y, 1e-14 * std::max(1.0, std::fabs(k.y)))
        << activation_name(k.kind) << "(" << k.x << ")";
  }
}

TEST(ApplyActivation, StaysFiniteFarOut) {
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::kSqrtSoftplus); ++kind) {
    for (double x : {-1e4, -100.0, 100.0, 1e4}) {
      EXPECT_TRUE(std::isfinite(apply_activation(static_cast<ActivationKind>(kind), x)))
          << activation_name(static_cast<ActivationKind>(kind)) << "(" << x << ")";
    }
  }
}

TEST(ApplyUnary, EqualsKnownValues) {
  EXPECT_EQ(apply_unary(UnaryKind::kNeg, 1.5), -1.5);
  EXPECT_EQ(apply_unary(UnaryKind::kAbs, -1.5), 1.5);
  EXPECT_DOUBLE_EQ(apply_unary(UnaryKind::kExp, 1), 2.718281828459045);
  EXPECT_DOUBLE_EQ(apply_unary(UnaryKind::kLog, 10), 2.302585092994046);
  EXPECT_DOUBLE_EQ(apply_unary(UnaryKind::kSqrt, 2), 1.4142135623730951);
  EXPECT_DOUBLE_EQ(apply_unary(UnaryKind::kRsqrt, 4), 0.5);
  EXPECT_DOUBLE_EQ(apply_unary(UnaryKind::kReciprocal, 8), 0.125);
  EXPECT_DOUBLE_EQ(apply_unary(UnaryKind::kTanh, 0.5), 0.46211715726000973);
  EXPECT_DOUBLE_EQ(apply_unary(UnaryKind::kErf, 0.5), 0.5204998778130465);
  EXPECT_DOUBLE_EQ(apply_unary(UnaryKind::kSigmoid, 1), 0.7310585786300049);
  EXPECT_DOUBLE_EQ(apply_unary(UnaryKind::kFloor, -1.5), -2);
}

TEST(ApplyBinary, EqualsKnownValues) {
  EXPECT_EQ(apply_binary(BinaryKind::kAdd, 2, 3), 5);
  EXPECT_EQ(apply_binary(BinaryKind::kSub, 2, 3), -1);
  EXPECT_EQ(apply_binary(BinaryKind::kMul, 2, 3), 6);
  EXPECT_EQ(apply_binary(BinaryKind::kDiv, 3, 2), 1.5);
  EXPECT_EQ(apply_binary(BinaryKind::kMax, 2, 3), 3);
  EXPECT_EQ(apply_binary(BinaryKind::kMin, 2, 3), 2);
  EXPECT_EQ(apply_binary(BinaryKind::kPow, 2, 10), 1024);
  EXPECT_EQ(apply_binary(BinaryKind::kDiv, 1, 0), INFINITY);
}

TEST(ApplyBinary, MaxAndMinKeepNaNOnEitherSide) {
  for (BinaryKind kind : {BinaryKind::kMax, BinaryKind::kMin}) {
    EXPECT_TRUE(std::isnan(apply_binary(kind, NAN, 1)));
    EXPECT_TRUE(std::isnan(apply_binary(kind, 1, NAN)));
  }
}

TEST(ParseActivation, KnowsTheNamesOfTransformers) {
  const std::pair<const char*, ActivationKind> names[] = {{"gelu", ActivationKind::kGelu},
                                                          {"gelu_new", ActivationKind::kGeluTanh},
                                                          {"gelu_pytorch_tanh", ActivationKind::kGeluTanh},
                                                          {"gelu_fast", ActivationKind::kGeluTanh},
                                                          {"gelu_python", ActivationKind::kGelu},
                                                          {"quick_gelu", ActivationKind::kQuickGelu},
                                                          {"relu", ActivationKind::kRelu},
                                                          {"relu2", ActivationKind::kRelu2},
                                                          {"relu6", ActivationKind::kRelu6},
                                                          {"silu", ActivationKind::kSilu},
                                                          {"swish", ActivationKind::kSilu},
                                                          {"linear", ActivationKind::kIdentity},
                                                          {"mish", ActivationKind::kMish},
                                                          {"tanh", ActivationKind::kTanh},
                                                          {"laplace", ActivationKind::kLaplace}};
  for (const auto& [name, kind] : names) EXPECT_EQ(parse_activation(name), kind) << name;
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::kSqrtSoftplus); ++kind) {
    const ActivationKind each = static_cast<ActivationKind>(kind);
    EXPECT_EQ(parse_activation(std::string(activation_name(each))), each) << "a kind's own name is read back";
  }
}

TEST(ParseActivation, RefusesOthersWithTheList) {
  try {
    parse_activation(std::string(5000, 'x'));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_NE(error.message().find("gelu_new"), std::string::npos);
    EXPECT_LT(error.message().size(), 1000u) << "a long name is cut";
  }
  EXPECT_THROW(parse_activation(""), Error);
  EXPECT_THROW(parse_activation("GELU"), Error);
}

TEST(Kinds, AreReadBackFromTheNodesThatTheyName) {
  Node node;
  for (int kind = 0; kind <= static_cast<int>(UnaryKind::kFloor); ++kind) {
    node.attributes.set("kind", std::string(unary_name(static_cast<UnaryKind>(kind))));
    EXPECT_EQ(static_cast<int>(unary_kind(node)), kind);
  }
  for (int kind = 0; kind <= static_cast<int>(BinaryKind::kPow); ++kind) {
    node.attributes.set("kind", std::string(binary_name(static_cast<BinaryKind>(kind))));
    EXPECT_EQ(static_cast<int>(binary_kind(node)), kind);
  }
  for (int kind = 0; kind <= static_cast<int>(CompareKind::kLessEqual); ++kind) {
    node.attributes.set("kind", std::string(compare_name(static_cast<CompareKind>(kind))));
    EXPECT_EQ(static_cast<int>(compare_kind(node)), kind);
  }
  for (int kind = 0; kind <= static_cast<int>(ReduceKind::kMax); ++kind) {
    node.attributes.set("kind", std::string(reduce_name(static_cast<ReduceKind>(kind))));
    EXPECT_EQ(static_cast<int>(reduce_kind(node)), kind);
  }
  for (int kind = 0; kind <= static_cast<int>(PoolKind::kMeanSqrt); ++kind) {
    node.attributes.set("kind", std::string(pool_name(static_cast<PoolKind>(kind))));
    EXPECT_EQ(static_cast<int>(pool_kind(node)), kind);
  }
  node.attributes.set("kind", std::string("nothing"));
  EXPECT_THROW(unary_kind(node), Error);
  EXPECT_THROW(binary_kind(node), Error);
  EXPECT_THROW(compare_kind(node), Error);
  EXPECT_THROW(reduce_kind(node), Error);
  EXPECT_THROW(pool_kind(node), Error);
  EXPECT_EQ(activation_kind(Node{}), ActivationKind::kIdentity);
}

}  // namespace
}  // namespace gamut
