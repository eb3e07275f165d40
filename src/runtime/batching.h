// Forms batches out of rows of different length.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gamut {

/// What a batch may hold.
struct BatchLimits {
  int64_t max_tokens = 4096;
  int64_t max_rows = 256;
};

/// Indices of rows by batch: rows of similar length together, longest first, so that padded runs pad little. A row
/// longer than the limit is a batch of its own.
std::vector<std::vector<size_t>> plan_batches(std::span<const int64_t> lengths, const BatchLimits& limits = {});

}  // namespace gamut
