// Runs a parity case on one target and compares it with transformers.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "parity/case.h"
#include "runtime/session.h"

namespace gamut::parity {

/// Where a case runs.
struct Target {
  std::string backend;
  std::string instruction_set;  // of the cpu backend; empty: the best
  RowLayout layout = RowLayout::kPacked;
  Precision precision = Precision::kF32;

  /// "cpu", "cpu avx2 padded", "openvino bf16".
  std::string name() const;
};

/// Every backend of this build in every precision that it has here, every instruction set of this machine, packed and
/// padded.
std::vector<Target> all_targets();

/// Squares of errors in bf16 over many numbers, summed, each relative to the root mean square of its output: ours, and
/// those of PyTorch in bf16 on the same.
struct SquaredErrors {
  double ours = 0, pytorch = 0;

  double ratio() const { return std::sqrt(ours / pytorch); }
  void add(const SquaredErrors& other) { ours += other.ours, pytorch += other.pytorch; }
};

/// How far a case is from transformers.
struct Difference {
  double error = 0;       ///< the largest |a-b| / max(1, max |b|)
  double share = 0;       ///< the largest |a-b| as a share of what the precision allows: more than 1 is too far
  SquaredErrors squared;  ///< in bf16

  bool is_allowed() const { return share <= 1; }
  void add(const Difference& other) {
    error = std::max(error, other.error), share = std::max(share, other.share), squared.add(other.squared);
  }
};

/// The difference over all outputs and unmasked places: the case as it is, and each of its rows alone. Throws Error
/// when the case does not run or an output is missing.
Difference compare(const Case& parity_case, const Target& target);

/// The difference of what the case's rows go on with: generated together, and each token of a prompt in a step of its
/// own. Nothing to differ where the case has no generation or the backend no states. Throws Error when other tokens
/// come out.
Difference compare_generation(const Case& parity_case, const Session& session);

/// The digest of the case's recorded graphs.
std::string graph_digest(const Case& parity_case);

/// What a case may differ (the design's section on evidence): in f32 1e-4 of the larger of 1 and max |b|; in bf16 1.5
/// times what PyTorch does in bf16, and 1e-3 of max |b|. All cases of a model type together: 1.5 times PyTorch's root
/// mean square (docs/decisions/bf16-bound.md).
inline constexpr double kTolerance = 1e-4, kBf16Factor = 1.5, kBf16Tolerance = 1e-3;

}  // namespace gamut::parity
