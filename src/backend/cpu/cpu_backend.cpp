#include "backend/cpu/cpu_backend.h"

#include "backend/cpu/executable.h"
#include "backend/reference/reference_backend.h"
#include "base/cpu_info.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "graph/verifier.h"
#include "ops/activation.h"
#include "ops/attention.h"
#include "ops/experts.h"
#include "ops/gated.h"
#include "ops/l2_normalize.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/pool_rows.h"
#include "ops/rms_norm.h"
#include "ops/rope.h"
#include "ops/softmax.h"
#include "ops/top_k_mask.h"
#include "passes/decompose.h"
#include "passes/fold.h"
#include "passes/fuse.h"

namespace gamut::cpu {
namespace {

Isa parse_isa(const std::string& name) {
  if (name.empty()) return best_isa();
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (name != isa_name(isa)) continue;
    if (!has_kernels(isa)) {
      fail(ErrorCode::kUnsupported, "instruction set {} is not available here; the best is {}", name,
           isa_name(best_isa()));
    }
    return isa;
  }
  fail(ErrorCode::kInvalidArgument, "instruction set \"{}\" is unknown; expected baseline, avx2 or avx512", name);
}

bool can_apply(ActivationKind kind) {
  Unary unary;
  return find_kernel(kind, &unary);
}

/// What weights are kept in: as they are stored, where nothing else is asked for.
Precision find_precision(Precision wanted, const Checkpoint& checkpoint) {
  if (wanted != Precision::kAuto) return wanted;
  switch (main_dtype(checkpoint)) {
    case DType::kBf16: return Precision::kBf16;
    case DType::kF16: return Precision::kF16;
    default: return Precision::kF32;
  }
}

class CpuBackend : public Backend {
 public:
  std::string name() const override { return "cpu"; }
  BackendInfo probe() const override {
    std::string kernels;
    for (int i = 0; i < kIsaCount; ++i) {
      const Isa isa = static_cast<Isa>(i);
      if (has_kernels(isa)) kernels += (kernels.empty() ? "" : ", ") + std::string(isa_name(isa));
    }
    return {GAMUT_VERSION, {"CPU"}, {"kernels for " + kernels}, {Precision::kF32, Precision::kBf16, Precision::kF16}};
  }
  bool prefers_packed_rows() const override { return true; }
  /// What one operator writes is then still near the cores when the next one reads it.
  int64_t tokens_per_run() const override { return 2048; }

  bool supports(const Node& node) const override {
    for (const OpSchema* direct : {&op::kAttention, &op::kLayerNorm, &op::kRmsNorm, &op::kL2Normalize, &op::kSoftmax,
                                   &op::kPoolRows, &op::kRope, &op::kTopKMask}) {
      if (node.op == direct) return true;
    }
    if (node.op == &op::kLinear || node.op == &op::kActivation || node.op == &op::kGated || node.op == &op::kExperts)
      return can_apply(activation_kind(node));
    return is_host_op(node);
  }

  std::unique_ptr<Executable> compile(const Graph& graph, std::shared_ptr<const Checkpoint> checkpoint,
                                      const CompileOptions& options) const override {
    require_plain_options(*this, options);
    const Isa isa = parse_isa(options.instruction_set);
    const Precision precision = find_precision(options.precision, *checkpoint);
    Folded folded = fold_weights(graph);
    verify_if_wanted(folded.graph);
    Graph direct = decompose(folded.graph, [this](const Node& node) { return supports(node); });
    verify_if_wanted(direct);
    Graph fused = fuse_epilogues(direct, can_apply);
    // A linear takes its activation first and its residual in a second round.
    fused = fuse_epilogues(fused, can_apply);
    verify_if_wanted(fused);
    const Weights weights(std::move(checkpoint), std::move(folded.expressions), reference::evaluate_expression);
    return std::make_unique<CpuExecutable>(std::move(fused), weights, kernel_table(isa), precision,
                                           std::make_shared<ThreadPool>(options.threads));
  }
  std::unique_ptr<State> make_state(const std::vector<StateSpec>& specs, size_t budget) const override {
    return std::make_unique<PagedState>(specs, budget);
  }
};

}  // namespace

const Backend& backend() {
  static const CpuBackend instance;
  return instance;
}

}  // namespace gamut::cpu
