// The kernels of one instruction set, by name: what table.cpp collects and what kernels call of each other.
#pragma once

#include "backend/cpu/kernel_types.h"
#include "backend/cpu/kernels/simd.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {

// The register tile of the f32 matmul: kTileRows x kPanel. Accumulators, two vectors of w and one broadcast fill the
// registers.
#if defined(GAMUT_ISA_AVX512)
constexpr int kTileRows = 14;
#else
constexpr int kTileRows = 6;
#endif
constexpr int kPanel = 2 * kWidth;

// One task multiplies at most kBlockRows x kBlockDepth of A, copied, with kBlockColumns columns of w at a time. The
// copy, the sums and the panels in use stay in L2.
constexpr int64_t kBlockRows = 10 * kTileRows;
constexpr int64_t kBlockDepth = 768;
constexpr int64_t kBlockColumns = 24 * kPanel;
// An unpacked w is packed this many panels at a time.
constexpr int64_t kPackedPanels = 4;
// Rows of the copy of A are this far apart: no multiple of a large power of two, so that they do not compete for the
// same sets of L1.
constexpr int64_t kCopyStride = kBlockDepth + 16;
constexpr size_t kMatmulScratch =
    sizeof(float) * (kBlockRows * kCopyStride + kBlockRows * kBlockColumns + kBlockDepth * kPackedPanels * kPanel);

// Queries of an attention tile: the lanes of up to four vectors.
constexpr int kQueryVectors = 4;
constexpr int64_t kAttentionBlock = kQueryVectors * kWidth;

// Columns of one head's memory in the delta rule: those of 128 keys fit into half of L1.
constexpr int64_t kDeltaColumns = 2 * kWidth;

size_t packed_bytes_f32(int64_t n, int64_t k) noexcept;
/// Lines [k0, k0 + depth) of the kPanel columns from n0 on, as f32 [depth][kPanel]; columns beyond N are zeros.
void pack_lines(const PackArgs& args, int64_t n0, int64_t k0, int64_t depth, float* panel) noexcept;
void pack_f32(const PackArgs& args, int64_t panel0, int64_t panel1) noexcept;
void matmul_f32(const MatmulArgs& args, const MatmulTile& tile, void* scratch) noexcept;
/// The same with weights of 16 bits.
size_t packed_bytes_16(int64_t n, int64_t k) noexcept;
void pack_f16(const PackArgs& args, int64_t panel0, int64_t panel1) noexcept;
void pack_bf16(const PackArgs& args, int64_t panel0, int64_t panel1) noexcept;
void matmul_f16(const MatmulArgs& args, const MatmulTile& tile, void* scratch) noexcept;
void matmul_bf16(const MatmulArgs& args, const MatmulTile& tile, void* scratch) noexcept;
/// C [tile] = epilogue(sums), of at most kPanel columns; sums [rows][kPanel] are overwritten.
void finish_tile(const MatmulArgs& args, const MatmulTile& tile, float* sums) noexcept;
double peak_loop(int64_t iterations) noexcept;

void attention_f32(const AttentionArgs& args, const AttentionTile& tile, void* scratch) noexcept;
size_t attention_scratch(int64_t head_dim, int64_t value_dim) noexcept;

void layer_norm(const NormArgs& args, int64_t row0, int64_t row1) noexcept;
void rms_norm(const NormArgs& args, int64_t row0, int64_t row1) noexcept;
void l2_normalize(const NormArgs& args, int64_t row0, int64_t row1) noexcept;
void rope(const RopeArgs& args, int64_t token0, int64_t token1) noexcept;
void causal_conv1d(const CausalConv1dArgs& args, int64_t c0, int64_t c1) noexcept;
void scan(const ScanArgs& args, int64_t c0, int64_t c1, void* scratch) noexcept;
size_t scan_scratch(int64_t numbers) noexcept;
void softmax(const SoftmaxArgs& args, int64_t row0, int64_t row1) noexcept;

void unary(Unary kind, const float* x, float* y, int64_t n) noexcept;
void binary(Binary kind, const BinaryArgs& args, int64_t row0, int64_t row1) noexcept;
void reduce(Reduce kind, const ReduceArgs& args, int64_t row0, int64_t row1) noexcept;

bool gather_rows(const GatherArgs& args, int64_t row0, int64_t row1) noexcept;
void widen(Source type, const void* x, float* y, int64_t n) noexcept;
void narrow(Source type, const float* x, void* y, int64_t n) noexcept;
void segment_pool(const SegmentPoolArgs& args, int64_t segment0, int64_t segment1) noexcept;

void wkv(const WkvArgs& args, int64_t c0, int64_t c1) noexcept;
void linear_scan(const LinearScanArgs& args, int64_t c0, int64_t c1) noexcept;
void delta_rule(const DeltaRuleArgs& args, int64_t head, int64_t c0, int64_t c1, float* scratch) noexcept;

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
