// The arguments of the CPU kernels: plain structs of pointers and extents, without any code.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/cpu/recurrent_types.h"

namespace gamut::cpu {

/// y = f(x), element by element. NaN gives NaN. Errors against double precision, in units of the result's last place,
/// over a dense sample of all floats (elementwise_test.cpp, every instruction set): exp, log 2 · expm1, log1p, tanh,
/// erf, elu 3 · sigmoid, silu, softplus 4 · mish 8 · gelu_erf 20, gelu_tanh 12, quick_gelu 8, or 1e-8 where that is
/// more · sin, cos 1 or 1.2e-7. Results below 1e-35 of the sigmoid family may be 0. kRound: ties to even; at -inf silu,
/// the GELUs and mish give the limit 0.
enum class Unary : uint8_t {
  kIdentity,
  kAbs,
  kNeg,
  kSign,
  kSquare,
  kSqrt,
  kRsqrt,
  kReciprocal,
  kFloor,
  kCeil,
  kRound,
  kExp,
  kExpm1,
  kLog,
  kLog1p,
  kSin,
  kCos,
  kTanh,
  kErf,
  kSigmoid,
  kSoftplus,
  kSoftsign,
  kMish,
  kRelu,
  kRelu6,
  kHardSigmoid,
  kHardSwish,
  kSilu,
  kGeluErf,
  kGeluTanh,
  kQuickGelu,
  kElu,
};
constexpr int kUnaryCount = static_cast<int>(Unary::kElu) + 1;

enum class Binary : uint8_t { kAdd, kSub, kMul, kDiv, kMax, kMin, kPow };
constexpr int kBinaryCount = static_cast<int>(Binary::kPow) + 1;

enum class Reduce : uint8_t { kSum, kMean, kMax, kMin, kSumSquares };

enum class Pooling : uint8_t { kMean, kSum, kMax, kFirst, kLast };

/// Element types that kernels read and widen to f32.
enum class Source : uint8_t { kF32, kF16, kBf16 };

/// What happens to a finished sum of a matmul while it is in registers or L1:
/// c = activation(alpha * sum + bias[n]) + residual[m,n], or with `residual_first` c = activation(alpha * sum + bias[n]
/// + residual[m,n]), or with `residual_multiplies` c = activation(alpha * sum + bias[n]) * residual[m,n].
struct Epilogue {
  float alpha = 1.0f;
  const float* bias = nullptr;      ///< [N] or none
  const float* residual = nullptr;  ///< [M,N] or none; may be C itself
  int64_t residual_stride = 0;      ///< elements from one row to the next
  Unary activation = Unary::kIdentity;
  bool residual_first = false;
  bool residual_multiplies = false;
};

/// c [M,N] = epilogue(a [M,K] · w [N,K]^T). Sums over K run in rising order in f32 whatever M, N, threads and tiles
/// are (kAmx: sums of products of digits, in a fixed order, when w is packed), so a row's result depends on nothing but
/// that row, w, and there whether w is packed. Any extent may be 0 (K = 0: the sum is 0). C overlaps
/// neither A nor w.
struct MatmulArgs {
  int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;
  int64_t a_stride = 0;  ///< elements from one row of A to the next; elements of a row are adjacent
  /// The right-hand side, either packed by MatmulKernel::pack …
  const void* packed = nullptr;
  /// … or (packed == nullptr) f32 at w[n * w_n_stride + k * w_k_stride], packed piece by piece into scratch: an
  /// activation, or a weight used once.
  const float* w = nullptr;
  int64_t w_n_stride = 0, w_k_stride = 0;
  float* c = nullptr;
  int64_t c_stride = 0;
  Epilogue epilogue = {};
};

/// Rows [m0,m1) and columns [n0,n1) of C; n0 is a multiple of the kernel's nr.
struct MatmulTile {
  int64_t m0 = 0, m1 = 0, n0 = 0, n1 = 0;
  /// The tile before on the same scratch had the same rows of the same A: what the kernel made of them is still there.
  bool same_rows = false;
};

/// A weight [N,K] as it lies in memory: element (n,k) at data[n * n_stride + k * k_stride] of type `type`.
struct PackArgs {
  int64_t n = 0, k = 0;
  const void* data = nullptr;
  Source type = Source::kF32;
  int64_t n_stride = 0, k_stride = 0;
  void* packed = nullptr;  ///< packed_bytes(n, k) bytes, 64-byte aligned
};

/// One row of the matmul table: how weights of one type are packed and multiplied in one compute type.
struct MatmulKernel {
  const char* name;      ///< "f32"
  int mr;                ///< rows of the register tile: a multiple of it wastes nothing
  int nr;                ///< columns of a packed panel
  int64_t block_m;       ///< rows that reuse one copy of a block of A
  size_t scratch_bytes;  ///< of one worker in `run`, 64-byte aligned, the same for all extents
  size_t (*packed_bytes)(int64_t n, int64_t k) noexcept;
  /// Packs panels [panel0, panel1) of ceil(n / nr); panels are independent, so threads may share them out.
  void (*pack)(const PackArgs& args, int64_t panel0, int64_t panel1) noexcept;
  void (*run)(const MatmulArgs& args, const MatmulTile& tile, void* scratch) noexcept;
};

/// softmax(scale * q · k^T + bias, over the visible keys) · v for packed rows, without an S x S buffer.
/// q [Tq, Hq, D], k [Tk, Hkv, D], v [Tk, Hkv, Dv], out [Tq, Hq, Dv]; the last axis is adjacent. Query head h reads key
/// head h / (Hq / Hkv). A query that sees no key gives zeros. Row r has the queries [q_offsets[r], q_offsets[r+1]) and
/// the keys [kv_offsets[r], kv_offsets[r+1]) and sees only those; with Lq queries and Lk keys, query i stands at
/// position i + Lk - Lq.
struct AttentionArgs {
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  /// Instead of k and v: for each row its pages, key j in page j / page_keys, null where no query sees it. k and v of a
  /// page are k_page and v_page floats from its begin on.
  const float* const* const* pages = nullptr;
  int64_t page_keys = 0, k_page = 0, v_page = 0;
  float* out = nullptr;
  int64_t q_token_stride = 0, q_head_stride = 0;
  int64_t k_token_stride = 0, k_head_stride = 0;
  int64_t v_token_stride = 0, v_head_stride = 0;
  int64_t out_token_stride = 0, out_head_stride = 0;
  int64_t heads = 0, kv_heads = 0, head_dim = 0, value_dim = 0;
  float scale = 1.0f;
  bool bf16 = false;     ///< what is multiplied may be rounded to bf16
  float softcap = 0.0f;  ///< above 0: scores become softcap * tanh(score / softcap), before the bias
  int64_t rows = 0;
  const int64_t* q_offsets = nullptr;   ///< [rows + 1], rising
  const int64_t* kv_offsets = nullptr;  ///< [rows + 1], rising
  /// A query at position p sees the keys [p - window_left, p + window_right] of its row; negative: no limit on that
  /// side. Causal is window_right = 0; a sliding window of W tokens, the query's own included, is window_left = W - 1.
  int64_t window_left = -1, window_right = -1;
  int64_t chunk = 0;  ///< above 0: a query sees the keys from the multiple of `chunk` at or before its position on
  const float* slopes = nullptr;  ///< [Hq] or none: slope * (key's position - query's position) is added to the scores
  /// Added to the scores: bias[r * bias_row_stride + h * bias_head_stride + i * bias_q_stride + j], i and j counted
  /// inside the row.
  const float* bias = nullptr;
  int64_t bias_row_stride = 0, bias_head_stride = 0, bias_q_stride = 0;
  const float* sinks =
      nullptr;  ///< [Hq] or none: one more score per head that takes its share of the softmax and has no value
};

/// Queries [q0,q1) of row `row`, of one head; at most `attention_block` of them.
struct AttentionTile {
  int64_t row = 0, head = 0, q0 = 0, q1 = 0;
};

/// y = norm(x + residual) * weight + bias over the last axis of x [rows, cols].
struct NormArgs {
  int64_t cols = 0;
  const float* x = nullptr;
  int64_t x_stride = 0;
  const float* residual = nullptr;  ///< [rows, cols] or none
  int64_t residual_stride = 0;
  float* sum = nullptr;  ///< where x + residual goes, or none; may be x or residual
  int64_t sum_stride = 0;
  const float* weight = nullptr;  ///< [cols] or none
  const float* bias = nullptr;    ///< [cols] or none
  float* y = nullptr;             ///< may be x
  int64_t y_stride = 0;
  float eps = 0.0f;
};

/// y = x [tokens, heads, head_dim] with pairs of numbers turned by the angles of the token: number i with i + half, or
/// 2i with 2i + 1 when `interleaved`; numbers from 2 * half on are copied.
struct RopeArgs {
  int64_t heads = 0, head_dim = 0, half = 0;
  const float* x = nullptr;
  const float* cos = nullptr;  ///< [tokens, half]
  const float* sin = nullptr;
  float* y = nullptr;  ///< may be x
  bool interleaved = false;
};

/// y = softmax(x) or log_softmax(x) over the last axis of x [rows, cols]. A row of -inf gives NaN, as in PyTorch.
struct SoftmaxArgs {
  int64_t cols = 0;
  const float* x = nullptr;
  int64_t x_stride = 0;
  float* y = nullptr;  ///< may be x
  int64_t y_stride = 0;
  bool log = false;
};

/// y [rows, cols] = a op b. Operand element (i,j) is at p[i * row_stride + j * col_stride]; col_stride is 0 or 1. So
/// the broadcast forms are: same shape (cols,1), scalar (0,0), vector over the last axis (0,1), one value per row
/// (1,0). y may be a or b when they have its shape.
struct BinaryArgs {
  int64_t cols = 0;
  const float* a = nullptr;
  int64_t a_row_stride = 0, a_col_stride = 1;
  const float* b = nullptr;
  int64_t b_row_stride = 0, b_col_stride = 1;
  float* y = nullptr;
  int64_t y_row_stride = 0;
};

/// y[i] = reduce(x[i, :]) for x [rows, cols]; cols = 0 gives 0, NaN (mean), -inf (max) or inf (min). NaN wins.
struct ReduceArgs {
  int64_t cols = 0;
  const float* x = nullptr;
  int64_t x_stride = 0;
  float* y = nullptr;
};

/// y[i, :] = float(table[ids[i], :]) for table [table_rows, cols] of `type`.
struct GatherArgs {
  int64_t cols = 0, table_rows = 0;
  const void* table = nullptr;
  Source type = Source::kF32;
  int64_t table_stride = 0;
  const int64_t* ids = nullptr;
  float* y = nullptr;
  int64_t y_stride = 0;
};

/// y[s, :] = pooling of x[offsets[s] .. offsets[s+1], :] over its tokens; a segment without tokens gives zeros.
struct SegmentPoolArgs {
  int64_t cols = 0;
  const float* x = nullptr;
  int64_t x_stride = 0;
  const int64_t* offsets = nullptr;  ///< [segments + 1], rising
  float* y = nullptr;
  int64_t y_stride = 0;
  Pooling kind = Pooling::kMean;
};

}  // namespace gamut::cpu
