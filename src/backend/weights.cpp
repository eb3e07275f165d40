#include "backend/weights.h"

#include "checkpoint/convert.h"
#include "graph/op_schema.h"

namespace gamut {

Weights::Weights(std::shared_ptr<const Checkpoint> checkpoint, std::map<std::string, Graph> expressions,
                 Evaluator evaluate)
    : checkpoint_(std::move(checkpoint)), expressions_(std::move(expressions)), evaluate_(std::move(evaluate)) {}

Tensor Weights::stored(const std::string& name) const {
  auto expression = expressions_.find(name);
  return expression == expressions_.end() ? checkpoint_->tensor(name) : evaluate_(expression->second, *checkpoint_);
}

Tensor Weights::f32(const std::string& name) const { return to_f32(stored(name)); }

void Weights::release(const std::string& name) const {
  auto expression = expressions_.find(name);
  if (expression == expressions_.end()) return checkpoint_->release(name);
  for (const Node& node : expression->second.nodes()) {
    if (node.op == &kWeight) checkpoint_->release(node.attributes.s("name"));
  }
}

}  // namespace gamut
