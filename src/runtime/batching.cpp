#include "runtime/batching.h"

#include <algorithm>
#include <numeric>

namespace gamut {

std::vector<std::vector<size_t>> plan_batches(std::span<const int64_t> lengths, const BatchLimits& limits) {
  std::vector<size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return lengths[a] > lengths[b]; });
  std::vector<std::vector<size_t>> batches;
  int64_t tokens = 0;
  for (size_t row : order) {
    const bool full = batches.empty() || static_cast<int64_t>(batches.back().size()) >= limits.max_rows ||
                      lengths[row] > limits.max_tokens - tokens;
    if (full) {
      batches.emplace_back();
      tokens = 0;
    }
    batches.back().push_back(row);
    tokens += lengths[row];
  }
  return batches;
}

}  // namespace gamut
