// What operators that work element by element or move data accept and refuse, and the shapes of their results.
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/broadcast.h"
#include "ops/cast.h"
#include "ops/compare.h"
#include "ops/concat.h"
#include "ops/gather_rows.h"
#include "ops/iota.h"
#include "ops/l2_normalize.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/row_index.h"
#include "ops/select.h"
#include "ops/shape_rule_testing.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/transpose.h"
#include "ops/unary.h"

namespace gamut {
namespace {

using test::B;
using test::Inputs;
using test::N;
using test::name_of;
using test::Rule;
using test::S;

class Accepts : public testing::TestWithParam<Rule> {};
class Refuses : public testing::TestWithParam<Rule> {};

TEST_P(Accepts, WithTheShape) { test::expect_accepted(GetParam()); }
TEST_P(Refuses, WithAMessageThatNamesTheOperator) { test::expect_refused(GetParam()); }

const BinaryKind kAdd = BinaryKind::kAdd;
const CompareKind kLess = CompareKind::kLess;

const Rule kElementwise[] = {
    {"unary",
     [](Inputs& in) {
       return op::unary(UnaryKind::kExp, in.f({B, S, 3}));
     },
     "[B,S,3]"},
    {"unary_scalar", [](Inputs& in) { return op::unary(UnaryKind::kExp, in.f({})); }, "[]"},
    {"activation",
     [](Inputs& in) {
       return op::activation(ActivationKind::kGelu, in.f({B, 7}));
     },
     "[B,7]"},
    {"binary_outer",
     [](Inputs& in) {
       return op::binary(kAdd, in.f({B, 1, 3}), in.f({4, 1}));
     },
     "[B,4,3]"},
    {"binary_rank",
     [](Inputs& in) {
       return op::binary(kAdd, in.f({3}), in.f({B, S, 3}));
     },
     "[B,S,3]"},
    {"binary_integers", [](Inputs& in) { return op::binary(kAdd, in.i({B}), in.i({})); }, "[B]"},
    {"binary_assumed", [](Inputs& in) { return op::binary(kAdd, in.f({B}), in.f({S})); }, "[B]", 1},
    {"compare",
     [](Inputs& in) {
       return op::compare(kLess, in.i({B, 1}), in.i({S}));
     },
     "[B,S]"},
    {"select",
     [](Inputs& in) {
       return op::select(in.b({B, 1, 1}), in.f({S, 1}), in.f({5}));
     },
     "[B,S,5]"},
    {"select_scalar",
     [](Inputs& in) {
       return op::select(in.b({}), in.f({}), in.f({B, 2}));
     },
     "[B,2]"},
    {"cast",
     [](Inputs& in) {
       return op::cast(in.b({B, S}), DType::kF32);
     },
     "[B,S]"},
    {"broadcast",
     [](Inputs& in) {
       return op::broadcast(in.f({1, 3}), {B, S, 3});
     },
     "[B,S,3]"},
    {"softmax",
     [](Inputs& in) {
       return op::softmax(in.f({B, S}));
     },
     "[B,S]"},
    {"l2_normalize",
     [](Inputs& in) {
       return op::l2_normalize(in.f({N, 8}));
     },
     "[N,8]"},
};

const Rule kShaping[] = {
    {"reshape_symbolic",
     [](Inputs& in) {
       return op::reshape(in.f({B, S, 4}), {B * S * 2, 2});
     },
     "[2*B*S,2]"},
    {"reshape_assumed",
     [](Inputs& in) {
       return op::reshape(in.f({B}), {2, 3});
     },
     "[2,3]", 1},
    {"split_heads",
     [](Inputs& in) {
       return op::split_heads(in.f({B, S, 12}), 4);
     },
     "[B,S,3,4]"},
    {"merge_heads",
     [](Inputs& in) {
       return op::merge_heads(in.f({B, S, 3, 4}));
     },
     "[B,S,12]"},
    {"transpose",
     [](Inputs& in) {
       return op::transpose(in.f({B, S, 3}), {2, 0, 1});
     },
     "[3,B,S]"},
    {"transpose_scalar", [](Inputs& in) { return op::transpose(in.f({}), {}); }, "[]"},
    {"concat_symbolic",
     [](Inputs& in) {
       return op::concat({in.f({B, S}), in.f({B, 3})}, 1);
     },
     "[B,S+3]"},
    {"concat_negative",
     [](Inputs& in) {
       return op::concat({in.f({2, 4}), in.f({2, 5})}, -1);
     },
     "[2,9]"},
    {"concat_one",
     [](Inputs& in) {
       return op::concat({in.f({2, 4})}, 5);
     },
     "[2,4]"},
    {"slice",
     [](Inputs& in) {
       return op::slice(in.f({B, 8}), -1, 2, 6);
     },
     "[B,6]"},
    {"slice_nothing", [](Inputs& in) { return op::slice(in.f({8}), 0, 8, 0); }, "[0]"},
    {"slice_symbolic", [](Inputs& in) { return op::slice(in.f({S}), 0, 1, S - 1); }, "[S-1]"},
    {"gather_rows",
     [](Inputs& in) {
       return op::gather_rows(in.f({11, 3, 2}), in.i({B, S}));
     },
     "[B,S,3,2]"},
    {"gather_numbers", [](Inputs& in) { return op::gather_rows(in.f({11}), in.i({})); }, "[]"},
    {"iota", [](Inputs& in) { return op::iota(in.graph, S * 2); }, "[2*S]"},
    {"reduce",
     [](Inputs& in) {
       return op::reduce(ReduceKind::kSum, in.f({B, S, 5}), {-1, 0});
     },
     "[1,S,1]"},
    {"row_numbers", [](Inputs& in) { return op::row_numbers(in.rows()); }, "[B,S]"},
};

const Rule kBadElementwise[] = {
    {"unary_integers", [](Inputs& in) { return op::unary(UnaryKind::kExp, in.i({2})); },
     "unary: input 0 has dtype I64"},
    {"activation_bool", [](Inputs& in) { return op::activation(ActivationKind::kRelu, in.b({2})); }, "dtype BOOL"},
    {"binary_dtypes", [](Inputs& in) { return op::binary(kAdd, in.f({2}), in.i({2})); }, "input 1 has dtype I64"},
    {"binary_bool", [](Inputs& in) { return op::binary(kAdd, in.b({2}), in.b({2})); }, "expected F32 or I64"},
    {"binary_extents",
     [](Inputs& in) {
       return op::binary(kAdd, in.f({2, 3}), in.f({2}));
     },
     "3 and 2 differ"},
    {"compare_bool", [](Inputs& in) { return op::compare(kLess, in.b({2}), in.b({2})); }, "expected F32 or I64"},
    {"compare_extents", [](Inputs& in) { return op::compare(kLess, in.i({2}), in.i({3})); }, "2 and 3 differ"},
    {"select_condition", [](Inputs& in) { return op::select(in.f({2}), in.f({2}), in.f({2})); }, "expected BOOL"},
    {"select_dtypes", [](Inputs& in) { return op::select(in.b({2}), in.f({2}), in.i({2})); }, "input 2 has dtype I64"},
    {"select_extents", [](Inputs& in) { return op::select(in.b({2}), in.f({1}), in.f({3})); }, "2 and 3 differ"},
    {"cast_half", [](Inputs& in) { return op::cast(in.f({2}), DType::kF16); }, "expected F32, I64 or BOOL"},
    {"broadcast_rank",
     [](Inputs& in) {
       return op::broadcast(in.f({2, 3}), {3});
     },
     "cannot broadcast to [3]"},
    {"broadcast_extent", [](Inputs& in) { return op::broadcast(in.f({2}), {3}); }, "2 and 3 differ"},
    {"softmax_scalar", [](Inputs& in) { return op::softmax(in.f({})); }, "at least one axis"},
    {"l2_normalize_scalar", [](Inputs& in) { return op::l2_normalize(in.f({})); }, "at least one axis"},
    {"l2_normalize_integers", [](Inputs& in) { return op::l2_normalize(in.i({2})); }, "dtype I64"},
};

const Rule kBadShaping[] = {
    {"reshape_count",
     [](Inputs& in) {
       return op::reshape(in.f({2, 3}), {7});
     },
     "element counts: 6 and 7 differ"},
    {"split_heads_rest",
     [](Inputs& in) {
       return op::split_heads(in.f({2, 10}), 4);
     },
     "element counts"},
    {"transpose_rank",
     [](Inputs& in) {
       return op::transpose(in.f({2, 3}), {0});
     },
     "not a permutation"},
    {"transpose_twice",
     [](Inputs& in) {
       return op::transpose(in.f({2, 3}), {1, 1});
     },
     "not a permutation"},
    {"transpose_negative",
     [](Inputs& in) {
       return op::transpose(in.f({2, 3}), {0, -1});
     },
     "not a permutation"},
    {"concat_ranks",
     [](Inputs& in) {
       return op::concat({in.f({2}), in.f({2, 3})}, 0);
     },
     "ranks differ"},
    {"concat_beside",
     [](Inputs& in) {
       return op::concat({in.f({2, 3}), in.f({4, 5})}, 1);
     },
     "beside the axis"},
    {"concat_axis",
     [](Inputs& in) {
       return op::concat({in.f({2}), in.f({2})}, 1);
     },
     "axis 1 is outside"},
    {"concat_dtypes",
     [](Inputs& in) {
       return op::concat({in.f({2}), in.i({2})}, 0);
     },
     "input 1 has dtype I64"},
    {"slice_end", [](Inputs& in) { return op::slice(in.f({8}), 0, 5, 4); }, "[5, 5+4) is outside an axis of 8"},
    {"slice_begin", [](Inputs& in) { return op::slice(in.f({8}), 0, -1, 4); }, "[-1, -1+4) is outside"},
    {"slice_length", [](Inputs& in) { return op::slice(in.f({8}), 0, 2, -1); }, "is outside an axis of 8"},
    {"slice_huge", [](Inputs& in) { return op::slice(in.f({8}), 0, 2, INT64_MAX); }, "is outside an axis of 8"},
    {"slice_axis", [](Inputs& in) { return op::slice(in.f({8}), -2, 0, 1); }, "axis -1 is outside"},
    {"concat_axis_before",
     [](Inputs& in) {
       return op::concat({in.f({2}), in.f({2})}, -2);
     },
     "axis -1 is outside"},
    {"reduce_axis_before", [](Inputs& in) { return op::reduce(ReduceKind::kMax, in.f({8}), {-2}); }, "axis -1 is out"},
    {"gather_float_ids",
     [](Inputs& in) {
       return op::gather_rows(in.f({8, 2}), in.f({3}));
     },
     "input 1 has dtype F32"},
    {"gather_scalar", [](Inputs& in) { return op::gather_rows(in.f({}), in.i({3})); }, "the table needs an axis"},
    {"reduce_axis", [](Inputs& in) { return op::reduce(ReduceKind::kMax, in.f({8}), {1}); }, "axis 1 is outside"},
    {"reduce_integers", [](Inputs& in) { return op::reduce(ReduceKind::kMax, in.i({8}), {0}); }, "dtype I64"},
    {"row_numbers_float",
     [](Inputs& in) {
       return op::row_numbers(Rows{in.f({N, 2})});
     },
     "dtype F32"},
};

INSTANTIATE_TEST_SUITE_P(Elementwise, Accepts, testing::ValuesIn(kElementwise), name_of);
INSTANTIATE_TEST_SUITE_P(Shaping, Accepts, testing::ValuesIn(kShaping), name_of);
INSTANTIATE_TEST_SUITE_P(Elementwise, Refuses, testing::ValuesIn(kBadElementwise), name_of);
INSTANTIATE_TEST_SUITE_P(Shaping, Refuses, testing::ValuesIn(kBadShaping), name_of);

TEST(Recording, LeavesOutWhatChangesNothing) {
  Inputs in;
  Value x = in.f({B, 4});
  EXPECT_EQ(op::reshape(x, {B, 4}), x);
  EXPECT_EQ(op::broadcast(x, {B, 4}), x);
  EXPECT_EQ(op::cast(x, DType::kF32), x);
  EXPECT_EQ(op::concat({x}, 0), x);
}

}  // namespace
}  // namespace gamut
