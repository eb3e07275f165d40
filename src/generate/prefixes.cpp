#include "generate/prefixes.h"

#include <algorithm>
#include <numeric>

namespace gamut {

int64_t common_length(std::span<const int64_t> a, std::span<const int64_t> b) {
  return std::ranges::mismatch(a, b).in1 - a.begin();
}

std::vector<SharedPrefix> share_prefixes(std::span<const std::vector<int64_t>> prompts) {
  std::vector<SharedPrefix> shared(prompts.size());
  std::vector<size_t> order(prompts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // In this order no earlier prompt has more in common with a prompt than the one just before it.
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return prompts[a] < prompts[b]; });
  for (size_t i = 1; i < order.size(); ++i) {
    const std::vector<int64_t>& own = prompts[order[i]];
    size_t parent = order[i - 1];
    const int64_t length = std::min(common_length(prompts[parent], own), static_cast<int64_t>(own.size()) - 1);
    if (length < kLeastShared) continue;
    // A prompt that begins with a fork never stands at a shorter length: the one that it comes from does.
    while (shared[parent].length >= length) parent = shared[parent].parent;
    shared[order[i]] = {parent, length};
  }
  return shared;
}

}  // namespace gamut
