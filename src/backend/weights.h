// The weights of a compiled graph: tensors of the checkpoint, or expressions over them that were folded away.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "checkpoint/checkpoint.h"
#include "graph/graph.h"

namespace gamut {

/// Evaluates a graph of weights and constants with the one output "value"; see passes/fold.h.
using Evaluator = std::function<Tensor(const Graph& expression, const Checkpoint& checkpoint)>;

/// The dtype that most bytes of the checkpoint have.
DType main_dtype(const Checkpoint& checkpoint);

/// Hands out weights one at a time, so that a backend packs one before the next is made.
class Weights {
 public:
  Weights(std::shared_ptr<const Checkpoint> checkpoint, std::map<std::string, Graph> expressions, Evaluator evaluate);

  /// The weight as stored, or the value of its expression (f32).
  StoredTensor stored(const std::string& name) const;
  /// The weight where it lies, in the checkpoint's map or memory; nothing when it is an expression's value or
  /// its elements do not lie one after the other. The map is
  /// touched by whoever reads it; see MappedFile.
  std::optional<Tensor> in_place(const std::string& name) const;
  /// The weight as f32 in memory.
  Tensor f32(const std::string& name) const;

  const std::shared_ptr<const Checkpoint>& checkpoint() const { return checkpoint_; }
  const std::map<std::string, Graph>& expressions() const { return expressions_; }

 private:
  std::shared_ptr<const Checkpoint> checkpoint_;
  std::map<std::string, Graph> expressions_;
  Evaluator evaluate_;
};

}  // namespace gamut
