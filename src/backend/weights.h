// The weights of a compiled graph: tensors of the checkpoint, or expressions over them that were folded away.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "checkpoint/checkpoint.h"
#include "graph/graph.h"

namespace gamut {

/// Evaluates a graph of weights and constants with the one output "value"; see passes/fold.h.
using Evaluator = std::function<Tensor(const Graph& expression, const Checkpoint& checkpoint)>;

/// Hands out weights one at a time, so that a backend packs one before the next is made.
class Weights {
 public:
  Weights(std::shared_ptr<const Checkpoint> checkpoint, std::map<std::string, Graph> expressions, Evaluator evaluate);

  /// The weight as stored (mapped), or the value of its expression (f32).
  Tensor stored(const std::string& name) const;
  /// The weight as f32; without a copy when it is stored so.
  Tensor f32(const std::string& name) const;
  /// Whether the weight is the value of an expression, and so lies in memory of its own.
  bool is_folded(const std::string& name) const { return expressions_.count(name) > 0; }
  /// Lets the pages of the source go after the weight has been packed or converted.
  void release(const std::string& name) const;

 private:
  std::shared_ptr<const Checkpoint> checkpoint_;
  std::map<std::string, Graph> expressions_;
  Evaluator evaluate_;
};

}  // namespace gamut
