#include "backend/cpu/lower.h"

#include "backend/host_ops.h"
#include "checkpoint/convert.h"
#include "graph/op_schema.h"
#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/binary.h"
#include "ops/causal_conv1d.h"
#include "ops/delta_rule.h"
#include "ops/experts.h"
#include "ops/gated.h"
#include "ops/gather_rows.h"
#include "ops/l2_normalize.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/linear_scan.h"
#include "ops/matmul.h"
#include "ops/pool_rows.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/rms_norm.h"
#include "ops/rope.h"
#include "ops/selective_scan.h"
#include "ops/softmax.h"
#include "ops/ssd_scan.h"
#include "ops/top_k_mask.h"
#include "ops/unary.h"
#include "ops/wkv.h"

namespace gamut::cpu {

const Node* Lowering::leaf(int value) const {
  const Node& node = graph.producer(value);
  return node.op == &kWeight || node.op == &kConstant ? &node : nullptr;
}

void Lowering::make_resident(int value) {
  const Node* node = leaf(value);
  if (node == nullptr || !resident[value].empty()) return;
  if (node->op == &kConstant) {
    resident[value] = node->constant;
  } else {
    const std::string name = node->attributes.s("name");
    const StoredTensor stored = weights.stored(name);
    resident[value] = graph.info(value).dtype == DType::kF32 ? weights.f32(name) : stored.load();
    if (resident[value].data() != stored.data()) packed_bytes += resident[value].bytes();
  }
}

bool find_kernel(ActivationKind kind, Unary* unary) {
  switch (kind) {
    case ActivationKind::kIdentity: *unary = Unary::kIdentity; return true;
    case ActivationKind::kGelu: *unary = Unary::kGeluErf; return true;
    case ActivationKind::kGeluTanh: *unary = Unary::kGeluTanh; return true;
    case ActivationKind::kQuickGelu: *unary = Unary::kQuickGelu; return true;
    case ActivationKind::kRelu: *unary = Unary::kRelu; return true;
    case ActivationKind::kRelu6: *unary = Unary::kRelu6; return true;
    case ActivationKind::kSigmoid: *unary = Unary::kSigmoid; return true;
    case ActivationKind::kSilu: *unary = Unary::kSilu; return true;
    case ActivationKind::kHardswish: *unary = Unary::kHardSwish; return true;
    case ActivationKind::kTanh: *unary = Unary::kTanh; return true;
    case ActivationKind::kMish: *unary = Unary::kMish; return true;
    // Rare enough that their decomposition does.
    case ActivationKind::kGelu10:
    case ActivationKind::kRelu2:
    case ActivationKind::kLeakyRelu:
    case ActivationKind::kLaplace:
    case ActivationKind::kSqrtSoftplus: return false;
  }
  return false;
}

bool find_kernel(UnaryKind kind, Unary* unary) {
  switch (kind) {
    case UnaryKind::kNeg: *unary = Unary::kNeg; return true;
    case UnaryKind::kAbs: *unary = Unary::kAbs; return true;
    case UnaryKind::kExp: *unary = Unary::kExp; return true;
    case UnaryKind::kLog: *unary = Unary::kLog; return true;
    case UnaryKind::kSqrt: *unary = Unary::kSqrt; return true;
    case UnaryKind::kRsqrt: *unary = Unary::kRsqrt; return true;
    case UnaryKind::kReciprocal: *unary = Unary::kReciprocal; return true;
    case UnaryKind::kTanh: *unary = Unary::kTanh; return true;
    case UnaryKind::kErf: *unary = Unary::kErf; return true;
    case UnaryKind::kSigmoid: *unary = Unary::kSigmoid; return true;
    case UnaryKind::kFloor: *unary = Unary::kFloor; return true;
  }
  return false;
}

Step lower(Lowering& lowering, const Node& node) {
  Unary kind = Unary::kIdentity;
  if (node.op == &op::kLinear) {
    const Node* alone[] = {&node};
    return lower_linears(lowering, alone);
  }
  if (node.op == &op::kMatmul) return lower_matmul(lowering, node);
  if (node.op == &op::kAttention) return lower_attention(lowering, node);
  if (node.op == &op::kGatherRows) return lower_gather_rows(lowering, node);
  if (node.op == &op::kLayerNorm) return lower_layer_norm(lowering, node);
  if (node.op == &op::kRmsNorm) return lower_rms_norm(lowering, node);
  if (node.op == &op::kCausalConv1d) return lower_causal_conv1d(lowering, node);
  if (node.op == &op::kWkv) return lower_wkv(lowering, node);
  if (node.op == &op::kLinearScan) return lower_linear_scan(lowering, node);
  if (node.op == &op::kDeltaRule) return lower_delta_rule(lowering, node);
  if (node.op == &op::kSelectiveScan) return lower_selective_scan(lowering, node);
  if (node.op == &op::kSsdScan) return lower_ssd_scan(lowering, node);
  if (node.op == &op::kRope) return lower_rope(lowering, node);
  if (node.op == &op::kL2Normalize) return lower_l2_normalize(lowering, node);
  if (node.op == &op::kSoftmax) return lower_softmax(lowering, node);
  if (node.op == &op::kPoolRows) return lower_pool_rows(lowering, node);
  if (node.op == &op::kTopKMask) return lower_top_k_mask(lowering, node);
  if (node.op == &op::kExperts) return lower_experts(lowering, node);
  if (node.op == &op::kBinary) return lower_binary(lowering, node);
  if (node.op == &op::kReduce) return lower_reduce(lowering, node);
  if (node.op == &op::kActivation && find_kernel(activation_kind(node), &kind))
    return lower_unary(lowering, node, kind);
  if (node.op == &op::kGated && find_kernel(activation_kind(node), &kind)) return lower_gated(lowering, node, kind);
  if (node.op == &op::kUnary && find_kernel(unary_kind(node), &kind)) return lower_unary(lowering, node, kind);
  return lower_host_op(lowering, node);
}

Step lower_host_op(Lowering& lowering, const Node& node) {
  if (!is_host_op(node)) {
    fail(ErrorCode::kUnsupported, "{}: operator {} is not supported by the cpu backend", node.label, node.op->name);
  }
  for (int input : node.inputs) lowering.make_resident(input);
  std::vector<DType> dtypes;
  for (int input : node.inputs) dtypes.push_back(lowering.graph.info(input).dtype);
  const DType result = lowering.graph.info(node.outputs[0]).dtype;
  return [node, dtypes, result](Run& run) {
    std::vector<HostTensor> inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const int value = node.inputs[i];
      inputs.push_back({dtypes[i], &run.dims(value), run.workspace.data[value]});
    }
    const int output = node.outputs[0];
    run_core_op(node, inputs, {result, &run.dims(output), run.workspace.data[output]}, run.plan.symbols);
  };
}

}  // namespace gamut::cpu
