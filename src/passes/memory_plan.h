// Places all intermediate values of a run in one block of memory, reusing the place of what is no longer needed.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace gamut {

/// A buffer that must stay untouched from step `first` to step `last`, both included.
struct Lifetime {
  int first = 0;
  int last = 0;
  size_t bytes = 0;
};

struct MemoryPlan {
  std::vector<size_t> offsets;  // one per lifetime, multiples of 64
  size_t bytes = 0;             // of the whole block: the peak
};

/// Largest buffers first, each at the lowest offset where nothing alive at the same time lies. A pure function.
MemoryPlan plan_memory(std::span<const Lifetime> lifetimes);

/// For each value the value whose buffer it shares: a reshape shares its input's.
std::vector<int> find_buffers(const Graph& graph);

/// Bytes of every value under `symbols`; dims of each go to `dims` when given.
std::vector<size_t> value_bytes(const Graph& graph, const SymbolValues& symbols, std::vector<Dims>* dims = nullptr);

/// The peak of all intermediate values together, outputs included, before anything runs.
size_t planned_bytes(const Graph& graph, const SymbolValues& symbols);

/// Lifetimes of the buffers in the order of node indices; only values whose `placed` entry is true get bytes.
std::vector<Lifetime> find_lifetimes(const Graph& graph, const std::vector<int>& buffers,
                                     const std::vector<size_t>& bytes, const std::vector<bool>& placed);

}  // namespace gamut
