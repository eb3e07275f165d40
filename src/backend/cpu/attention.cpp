#include "backend/cpu/attention.h"

#include <algorithm>

namespace gamut::cpu {
namespace {

size_t worker_scratch(const KernelTable& kernels, int64_t head_dim, int64_t value_dim) {
  size_t bytes = kernels.attention_scratch(head_dim, value_dim);
  if (kernels.attention_bf16 != nullptr) bytes = std::max(bytes, kernels.attention_bf16_scratch(head_dim, value_dim));
  return (bytes + 63) / 64 * 64;
}

}  // namespace

size_t attention_scratch_bytes(const KernelTable& kernels, int64_t head_dim, int64_t value_dim, int workers) {
  return worker_scratch(kernels, head_dim, value_dim) * static_cast<size_t>(workers);
}

void attention(ThreadPool& pool, const KernelTable& kernels, const AttentionArgs& args, void* scratch) {
  if (args.rows <= 0 || args.heads <= 0) return;
  const int64_t block = kernels.attention_block;
  const int64_t* offsets = args.q_offsets;
  const int64_t first_token = offsets[0];
  // Row r gets the slots from first_slot(r) on. These starts rise by at least the blocks of each row, so a task finds
  // its row by bisection over the offsets, without a table of blocks; a slot that no block falls into is an empty task.
  const auto first_slot = [&](int64_t row) { return (offsets[row] - first_token) / block + row; };
  const int64_t slots = first_slot(args.rows);
  const size_t bytes = worker_scratch(kernels, args.head_dim, args.value_dim);
  // The heads of one block of queries are neighbours, so that grouped heads find their keys in the cache.
  pool.run(slots * args.heads, [&](int64_t task, int worker) {
    const int64_t slot = task / args.heads;
    int64_t low = 0, high = args.rows;
    while (high - low > 1) {
      const int64_t middle = (low + high) / 2;
      (first_slot(middle) <= slot ? low : high) = middle;
    }
    const int64_t q0 = offsets[low] + (slot - first_slot(low)) * block;
    const int64_t q1 = std::min(q0 + block, offsets[low + 1]);
    if (q0 >= q1) return;
    // One query alone has too little to do for tiles. Several get the same bits however many they are.
    const bool bf16 = args.bf16 && kernels.attention_bf16 != nullptr && offsets[low + 1] - offsets[low] > 1;
    (bf16 ? kernels.attention_bf16 : kernels.attention)(
        args, {.row = low, .head = task % args.heads, .q0 = q0, .q1 = q1},
        static_cast<char*>(scratch) + bytes * static_cast<size_t>(worker));
  });
}

}  // namespace gamut::cpu
