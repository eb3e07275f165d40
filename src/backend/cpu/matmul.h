// Matrix products over a thread pool: shares the tiles of a MatmulKernel out.
#pragma once

#include <span>

#include "backend/cpu/kernel_types.h"
#include "base/thread_pool.h"

namespace gamut::cpu {

/// Bytes of scratch, 64-byte aligned, that `matmul` and `batched_matmul` want for a pool of `workers` threads; any
/// extents.
size_t matmul_scratch_bytes(const MatmulKernel& kernel, int workers);

/// Packs a weight with all threads. `args.packed` has kernel.packed_bytes(n, k) bytes.
void pack_weight(ThreadPool& pool, const MatmulKernel& kernel, const PackArgs& args);

/// Copies rows [begin, end) of a weight to `to`; false when they cannot be read. Called by several threads at once.
using RowReader = FunctionRef<bool(int64_t begin, int64_t end, void* to)>;
/// The same for rows of k adjacent elements that `read` brings piece by piece; `args.data` and the strides are not
/// used. -1, or the last row of a piece that could not be read.
int64_t pack_weight(ThreadPool& pool, const MatmulKernel& kernel, const PackArgs& args, RowReader read);

/// c = epilogue(a · w^T) in one fork/join; see MatmulArgs. The same bits for any number of threads.
void matmul(ThreadPool& pool, const MatmulKernel& kernel, const MatmulArgs& args, void* scratch);

/// The same for several products of one A, whose rows are brought into the kernel's form once for all: `m`, `k`, `a`
/// and `a_stride` are equal.
void matmul(ThreadPool& pool, const MatmulKernel& kernel, std::span<const MatmulArgs> products, void* scratch);

/// c = activation(a · gate^T + …) * (a · up^T + …) in one fork/join: both have the same extents and the same A, C is
/// up's, and gate's is not written.
void gated_matmul(ThreadPool& pool, const MatmulKernel& kernel, const MatmulArgs& gate, const MatmulArgs& up,
                  void* scratch);

/// Two levels of batch over matrices of equal extents: element offsets from one matrix to the next; 0 repeats the
/// operand. (Outer, inner) may be (batch, head); one level alone leaves `outer` at 1.
struct MatmulBatch {
  int64_t outer = 1, inner = 1;
  int64_t a_outer = 0, a_inner = 0;
  int64_t w_outer = 0, w_inner = 0;  ///< of `w`; `packed` is not batched
  int64_t c_outer = 0, c_inner = 0;
  int64_t residual_outer = 0, residual_inner = 0;
};

/// The products of a batch in one fork/join; `args` describes the first.
void batched_matmul(ThreadPool& pool, const MatmulKernel& kernel, const MatmulArgs& args, const MatmulBatch& batch,
                    void* scratch);

/// One tile of product `product`, on scratch of the worker's own.
using TileWork = FunctionRef<void(size_t product, const MatmulTile& tile, void* scratch)>;
/// Shares the tiles of several products out in one fork/join; they differ in A, w and the number of rows, and have
/// equal `n` and `k`. `work` multiplies.
void share_tiles(ThreadPool& pool, const MatmulKernel& kernel, std::span<const MatmulArgs> products, void* scratch,
                 TileWork work);

}  // namespace gamut::cpu
