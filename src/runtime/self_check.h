// A small transformer block that is really run on a backend, to know that it computes what it should on this machine.
#pragma once

#include <string>

#include "backend/backend.h"

namespace gamut {

struct SelfCheck {
  std::string failure;      ///< empty: passed
  double error = 0;         ///< the largest |a - b| / max|b| over what was compared; 0 when nothing was
  double milliseconds = 0;  ///< to compile it and to run it once
};

/// What a result may differ from what is expected, as SelfCheck::error counts it.
constexpr double kSelfCheckTolerance = 1e-4;

/// Compiles the block for `device` (one of the backend's; empty: its first) in f32 and runs two rows of 7 and 4 tokens:
/// embeddings, masked attention, GELU feed-forward, layer norms and the mean over each row. Everything is compared with
/// `oracle` and a part of it with numbers that come from elsewhere (tools/self_check_values.py), so that the oracle can
/// fail too. Does not throw but for lack of memory: whatever goes wrong is the failure.
SelfCheck run_self_check(const Backend& backend, const std::string& device = "",
                         const Backend& oracle = find_backend("reference"));

}  // namespace gamut
