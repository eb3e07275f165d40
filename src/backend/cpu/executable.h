// A graph compiled for the CPU: steps in order, weights packed or resident, plans and workspaces reused.
#pragma once

#include <mutex>

#include "backend/backend.h"
#include "backend/cpu/lower.h"

namespace gamut::cpu {

class CpuExecutable : public Executable {
 public:
  /// Lowers every node of `graph`; operators must be supported. `precision` is one of weight_kernel's.
  CpuExecutable(Graph graph, const Weights& weights, const KernelTable& kernels, Precision precision,
                std::shared_ptr<ThreadPool> pool);

  using Executable::run;
  NamedTensors run(const NamedTensors& inputs, const StateRun& states) const override;
  Precision precision() const override { return precision_; }
  size_t planned_bytes(const SymbolValues& symbols) const override { return find_plan(symbols)->arena_bytes; }
  size_t weight_bytes() const override { return weight_bytes_; }

 private:
  /// A reshape is a view: its buffer is its input's.
  bool is_view(const Node& node) const;
  std::vector<const Node*> joined_linears(size_t first) const;
  const Node* gated_linear(size_t gate, const std::vector<int>& uses) const;
  std::shared_ptr<const BoundPlan> find_plan(const SymbolValues& symbols) const;
  std::shared_ptr<const BoundPlan> make_plan(const SymbolValues& symbols) const;
  std::unique_ptr<Workspace> take_workspace() const;
  NamedTensors place_values(const BoundPlan& plan, const NamedTensors& inputs, Workspace* workspace) const;

  Graph graph_;
  const KernelTable& kernels_;
  const Precision precision_;
  std::shared_ptr<ThreadPool> pool_;
  std::vector<Step> steps_;
  std::vector<Tensor> resident_;  // by value
  std::vector<int> buffers_;      // by value, see find_buffers
  size_t scratch_bytes_ = 0;
  size_t weight_bytes_ = 0;

  mutable std::mutex mutex_;                                     // guards what follows
  mutable std::vector<std::shared_ptr<const BoundPlan>> plans_;  // most recently used last
  mutable std::vector<std::unique_ptr<Workspace>> idle_workspaces_;
};

}  // namespace gamut::cpu
