// What an operator is: its class, shape rule, decomposition, behaviour towards token axes, and sample cases.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"
#include "graph/state.h"

namespace gamut {

/// Core operators are implemented by every backend. Composed ones carry a decomposition into core operators; a backend
/// may run them directly.
enum class OpClass { kCore, kComposed };

/// What a shape rule sees and says.
class InferContext {
 public:
  InferContext(Graph& graph, const Node& node, std::span<const Value> inputs)
      : graph_(graph), node_(node), inputs_(inputs) {}

  size_t input_count() const { return inputs_.size(); }
  bool has(size_t index) const { return index < inputs_.size() && inputs_[index]; }
  const Shape& shape(size_t index) const { return inputs_[index].shape(); }
  DType dtype(size_t index) const { return inputs_[index].dtype(); }
  int rank(size_t index) const { return inputs_[index].rank(); }
  const Attributes& attributes() const { return node_.attributes; }
  /// The payload of a `constant` node.
  const Tensor& constant() const { return node_.constant; }

  /// Declares the next result.
  void output(DType dtype, Shape shape) { results.push_back({dtype, std::move(shape)}); }

  /// Throws unless input `index` has the dtype.
  void require_dtype(size_t index, DType dtype) const;
  /// Throws unless a == b; an equality that cannot be proved becomes an assumption of the graph.
  void require_equal(const Extent& a, const Extent& b, const char* what);
  /// An axis in [0, rank). Nodes store axes counted from the front: who runs them reads the attribute as it is.
  int axis(int64_t axis, int rank) const;
  /// Throws Error{kInvalidArgument}: "label: op: message; inputs f32[B,S,8], f32[4]".
  [[noreturn]] void fail(const std::string& message) const;

  std::vector<ValueInfo> results;

 private:
  Graph& graph_;
  const Node& node_;
  std::span<const Value> inputs_;
};

/// A small graph with values to run it on: the conformance tests compare every backend's result with the reference's.
struct OpCase {
  std::string name;
  Graph graph;
  NamedTensors inputs;
  NamedTensors weights;
  /// Allowed max |a-b| / max(1, max |b|).
  double tolerance = 1e-5;
};

struct OpSchema {
  const char* name;
  OpClass op_class = OpClass::kCore;
  /// Inputs: at least `min_inputs` present, at most `max_inputs` (-1: any number).
  int min_inputs = 1;
  int max_inputs = 1;
  void (*infer)(InferContext& c) = nullptr;
  /// Records the same result with other operators into `graph`; null for core operators.
  Value (*decompose)(Graph& graph, const Node& node, std::span<const Value> inputs) = nullptr;
  /// True when the node treats its two leading axes [B,S] as independent tokens, so that it may run on packed rows.
  /// Null: never.
  bool (*keeps_tokens)(const Graph& graph, const Node& node) = nullptr;
  std::vector<OpCase> (*cases)() = nullptr;
  /// What a node with the attribute "state" keeps of each sequence between runs, all but the name. Null: nothing.
  StateSpec (*state)(const Graph& graph, const Node& node) = nullptr;
};

/// The three leaves of every graph.
extern const OpSchema kInput, kWeight, kConstant;

/// `keeps_tokens` of operators whose shape rule already guarantees it.
bool always_keeps_tokens(const Graph& graph, const Node& node);

}  // namespace gamut
