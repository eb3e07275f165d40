// Turns a node into the step that runs it: packs its weights, picks its kernel.
#pragma once

#include <span>

#include "backend/cpu/run.h"
#include "backend/weights.h"
#include "base/huge_memory.h"
#include "graph/graph.h"
#include "ops/activation.h"
#include "ops/unary.h"

namespace gamut::cpu {

/// What lowering reads and what it leaves behind in the executable.
struct Lowering {
  const Graph& graph;
  const Weights& weights;
  const KernelTable& kernels;
  /// Of products with weights. Those of attention may round their inputs where it is bf16; others are f32.
  const MatmulKernel& weight_kernel;
  ThreadPool& pool;
  bool bf16 = false;  // what is asked for

  /// Weights and constants that steps read where they lie, by value; empty for the others.
  std::vector<Tensor> resident;
  HugeArena packed;  // where packed weights lie
  size_t scratch_bytes = 0;
  size_t packed_bytes = 0;

  /// The weight's or constant's name and producer; null when the value is computed in the run.
  const Node* leaf(int value) const;
  /// Makes a weight or constant available to steps as f32 (floats) or as it is.
  void make_resident(int value);
  /// Grows the scratch that every run gets.
  void need_scratch(size_t bytes) { scratch_bytes = std::max(scratch_bytes, bytes); }
};

/// The value of an optional input, -1 when it is absent.
inline int input_or_none(const Node& node, size_t index) {
  return index < node.inputs.size() ? node.inputs[index] : -1;
}

/// The kernel's kind for an activation or unary function; false when there is none and the node must be decomposed.
bool find_kernel(ActivationKind kind, Unary* unary);
bool find_kernel(UnaryKind kind, Unary* unary);

/// How kernels read a checkpoint's dtype; false for those that have to become f32 first.
bool find_source(DType dtype, Source* source);

/// The step of `node`, whose operator the backend supports.
Step lower(Lowering& lowering, const Node& node);

/// One function per kind of node; called by `lower`.
/// Linears of one input, at most kMostJoinedLinears, in one step.
Step lower_linears(Lowering& lowering, std::span<const Node* const> nodes);
constexpr size_t kMostJoinedLinears = 4;
/// `up`, whose factor is the result of `gate` and of nothing else, in one step.
Step lower_gated_linears(Lowering& lowering, const Node& gate, const Node& up);
Step lower_matmul(Lowering& lowering, const Node& node);
Step lower_attention(Lowering& lowering, const Node& node);
Step lower_gather_rows(Lowering& lowering, const Node& node);
Step lower_layer_norm(Lowering& lowering, const Node& node);
Step lower_l2_normalize(Lowering& lowering, const Node& node);
Step lower_rms_norm(Lowering& lowering, const Node& node);
Step lower_rope(Lowering& lowering, const Node& node);
Step lower_causal_conv1d(Lowering& lowering, const Node& node);
Step lower_wkv(Lowering& lowering, const Node& node);
Step lower_linear_scan(Lowering& lowering, const Node& node);
Step lower_delta_rule(Lowering& lowering, const Node& node);
Step lower_selective_scan(Lowering& lowering, const Node& node);
Step lower_ssd_scan(Lowering& lowering, const Node& node);
Step lower_gated(Lowering& lowering, const Node& node, Unary activation);
Step lower_softmax(Lowering& lowering, const Node& node);
Step lower_unary(Lowering& lowering, const Node& node, Unary kind);
Step lower_binary(Lowering& lowering, const Node& node);
Step lower_reduce(Lowering& lowering, const Node& node);
Step lower_top_k_mask(Lowering& lowering, const Node& node);
Step lower_experts(Lowering& lowering, const Node& node);
Step lower_pool_rows(Lowering& lowering, const Node& node);
/// Any core operator by its plain loop.
Step lower_host_op(Lowering& lowering, const Node& node);

}  // namespace gamut::cpu
