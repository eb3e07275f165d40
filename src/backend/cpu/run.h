// One run of a compiled graph on the CPU: where each value lies, and what the steps work with.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "backend/cpu/experts.h"
#include "backend/cpu/kernel_table.h"
#include "backend/host_ops.h"
#include "backend/paged_state.h"
#include "backend/recurrent_ops.h"
#include "base/thread_pool.h"
#include "graph/graph.h"

namespace gamut::cpu {

/// Sizes and places for one set of symbol values; computed once, shared by the runs that have the same.
struct BoundPlan {
  SymbolValues symbols;
  std::vector<Dims> dims;        // of every value
  std::vector<int64_t> offsets;  // of every value in the arena; -1 when it does not lie there
  size_t arena_bytes = 0;
};

/// The memory of one run, reused by later runs.
struct Workspace {
  struct Free {
    void operator()(void* p) const;
  };
  std::shared_ptr<void> arena;
  size_t arena_bytes = 0;
  std::unique_ptr<void, Free> scratch;
  std::vector<void*> data;                 // of every value
  std::vector<int64_t> segments;           // see Run::segments
  std::vector<int64_t> keys;               // boundaries of the keys of each row, of a run with states
  std::vector<const float* const*> pages;  // of each row's sequence
  std::vector<RecurrentRow> rows;          // see Run::recurrent_rows
  ExpertsBuffers experts;

  /// Makes the arena at least that large; its content is lost.
  void reserve(size_t bytes);
};

/// What a step sees.
struct Run {
  const BoundPlan& plan;
  Workspace& workspace;
  ThreadPool& pool;
  const KernelTable& kernels;
  const PagedState* state = nullptr;  // null: every row starts anew
  std::span<const int64_t> sequences = {};

  const Dims& dims(int value) const { return plan.dims[value]; }
  float* f32(int value) const { return static_cast<float*>(workspace.data[value]); }
  int64_t* i64(int value) const { return static_cast<int64_t*>(workspace.data[value]); }
  /// Extent of the last axis, and how many lines of it there are.
  int64_t columns(int value) const { return dims(value).empty() ? 1 : dims(value).back(); }
  int64_t lines(int value) const;
  void* scratch() const { return workspace.scratch.get(); }

  /// Boundaries of the segments that a rows table [N,2] cuts `tokens` tokens into: each row is one segment and so is
  /// each gap of padding behind a row that does not touch the next. Throws Error{kInvalidArgument} when rows overlap,
  /// are out of order or leave the tokens.
  const std::vector<int64_t>& segments(int rows_value, int64_t tokens) const;

  /// The same of a run with states, in which each segment is a row: throws Error{kInternal} when there is padding.
  const std::vector<int64_t>& sequence_segments(int rows_value, int64_t tokens) const;

  /// The rows of a recurrent node, with what its sequences keep under the name `state` (empty: nothing). Throws as
  /// `segments`.
  const std::vector<RecurrentRow>& recurrent_rows(int rows_value, int64_t tokens, const std::string& state_name) const;
};

using Step = std::function<void(Run&)>;

}  // namespace gamut::cpu
