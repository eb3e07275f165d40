// Operators on one element, one line or one axis at a time.
#include <openvino/op/abs.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/atanh.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/divide.hpp>
#include <openvino/op/equal.hpp>
#include <openvino/op/erf.hpp>
#include <openvino/op/exp.hpp>
#include <openvino/op/floor.hpp>
#include <openvino/op/gelu.hpp>
#include <openvino/op/hswish.hpp>
#include <openvino/op/less.hpp>
#include <openvino/op/less_eq.hpp>
#include <openvino/op/log.hpp>
#include <openvino/op/maximum.hpp>
#include <openvino/op/minimum.hpp>
#include <openvino/op/mish.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/mvn.hpp>
#include <openvino/op/negative.hpp>
#include <openvino/op/not_equal.hpp>
#include <openvino/op/power.hpp>
#include <openvino/op/prelu.hpp>
#include <openvino/op/reduce_max.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/reduce_sum.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/select.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/softmax.hpp>
#include <openvino/op/sqrt.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/swish.hpp>
#include <openvino/op/tanh.hpp>
#include "backend/openvino/lower.h"
#include "base/error.h"
#include "ops/activation.h"
#include "ops/binary.h"
#include "ops/compare.h"
#include "ops/reduce.h"
#include "ops/unary.h"

namespace gamut::openvino {

namespace v0 = ov::op::v0;
namespace v1 = ov::op::v1;

Out lower_unary(Lowering& lowering, const Node& node) {
  const Out x = lowering.in(node, 0);
  switch (unary_kind(node)) {
    case UnaryKind::kNeg: return make<v0::Negative>(x);
    case UnaryKind::kAbs: return make<v0::Abs>(x);
    case UnaryKind::kExp: return make<v0::Exp>(x);
    case UnaryKind::kLog: return make<v0::Log>(x);
    case UnaryKind::kSqrt: return make<v0::Sqrt>(x);
    case UnaryKind::kRsqrt: return make<v1::Divide>(scalar(1.0f), make<v0::Sqrt>(x));
    case UnaryKind::kReciprocal: return make<v1::Divide>(scalar(1.0f), x);
    case UnaryKind::kTanh: return make<v0::Tanh>(x);
    case UnaryKind::kErf: return make<v0::Erf>(x);
    case UnaryKind::kSigmoid: return make<v0::Sigmoid>(x);
    case UnaryKind::kFloor: return make<v0::Floor>(x);
  }
  return {};
}

Out lower_binary(Lowering& lowering, const Node& node) {
  const Out a = lowering.in(node, 0), b = lowering.in(node, 1);
  const BinaryKind kind = binary_kind(node);
  if ((kind == BinaryKind::kDiv || kind == BinaryKind::kPow) && a.get_element_type() == ov::element::i64) {
    fail(ErrorCode::kUnsupported, "{}: binary: {} of integers", node.label, binary_name(kind));
  }
  switch (kind) {
    case BinaryKind::kAdd: return make<v1::Add>(a, b);
    case BinaryKind::kSub: return make<v1::Subtract>(a, b);
    case BinaryKind::kMul: return make<v1::Multiply>(a, b);
    case BinaryKind::kDiv: return make<v1::Divide>(a, b);
    case BinaryKind::kMax: return make<v1::Maximum>(a, b);
    case BinaryKind::kMin: return make<v1::Minimum>(a, b);
    case BinaryKind::kPow: return make<v1::Power>(a, b);
  }
  return {};
}

Out lower_compare(Lowering& lowering, const Node& node) {
  const Out a = lowering.in(node, 0), b = lowering.in(node, 1);
  switch (compare_kind(node)) {
    case CompareKind::kEqual: return make<v1::Equal>(a, b);
    case CompareKind::kLess: return make<v1::Less>(a, b);
    case CompareKind::kLessEqual: return make<v1::LessEqual>(a, b);
  }
  return {};
}

Out lower_select(Lowering& lowering, const Node& node) {
  return make<v1::Select>(lowering.in(node, 0), lowering.in(node, 1), lowering.in(node, 2));
}

namespace {

/// To integers, of which the device has those of 32 bits: what is outside becomes the nearest, NaN becomes 0.
Out truncate(const Out& x) {
  const Out number = make<v1::Select>(make<v1::Equal>(x, x), x, scalar(0.0f));
  return make<v0::Convert>(make<v0::Clamp>(number, -0x1p31, 0x1p31 - 128), ov::element::i64);
}

}  // namespace

Out lower_cast(Lowering& lowering, const Node& node) {
  Out x = lowering.in(node, 0);
  const DType from = lowering.graph().info(node.inputs[0]).dtype, to = lowering.graph().info(node.outputs[0]).dtype;
  if (from == to) return x;
  if (from == DType::kF32 && to == DType::kI64) return truncate(x);
  if (to != DType::kBool) return make<v0::Convert>(x, element_type(to));
  return from == DType::kF32 ? make<v1::NotEqual>(x, scalar(0.0f)) : make<v1::NotEqual>(x, scalar(int64_t{0}));
}

namespace {

/// log(1 + e^x) as max(x, 0) + 2 atanh(t / (2 + t)) with t = e^-|x|: OpenVINO's own, and its logarithm, lose small
/// results.
Out softplus(const Out& x) {
  const Out tail = make<v0::Exp>(make<v0::Negative>(make<v0::Abs>(x)));
  const Out ratio = make<v1::Divide>(tail, make<v1::Add>(tail, scalar(2.0f)));
  return make<v1::Add>(make<v0::Relu>(x), make<v1::Multiply>(make<ov::op::v3::Atanh>(ratio), scalar(2.0f)));
}

}  // namespace

bool can_lower_activation(const Node& node) { return activation_kind(node) != ActivationKind::kLaplace; }

Out apply_activation(const Node& node, const Out& x) {
  switch (activation_kind(node)) {
    case ActivationKind::kIdentity: return x;
    case ActivationKind::kGelu: return make<ov::op::v7::Gelu>(x, ov::op::GeluApproximationMode::ERF);
    case ActivationKind::kGeluTanh: return make<ov::op::v7::Gelu>(x, ov::op::GeluApproximationMode::TANH);
    case ActivationKind::kGelu10:
      return make<v0::Clamp>(make<ov::op::v7::Gelu>(x, ov::op::GeluApproximationMode::ERF), -10.0, 10.0);
    case ActivationKind::kQuickGelu: return make<ov::op::v4::Swish>(x, scalar(1.702f));
    case ActivationKind::kRelu: return make<v0::Relu>(x);
    case ActivationKind::kRelu2: {
      const Out positive = make<v0::Relu>(x);
      return make<v1::Multiply>(positive, positive);
    }
    case ActivationKind::kRelu6: return make<v0::Clamp>(x, 0.0, 6.0);
    case ActivationKind::kLeakyRelu: return make<v0::PRelu>(x, scalar(0.01f));
    case ActivationKind::kSigmoid: return make<v0::Sigmoid>(x);
    case ActivationKind::kSilu: return make<ov::op::v4::Swish>(x);
    case ActivationKind::kHardswish: return make<ov::op::v4::HSwish>(x);
    case ActivationKind::kTanh: return make<v0::Tanh>(x);
    case ActivationKind::kMish: return make<ov::op::v4::Mish>(x);
    case ActivationKind::kSqrtSoftplus: return make<v0::Sqrt>(softplus(x));
    case ActivationKind::kLaplace: break;
  }
  fail(ErrorCode::kInternal, "{}: activation {} has no lowering", node.label, activation_name(activation_kind(node)));
}

Out lower_activation(Lowering& lowering, const Node& node) { return apply_activation(node, lowering.in(node, 0)); }

Out lower_reduce(Lowering& lowering, const Node& node) {
  const Out x = lowering.in(node, 0), axes = vector(node.attributes.ints("axes"));
  switch (reduce_kind(node)) {
    case ReduceKind::kSum: return make<v1::ReduceSum>(x, axes, true);
    case ReduceKind::kMean: return make<v1::ReduceMean>(x, axes, true);
    case ReduceKind::kMax: return make<v1::ReduceMax>(x, axes, true);
  }
  return {};
}

Out lower_softmax(Lowering& lowering, const Node& node) {
  return make<ov::op::v8::Softmax>(lowering.in(node, 0), static_cast<int64_t>(-1));
}

/// MVN with the scale and shift behind it, which OpenVINO merges into one kernel.
Out lower_layer_norm(Lowering& lowering, const Node& node) {
  Out x = lowering.in(node, 0);
  if (Lowering::has(node, 3)) x = make<v1::Add>(x, lowering.in(node, 3));
  const float epsilon = static_cast<float>(node.attributes.num("eps"));
  Out y = make<ov::op::v6::MVN>(x, vector({-1}), true, epsilon, ov::op::MVNEpsMode::INSIDE_SQRT);
  if (Lowering::has(node, 1)) y = make<v1::Multiply>(y, lowering.in(node, 1));
  return Lowering::has(node, 2) ? make<v1::Add>(y, lowering.in(node, 2)) : y;
}

}  // namespace gamut::openvino
