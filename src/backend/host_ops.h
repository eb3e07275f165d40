// Plain loops for every core operator over host memory: all of the reference backend, and the CPU backend's way for
// operators that are never hot.
#pragma once

#include <functional>
#include <span>

#include "graph/graph.h"

namespace gamut {

/// A contiguous tensor in memory that somebody else owns.
struct HostTensor {
  DType dtype = DType::kF32;
  const Dims* dims = nullptr;
  void* data = nullptr;

  int64_t count() const;
};

/// Runs the core operator of `node`; the output has its final dims. Absent optional inputs have null data.
/// Throws Error{kInvalidArgument} for an index out of range, Error{kInternal} for an operator that is not core.
void run_core_op(const Node& node, std::span<const HostTensor> inputs, const HostTensor& output,
                 const SymbolValues& symbols);

/// True when run_core_op knows the operator.
bool is_host_op(const Node& node);

}  // namespace gamut
