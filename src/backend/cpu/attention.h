// Attention over a thread pool: shares (row, head, block of queries) out.
#pragma once

#include "backend/cpu/kernel_table.h"
#include "base/thread_pool.h"

namespace gamut::cpu {

/// Bytes of scratch, 64-byte aligned, that `attention` wants for a pool of `workers` threads; any number of tokens.
size_t attention_scratch_bytes(const KernelTable& kernels, int64_t head_dim, int64_t value_dim, int workers);

/// Attention of all rows and heads in one fork/join; see AttentionArgs. The same bits for any number of threads.
void attention(ThreadPool& pool, const KernelTable& kernels, const AttentionArgs& args, void* scratch);

}  // namespace gamut::cpu
