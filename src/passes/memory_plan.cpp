#include "passes/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "graph/op_schema.h"
#include "ops/reshape.h"

namespace gamut {
namespace {

constexpr size_t kAlignment = 64;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

MemoryPlan plan_memory(std::span<const Lifetime> lifetimes) {
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });

  MemoryPlan plan;
  plan.offsets.assign(lifetimes.size(), 0);
  std::vector<size_t> placed;  // by offset
  for (size_t index : order) {
    const Lifetime& mine = lifetimes[index];
    if (mine.bytes == 0) continue;
    const size_t bytes = aligned(mine.bytes);
    size_t offset = 0;
    for (size_t other : placed) {
      const Lifetime& theirs = lifetimes[other];
      if (theirs.last < mine.first || mine.last < theirs.first) continue;
      if (offset + bytes <= plan.offsets[other]) break;
      offset = std::max(offset, plan.offsets[other] + aligned(theirs.bytes));
    }
    plan.offsets[index] = offset;
    plan.bytes = std::max(plan.bytes, offset + bytes);
    placed.insert(std::ranges::upper_bound(placed, offset, {}, [&](size_t i) { return plan.offsets[i]; }), index);
  }
  return plan;
}

std::vector<int> find_buffers(const Graph& graph) {
  std::vector<int> buffers(graph.value_count());
  std::iota(buffers.begin(), buffers.end(), 0);
  for (const Node& node : graph.nodes()) {
    if (node.op == &op::kReshape) buffers[node.outputs[0]] = buffers[node.inputs[0]];
  }
  return buffers;
}

std::vector<size_t> value_bytes(const Graph& graph, const SymbolValues& symbols, std::vector<Dims>* dims) {
  std::vector<size_t> bytes(graph.value_count());
  if (dims != nullptr) dims->resize(graph.value_count());
  for (int value = 0; value < graph.value_count(); ++value) {
    const ValueInfo& info = graph.info(value);
    Dims actual = evaluate(info.shape, symbols);
    Extent total(dtype_bits(info.dtype) / 8);
    for (int64_t dim : actual) total = total * Extent(dim);  // checked
    bytes[value] = static_cast<size_t>(*total.constant());
    if (dims != nullptr) (*dims)[value] = std::move(actual);
  }
  return bytes;
}

std::vector<Lifetime> find_lifetimes(const Graph& graph, const std::vector<int>& buffers,
                                     const std::vector<size_t>& bytes, const std::vector<bool>& placed) {
  const int end = static_cast<int>(graph.nodes().size());
  std::vector<Lifetime> lifetimes(graph.value_count(), {end, -1, 0});
  auto touch = [&](int value, int step) {
    Lifetime& life = lifetimes[buffers[value]];
    life.first = std::min(life.first, step);
    life.last = std::max(life.last, step);
  };
  for (int step = 0; step < end; ++step) {
    const Node& node = graph.nodes()[step];
    for (int input : node.inputs) {
      if (input >= 0) touch(input, step);
    }
    for (int output : node.outputs) touch(output, step);
  }
  for (const auto& [name, value] : graph.outputs()) touch(value, end);
  for (int value = 0; value < graph.value_count(); ++value) {
    if (placed[value] && buffers[value] == value) lifetimes[value].bytes = bytes[value];
  }
  return lifetimes;
}

size_t planned_bytes(const Graph& graph, const SymbolValues& symbols) {
  std::vector<bool> placed(graph.value_count(), true);
  for (const Node& node : graph.nodes()) {
    if (node.op != &kInput && node.op != &kWeight && node.op != &kConstant) continue;
    for (int output : node.outputs) placed[output] = false;
  }
  const std::vector<int> buffers = find_buffers(graph);
  return plan_memory(find_lifetimes(graph, buffers, value_bytes(graph, symbols), placed)).bytes;
}

}  // namespace gamut
