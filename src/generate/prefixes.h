// Which prompts of a call begin alike, so that what they share is computed once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gamut {

/// Where a prompt's tokens come from: its first `length` tokens are those of prompt `parent`, whose sequence is forked
/// when it has so many; 0: it begins by itself.
struct SharedPrefix {
  size_t parent = 0;
  int64_t length = 0;

  friend bool operator==(const SharedPrefix&, const SharedPrefix&) = default;
};

/// Fewer common tokens are computed anew: a fork cuts the work of a step in two.
constexpr int64_t kLeastShared = 16;

/// The number of first tokens that are equal.
int64_t common_length(std::span<const int64_t> a, std::span<const int64_t> b);

/// One entry per prompt. At least one token of each prompt is left to compute, for its logits. A parent reaches the
/// length of the fork after its own fork, and no chain of parents has a circle.
std::vector<SharedPrefix> share_prefixes(std::span<const std::vector<int64_t>> prompts);

}  // namespace gamut
