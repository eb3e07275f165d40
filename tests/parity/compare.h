// Runs a parity case on one target and compares it with transformers.
#pragma once

#include <string>

#include "parity/case.h"
#include "runtime/session.h"

namespace gamut::parity {

/// Where a case runs.
struct Target {
  std::string backend;
  std::string instruction_set;  // of the cpu backend; empty: the best
  RowLayout layout = RowLayout::kAuto;

  /// "cpu", "cpu avx2 padded".
  std::string name() const;
};

/// Every backend of this build, every instruction set of this machine, packed and padded.
std::vector<Target> all_targets();

/// The largest |a-b| / max(1, max |b|) over all outputs and unmasked places: the case as it is, and each of its rows
/// alone. Throws Error when the case does not run or an output is missing.
double largest_error(const Case& parity_case, const Target& target);

/// The digest of the case's recorded graphs.
std::string graph_digest(const Case& parity_case);

/// What a case may differ: 1e-4 in f32 (docs/decisions and the design's section on evidence).
inline constexpr double kTolerance = 1e-4;

}  // namespace gamut::parity
