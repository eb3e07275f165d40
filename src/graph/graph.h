// The operator graph that an architecture records and every backend runs.
#pragma once

#include <string>
#include <vector>

#include "graph/attributes.h"
#include "tensor/extent.h"

namespace gamut {

class Graph;
struct OpSchema;

/// What is known of a value before running. Floats are F32 in a graph whatever the checkpoint stores; ids are I64,
/// conditions BOOL.
struct ValueInfo {
  DType dtype = DType::kF32;
  Shape shape;
};

/// A handle to one result of a node. Default-constructed: absent (an optional input that is not there).
struct Value {
  Graph* graph = nullptr;
  int id = -1;

  explicit operator bool() const { return id >= 0; }
  const ValueInfo& info() const;
  const Shape& shape() const { return info().shape; }
  DType dtype() const { return info().dtype; }
  int rank() const { return static_cast<int>(shape().size()); }
  /// An extent by axis, counted from the end when negative.
  const Extent& extent(int axis) const;
  friend bool operator==(const Value& a, const Value& b) { return a.graph == b.graph && a.id == b.id; }
};

/// One operation. `inputs` are value ids, -1 for an absent optional input.
struct Node {
  const OpSchema* op = nullptr;
  std::vector<int> inputs;
  std::vector<int> outputs;
  Attributes attributes;
  std::string label;  // where in the model it was recorded: "encoder.layer.0.attention.self.query"
  Tensor constant;    // the payload of `constant`
};

/// Two extents that must be equal in every run, found while recording and not provable then.
struct Assumption {
  Extent a, b;
  std::string reason;
};

/// A directed acyclic graph in recording order: a node's inputs come from nodes before it.
class Graph {
 public:
  explicit Graph(std::string name = "") : name_(std::move(name)) {}
  // Values point at their graph, so a graph stays where it is; passes make new ones.
  Graph(Graph&& other) noexcept = default;
  Graph& operator=(Graph&& other) noexcept = default;

  /// A tensor that the caller binds in every run.
  Value input(const std::string& name, DType dtype, Shape shape);
  /// A tensor of the checkpoint, seen as f32 when it is a float of any width.
  Value weight(const std::string& name, DType dtype, const Dims& dims);
  /// A tensor known while recording.
  Value constant(Tensor tensor);
  /// A scalar f32 or i64 constant.
  Value scalar(float value);
  Value scalar(int64_t value);

  /// Appends a node of `op` and returns its first output. The op's shape rule runs here and throws
  /// Error{kInvalidArgument} that names the label, the op and the shapes.
  Value add(const OpSchema& op, const std::vector<Value>& inputs, Attributes attributes = {});
  /// Appends a copy of `node` (of any graph) with other inputs, running its shape rule anew.
  Value add_like(const Node& node, const std::vector<Value>& inputs);

  /// Declares `value` a result of the graph under `name`.
  void set_output(const std::string& name, Value value);
  /// Forgets the results declared so far, so that others can be.
  void clear_outputs() { outputs_.clear(); }

  const std::string& name() const { return name_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const Node& producer(int value) const { return nodes_[values_[value].node]; }
  int producer_index(int value) const { return values_[value].node; }
  const ValueInfo& info(int value) const { return values_[value].info; }
  int value_count() const { return static_cast<int>(values_.size()); }
  const std::vector<std::pair<std::string, int>>& outputs() const { return outputs_; }
  const std::vector<Assumption>& assumptions() const { return assumptions_; }
  /// Input nodes in recording order.
  std::vector<const Node*> inputs() const;

  /// Requires a == b in every run. True when that can be proved or assumed; false when two constants differ.
  bool require_equal(const Extent& a, const Extent& b, const std::string& reason);

  /// The label that nodes get from now on; returns the previous one.
  std::string set_label(std::string label);
  const std::string& label() const { return label_; }

 private:
  struct ValueRecord {
    ValueInfo info;
    int node;
  };

  std::string name_;
  std::string label_;
  std::vector<Node> nodes_;
  std::vector<ValueRecord> values_;
  std::vector<std::pair<std::string, int>> outputs_;
  std::vector<Assumption> assumptions_;
};

/// Sets a graph's label for the life of this object.
class LabelScope {
 public:
  LabelScope(Graph& graph, std::string label) : graph_(graph), previous_(graph.set_label(std::move(label))) {}
  ~LabelScope() { graph_.set_label(std::move(previous_)); }
  LabelScope(const LabelScope&) = delete;
  LabelScope& operator=(const LabelScope&) = delete;

 private:
  Graph& graph_;
  std::string previous_;
};

}  // namespace gamut
