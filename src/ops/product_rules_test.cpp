// What products, norms, attention and pooling accept and refuse, and the shapes of their results.
#include "ops/attention.h"
#include "ops/dequantize.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/matmul.h"
#include "ops/pool_rows.h"
#include "ops/shape_rule_testing.h"

namespace gamut {
namespace {

using test::B;
using test::Inputs;
using test::N;
using test::name_of;
using test::Rule;
using test::S;

class AcceptsProducts : public testing::TestWithParam<Rule> {};
class RefusesProducts : public testing::TestWithParam<Rule> {};

TEST_P(AcceptsProducts, WithTheShape) { test::expect_accepted(GetParam()); }
TEST_P(RefusesProducts, WithAMessageThatNamesTheOperator) { test::expect_refused(GetParam()); }

op::AttentionOptions with_bias(Value bias) { return {.bias = bias}; }

const Rule kProducts[] = {
    {"matmul",
     [](Inputs& in) {
       return op::matmul(in.f({B, 2, 3}), in.f({3, 5}));
     },
     "[B,2,5]"},
    {"matmul_transposed",
     [](Inputs& in) {
       return op::matmul(in.f({B, S, 3}), in.f({B, S, 3}), true);
     },
     "[B,S,S]"},
    {"matmul_broadcast",
     [](Inputs& in) {
       return op::matmul(in.f({B, 1, 4, 3}), in.f({7, 3, 5}));
     },
     "[B,7,4,5]"},
    {"linear",
     [](Inputs& in) {
       return op::linear(in.f({B, S, 3}), in.f({5, 3}), {.bias = in.f({5})});
     },
     "[B,S,5]"},
    {"dequantize",
     [](Inputs& in) {
       return op::dequantize(in.weight(DType::kI8, {5, 12}), in.f({5, 3}));
     },
     "[5,12]"},
    {"dequantize_4_bits",
     [](Inputs& in) {
       const Value zero = in.weight(DType::kU8, {2, 5, 3});
       return op::dequantize(in.weight(DType::kU8, {2, 5, 6}), in.f({2, 5, 3}), {.zero_point = zero, .bits = 4});
     },
     "[2,5,12]"},
    {"linear_vector",
     [](Inputs& in) {
       return op::linear(in.f({3}), in.f({5, 3}));
     },
     "[5]"},
    {"linear_residual",
     [](Inputs& in) {
       return op::linear(in.f({B, 3}), in.f({5, 3}), {.residual = in.f({B, 5})});
     },
     "[B,5]"},
    {"layer_norm",
     [](Inputs& in) {
       return op::layer_norm(in.f({B, S, 3}), in.f({3}), in.f({3}), 1e-5);
     },
     "[B,S,3]"},
    {"layer_norm_bare", [](Inputs& in) { return op::layer_norm(in.f({3}), {}, {}, 1e-5); }, "[3]"},
    {"attention",
     [](Inputs& in) {
       return op::attention(in.f({B, S, 6, 4}), in.f({B, S, 2, 4}), in.f({B, S, 2, 5}));
     },
     "[B,S,6,5]"},
    {"attention_bias",
     [](Inputs& in) {
       Value x = in.f({B, S, 6, 4});
       return op::attention(x, x, x, with_bias(in.f({1, S, S})));
     },
     "[B,S,6,4]"},
    {"pool_rows",
     [](Inputs& in) {
       return op::pool_rows(PoolKind::kMean, in.f({B, S, 3}), in.rows());
     },
     "[N,3]"},
};

Value attend(Inputs& in, const Shape& q, const Shape& k, const Shape& v) {
  Value a = in.f(q), b = in.f(k), c = in.f(v);
  return op::attention(a, b, c);
}

const Rule kBadProducts[] = {
    {"matmul_inner",
     [](Inputs& in) {
       return op::matmul(in.f({2, 3}), in.f({4, 5}));
     },
     "inner extents: 3 and 4 differ"},
    {"matmul_vector",
     [](Inputs& in) {
       return op::matmul(in.f({3}), in.f({3, 5}));
     },
     "expected matrices"},
    {"matmul_batch",
     [](Inputs& in) {
       return op::matmul(in.f({2, 4, 3}), in.f({5, 3, 4}));
     },
     "batch extents"},
    {"linear_inner",
     [](Inputs& in) {
       return op::linear(in.f({2, 3}), in.f({5, 4}));
     },
     "inner extents"},
    {"dequantize_bits",
     [](Inputs& in) {
       return op::dequantize(in.weight(DType::kI8, {5, 12}), in.f({5, 3}), {.bits = 3});
     },
     "codes of 3 bits"},
    {"dequantize_codes",
     [](Inputs& in) {
       return op::dequantize(in.f({5, 12}), in.f({5, 3}));
     },
     "expected codes in U8 or I8"},
    {"dequantize_groups",
     [](Inputs& in) {
       return op::dequantize(in.weight(DType::kI8, {5, 12}), in.f({5, 5}));
     },
     "12 numbers do not fall into 5 groups"},
    {"dequantize_no_groups",
     [](Inputs& in) {
       return op::dequantize(in.weight(DType::kI8, {5, 12}), in.f({5, 0}));
     },
     "into 0 groups"},
    {"dequantize_lines",
     [](Inputs& in) {
       return op::dequantize(in.weight(DType::kI8, {5, 12}), in.f({4, 3}));
     },
     "scale"},
    {"dequantize_rank",
     [](Inputs& in) {
       return op::dequantize(in.weight(DType::kI8, {5, 12}), in.f({5}));
     },
     "expected codes [..., in] and scale [..., groups]"},
    {"dequantize_zero_point",
     [](Inputs& in) {
       return op::dequantize(in.weight(DType::kI8, {5, 12}), in.f({5, 3}),
                             {.zero_point = in.weight(DType::kU8, {5, 3})});
     },
     "expected I8"},
    {"dequantize_symbolic",
     [](Inputs& in) {
       return op::dequantize(in.weight(DType::kI8, {5, 12}), in.f({5, S}));
     },
     "are not constant"},
    {"linear_weight",
     [](Inputs& in) {
       return op::linear(in.f({2, 3}), in.f({5}));
     },
     "weight [out, in]"},
    {"linear_bias",
     [](Inputs& in) {
       return op::linear(in.f({3}), in.f({5, 3}), {.bias = in.f({4})});
     },
     "bias"},
    {"linear_bias_rank",
     [](Inputs& in) {
       return op::linear(in.f({3}), in.f({5, 3}), {.bias = in.f({1, 5})});
     },
     "the bias has one axis"},
    {"linear_residual",
     [](Inputs& in) {
       return op::linear(in.f({3}), in.f({5, 3}), {.residual = in.f({3})});
     },
     "residual"},
    {"linear_bias_dtype",
     [](Inputs& in) {
       return op::linear(in.f({3}), in.f({5, 3}), {.bias = in.b({5})});
     },
     "input 2 has dtype BOOL, expected F32"},
    {"layer_norm_bias_dtype",
     [](Inputs& in) {
       return op::layer_norm(in.f({2, 3}), in.f({3}), in.i({3}), 0);
     },
     "input 2 has dtype I64, expected F32"},
    {"layer_norm_weight",
     [](Inputs& in) {
       return op::layer_norm(in.f({2, 3}), in.f({2}), {}, 0);
     },
     "2 and 3 differ"},
    {"layer_norm_rank",
     [](Inputs& in) {
       return op::layer_norm(in.f({2, 3}), in.f({2, 3}), {}, 0);
     },
     "one axis"},
    {"layer_norm_residual",
     [](Inputs& in) {
       return op::layer_norm(in.f({2, 3}), {}, {}, 0, in.f({3}));
     },
     "another rank"},
    {"attention_rank",
     [](Inputs& in) {
       return attend(in, {B, S, 8}, {B, S, 8}, {B, S, 8});
     },
     "expected q, k, v"},
    {"attention_heads",
     [](Inputs& in) {
       return attend(in, {B, S, 3, 4}, {B, S, 2, 4}, {B, S, 2, 4});
     },
     "a multiple"},
    {"attention_no_heads",
     [](Inputs& in) {
       return attend(in, {B, S, 3, 4}, {B, S, 0, 4}, {B, S, 0, 4});
     },
     "a multiple"},
    {"attention_head_dim",
     [](Inputs& in) {
       return attend(in, {B, S, 2, 4}, {B, S, 2, 5}, {B, S, 2, 4});
     },
     "head_dim of q and k"},
    {"attention_kv",
     [](Inputs& in) {
       return attend(in, {B, S, 2, 4}, {B, S, 2, 4}, {B, S, 1, 4});
     },
     "heads of k and v"},
    {"attention_bias",
     [](Inputs& in) {
       Value x = in.f({B, S, 6, 4});
       return op::attention(x, x, x, with_bias(in.f({2, S, S})));
     },
     "heads of the bias"},
    {"pool_rows_rank",
     [](Inputs& in) {
       return op::pool_rows(PoolKind::kMean, in.f({B, S}), in.rows());
     },
     "expected x [B,S,D]"},
};

INSTANTIATE_TEST_SUITE_P(Rules, AcceptsProducts, testing::ValuesIn(kProducts), name_of);
INSTANTIATE_TEST_SUITE_P(Rules, RefusesProducts, testing::ValuesIn(kBadProducts), name_of);

TEST(Attention, ScalesByTheHeadUnlessTold) {
  Inputs in;
  Value x = in.f({B, S, 2, 16});
  EXPECT_DOUBLE_EQ(in.graph.producer(op::attention(x, x, x).id).attributes.num("scale"), 0.25);
  EXPECT_DOUBLE_EQ(in.graph.producer(op::attention(x, x, x, {.scale = 3}).id).attributes.num("scale"), 3);
}

}  // namespace
}  // namespace gamut
