// The CPU kernels of one instruction set as a table of function pointers; picked at start-up, forced by tests.
#pragma once

#include "backend/cpu/kernel_types.h"
#include "base/cpu_info.h"

namespace gamut::cpu {

/// The kernels of one instruction set. All are noexcept, allocate nothing, and work on the rows [row0,row1) they are
/// given, so that a caller shares rows out over threads as it likes; results do not depend on the split. Strides count
/// elements.
struct KernelTable {
  Isa isa;

  /// Matmul by weight type. Use the driver in backend/cpu/matmul.h.
  MatmulKernel matmul_f32;
  MatmulKernel matmul_f16;   ///< A stays f32
  MatmulKernel matmul_bf16;  ///< A is rounded to bf16

  /// Attention of one tile; use the driver in backend/cpu/attention.h. `scratch` has attention_scratch bytes.
  void (*attention)(const AttentionArgs& args, const AttentionTile& tile, void* scratch) noexcept;
  size_t (*attention_scratch)(int64_t head_dim, int64_t value_dim) noexcept;
  /// The same with bf16 products, for rows of several queries; or none.
  void (*attention_bf16)(const AttentionArgs& args, const AttentionTile& tile, void* scratch) noexcept;
  size_t (*attention_bf16_scratch)(int64_t head_dim, int64_t value_dim) noexcept;
  int64_t attention_block;  ///< queries per tile, at most

  /// Two passes over the row (mean, then squared distances), sums in several f32 lanes.
  void (*layer_norm)(const NormArgs& args, int64_t row0, int64_t row1) noexcept;
  /// x / sqrt(mean(x^2) + eps).
  void (*rms_norm)(const NormArgs& args, int64_t row0, int64_t row1) noexcept;
  /// x / max(sqrt(sum(x^2)), eps), as torch.nn.functional.normalize.
  void (*l2_normalize)(const NormArgs& args, int64_t row0, int64_t row1) noexcept;
  void (*rope)(const RopeArgs& args, int64_t token0, int64_t token1) noexcept;
  /// Channels [c0,c1).
  void (*causal_conv1d)(const CausalConv1dArgs& args, int64_t c0, int64_t c1) noexcept;
  /// Lanes [c0,c1); `scratch` has scan_scratch bytes.
  void (*scan)(const ScanArgs& args, int64_t c0, int64_t c1, void* scratch) noexcept;
  size_t (*scan_scratch)(int64_t numbers) noexcept;
  void (*softmax)(const SoftmaxArgs& args, int64_t row0, int64_t row1) noexcept;

  /// y[i] = kind(x[i]) for i in [0,n); y may be x.
  void (*unary)(Unary kind, const float* x, float* y, int64_t n) noexcept;
  void (*binary)(Binary kind, const BinaryArgs& args, int64_t row0, int64_t row1) noexcept;
  void (*reduce)(Reduce kind, const ReduceArgs& args, int64_t row0, int64_t row1) noexcept;

  /// False when an id was outside [0, table_rows); such a row becomes zeros.
  bool (*gather_rows)(const GatherArgs& args, int64_t row0, int64_t row1) noexcept;
  /// y[i] = float(x[i]), exactly.
  void (*widen)(Source type, const void* x, float* y, int64_t n) noexcept;
  /// y[i] = x[i] rounded to nearest even in f16 or bf16 (kF32: copied). NaN stays NaN, too large becomes infinity.
  void (*narrow)(Source type, const float* x, void* y, int64_t n) noexcept;
  void (*segment_pool)(const SegmentPoolArgs& args, int64_t segment0, int64_t segment1) noexcept;

  /// Recurrences along one row, of the channels [c0,c1).
  void (*wkv)(const WkvArgs& args, int64_t c0, int64_t c1) noexcept;
  void (*linear_scan)(const LinearScanArgs& args, int64_t c0, int64_t c1) noexcept;
  /// One head and at most delta_columns of its value's numbers, [c0,c1). `scratch`: key_dim * delta_columns floats.
  void (*delta_rule)(const DeltaRuleArgs& args, int64_t head, int64_t c0, int64_t c1, float* scratch) noexcept;
  int64_t delta_columns;

  /// Runs independent multiply-adds on registers for about `iterations` x 1000 cycles and returns how many
  /// floating-point operations that was: the peak that `bench_kernels` measures others against.
  double (*peak_loop)(int64_t iterations) noexcept;
};

/// True when the kernels of `isa` are part of this build and this machine runs them.
bool has_kernels(Isa isa);

/// The kernels of `isa`. Throws Error{kUnsupported} unless has_kernels(isa).
const KernelTable& kernel_table(Isa isa);

/// The best instruction set for which has_kernels is true.
Isa best_isa();

}  // namespace gamut::cpu
