#include "backend/cpu/executable.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/error.h"
#include "graph/op_schema.h"
#include "ops/linear.h"
#include "passes/binding.h"
#include "passes/memory_plan.h"
#include "passes/rewrite.h"

namespace gamut::cpu {
namespace {

/// Plans kept: enough for the lengths that a server sees at a time, few enough to search in a moment.
constexpr size_t kMaxPlans = 64;

const MatmulKernel& weight_kernel(const KernelTable& kernels, Precision precision) {
  switch (precision) {
    case Precision::kBf16: return kernels.matmul_bf16;
    case Precision::kF16: return kernels.matmul_f16;
    case Precision::kF32:
    case Precision::kAuto: break;
  }
  return kernels.matmul_f32;
}

bool is_leaf(const Node& node) { return node.op == &kInput || node.op == &kWeight || node.op == &kConstant; }

}  // namespace

CpuExecutable::CpuExecutable(Graph graph, const Weights& weights, const KernelTable& kernels, Precision precision,
                             std::shared_ptr<ThreadPool> pool)
    : graph_(std::move(graph)),
      kernels_(kernels),
      precision_(precision),
      pool_(std::move(pool)),
      buffers_(find_buffers(graph_)) {
  Lowering lowering{
      graph_, weights, kernels_, weight_kernel(kernels_, precision_), *pool_, precision_ == Precision::kBf16};
  lowering.resident.resize(graph_.value_count());
  const std::vector<Node>& nodes = graph_.nodes();
  const std::vector<int> uses = count_uses(graph_);
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (is_view(nodes[i])) lowering.make_resident(nodes[i].inputs[0]);
    if (is_leaf(nodes[i]) || is_view(nodes[i])) continue;
    if (const Node* up = gated_linear(i, uses)) {
      steps_.push_back(lower_gated_linears(lowering, nodes[i], *up));
      ++i;
      continue;
    }
    const std::vector<const Node*> joined = joined_linears(i);
    if (joined.size() <= 1) {
      steps_.push_back(lower(lowering, nodes[i]));
      continue;
    }
    steps_.push_back(lower_linears(lowering, joined));
    for (; &nodes[i] != joined.back(); ++i) {
      if (is_view(nodes[i])) lowering.make_resident(nodes[i].inputs[0]);
    }
  }
  for (const auto& [name, value] : graph_.outputs()) lowering.make_resident(buffers_[value]);
  resident_ = std::move(lowering.resident);
  scratch_bytes_ = lowering.scratch_bytes;
  weight_bytes_ = lowering.packed_bytes;
}

bool CpuExecutable::is_view(const Node& node) const {
  return !is_leaf(node) && buffers_[node.outputs[0]] != node.outputs[0];
}

/// The linears from node `first` on that read the same value, with nothing to compute between them: they run in one
/// step. The memory plan holds: the value is alive up to the last of them, and so is each of their results, being read
/// behind it.
std::vector<const Node*> CpuExecutable::joined_linears(size_t first) const {
  const std::vector<Node>& nodes = graph_.nodes();
  std::vector<const Node*> joined;
  if (nodes[first].op != &op::kLinear) return joined;
  for (size_t i = first; i < nodes.size() && joined.size() < kMostJoinedLinears; ++i) {
    if (is_leaf(nodes[i]) || is_view(nodes[i])) continue;
    if (nodes[i].op != &op::kLinear || nodes[i].inputs[0] != nodes[first].inputs[0]) break;
    // Its other inputs must not be a result of the joined ones.
    const bool depends = std::any_of(nodes[i].inputs.begin() + 1, nodes[i].inputs.end(), [&](int input) {
      return input >= 0 &&
             std::ranges::any_of(joined, [&](const Node* before) { return buffers_[input] == before->outputs[0]; });
    });
    if (depends) break;
    joined.push_back(&nodes[i]);
  }
  return joined;
}

/// The linear behind node `gate` that alone reads its result, as its factor, and the same x. Its own result may be
/// written from the gate on: nothing that the two read lies there.
const Node* CpuExecutable::gated_linear(size_t gate, const std::vector<int>& uses) const {
  const std::vector<Node>& nodes = graph_.nodes();
  if (nodes[gate].op != &op::kLinear || gate + 1 >= nodes.size()) return nullptr;
  const Node &first = nodes[gate], &up = nodes[gate + 1];
  if (up.op != &op::kLinear || input_or_none(up, 4) != first.outputs[0] || first.inputs.size() > 3) return nullptr;
  if (first.inputs[0] != up.inputs[0] || uses[first.outputs[0]] != 1) return nullptr;
  return &up;
}

std::shared_ptr<const BoundPlan> CpuExecutable::find_plan(const SymbolValues& symbols) const {
  {
    std::lock_guard lock(mutex_);
    auto found = std::ranges::find_if(plans_, [&](const auto& plan) { return plan->symbols == symbols; });
    if (found != plans_.end()) {
      std::rotate(found, found + 1, plans_.end());
      return plans_.back();
    }
  }
  std::shared_ptr<const BoundPlan> plan = make_plan(symbols);
  std::lock_guard lock(mutex_);
  if (plans_.size() >= kMaxPlans) plans_.erase(plans_.begin());
  plans_.push_back(plan);
  return plan;
}

std::shared_ptr<const BoundPlan> CpuExecutable::make_plan(const SymbolValues& symbols) const {
  auto plan = std::make_shared<BoundPlan>();
  plan->symbols = symbols;
  const std::vector<size_t> bytes = value_bytes(graph_, symbols, &plan->dims);
  // Leaves lie elsewhere, and outputs in tensors that the caller gets.
  std::vector<bool> placed(graph_.value_count(), true);
  for (const Node& node : graph_.nodes()) {
    if (is_leaf(node)) placed[node.outputs[0]] = false;
  }
  for (const auto& [name, value] : graph_.outputs()) placed[buffers_[value]] = false;
  const std::vector<Lifetime> lifetimes = find_lifetimes(graph_, buffers_, bytes, placed);
  const MemoryPlan memory = plan_memory(lifetimes);
  plan->arena_bytes = memory.bytes;
  plan->offsets.assign(graph_.value_count(), -1);
  for (int value = 0; value < graph_.value_count(); ++value) {
    if (placed[buffers_[value]]) plan->offsets[value] = static_cast<int64_t>(memory.offsets[buffers_[value]]);
  }
  return plan;
}

std::unique_ptr<Workspace> CpuExecutable::take_workspace() const {
  {
    std::lock_guard lock(mutex_);
    if (!idle_workspaces_.empty()) {
      std::unique_ptr<Workspace> workspace = std::move(idle_workspaces_.back());
      idle_workspaces_.pop_back();
      return workspace;
    }
  }
  auto workspace = std::make_unique<Workspace>();
  if (scratch_bytes_ > 0) workspace->scratch.reset(::operator new (scratch_bytes_, std::align_val_t{64}));
  workspace->data.resize(graph_.value_count());
  return workspace;
}

/// Points every value at its memory and returns the outputs, still to be written.
NamedTensors CpuExecutable::place_values(const BoundPlan& plan, const NamedTensors& inputs,
                                         Workspace* workspace) const {
  workspace->reserve(plan.arena_bytes);
  std::vector<void*>& data = workspace->data;
  for (int value = 0; value < graph_.value_count(); ++value) {
    data[value] = const_cast<void*>(resident_[value].data());
    if (plan.offsets[value] >= 0) data[value] = static_cast<char*>(workspace->arena.get()) + plan.offsets[value];
  }
  for (const Node* input : graph_.inputs()) {
    data[input->outputs[0]] = const_cast<void*>(inputs.at(input->attributes.s("name")).data());
  }
  NamedTensors outputs;
  std::map<int, Tensor> storage;  // by buffer: two outputs may be views of one
  for (const auto& [name, value] : graph_.outputs()) {
    const int buffer = buffers_[value];
    if (storage.count(buffer) == 0) {
      Tensor tensor = Tensor::allocate(graph_.info(buffer).dtype, plan.dims[buffer]);
      const Node& producer = graph_.producer(buffer);
      if (is_leaf(producer)) {
        if (tensor.bytes() > 0) std::memcpy(tensor.mutable_data(), data[buffer], tensor.bytes());
      } else {
        data[buffer] = tensor.mutable_data();
      }
      storage[buffer] = tensor;
    }
    outputs[name] = storage[buffer].reshaped(plan.dims[value]);
  }
  for (int value = 0; value < graph_.value_count(); ++value) {
    if (plan.offsets[value] < 0) data[value] = data[buffers_[value]];
  }
  return outputs;
}

NamedTensors CpuExecutable::run(const NamedTensors& inputs, const StateRun& states) const {
  const std::shared_ptr<const BoundPlan> plan = find_plan(bind_symbols(graph_, inputs));
  std::unique_ptr<Workspace> workspace = take_workspace();
  NamedTensors outputs = place_values(*plan, inputs, workspace.get());
  Run run{*plan, *workspace, *pool_, kernels_, static_cast<const PagedState*>(states.state), states.sequences};
  for (const Step& step : steps_) step(run);
  std::lock_guard lock(mutex_);
  idle_workspaces_.push_back(std::move(workspace));
  return outputs;
}

}  // namespace gamut::cpu
