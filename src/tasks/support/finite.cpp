#include "tasks/support/finite.h"

#include <cmath>

#include "base/error.h"

namespace gamut {

void require_finite(std::span<const float> values, size_t text, const char* what) {
  // v - v is 0 for a number and NaN for anything else: one pass without a branch.
  float sum = 0;
  for (const float value : values) sum += value - value;
  if (sum == 0) return;
  fail_with_hint(ErrorCode::kInvalidFile,
                 fmt::format("text {}: {} holds NaN or infinity, expected finite numbers", text, what),
                 "Weights of the checkpoint are NaN, infinite or too large; other texts may still work.");
}

}  // namespace gamut
