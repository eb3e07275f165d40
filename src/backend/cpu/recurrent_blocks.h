// How the steps of recurrent operators share rows and blocks of channels out over threads.
#pragma once

#include <algorithm>

#include "backend/cpu/run.h"

namespace gamut::cpu {

/// Channels of one task, a multiple of every vector.
constexpr int64_t kRecurrentBlock = 64;
/// Tasks with fewer multiply-adds than this are not worth waking a thread for.
constexpr int64_t kWorthAThread = 1 << 14;

/// Zeros the lines of y [tokens, width] that no row has.
inline void clear_padding(const std::vector<RecurrentRow>& rows, int64_t tokens, int64_t width, float* y) {
  int64_t end = 0;
  for (const RecurrentRow& row : rows) {
    std::fill(y + end * width, y + row.start * width, 0.0f);
    end = row.start + row.length;
  }
  std::fill(y + end * width, y + tokens * width, 0.0f);
}

/// Calls fn(row, block, worker) for each row that has tokens and each block; `work`: multiply-adds of one block and
/// token.
template <typename F>
void for_blocks(Run& run, const std::vector<RecurrentRow>& rows, int64_t blocks, int64_t work, F fn) {
  int64_t tokens = 0;
  for (const RecurrentRow& row : rows) tokens += row.length;
  const int64_t count = static_cast<int64_t>(rows.size()) * blocks;
  if (count == 0) return;
  const auto call = [&](int64_t i, int worker) {
    const RecurrentRow& row = rows[static_cast<size_t>(i / blocks)];
    if (row.length > 0) fn(row, i % blocks, worker);
  };
  if (work * blocks * tokens < 2 * kWorthAThread) {
    for (int64_t i = 0; i < count; ++i) call(i, 0);
    return;
  }
  const int64_t each = std::max<int64_t>(1, work * tokens / static_cast<int64_t>(rows.size()));
  const int64_t grain = std::max<int64_t>(1, kWorthAThread / each);
  run.pool.run((count + grain - 1) / grain, [&](int64_t task, int worker) {
    for (int64_t i = task * grain; i < std::min(count, (task + 1) * grain); ++i) call(i, worker);
  });
}

}  // namespace gamut::cpu
