#include "backend/weights.h"

#include <algorithm>

#include "checkpoint/convert.h"

namespace gamut {

DType main_dtype(const Checkpoint& checkpoint) {
  std::map<DType, uint64_t> bytes;
  for (const TensorEntry& entry : checkpoint.entries()) bytes[entry.dtype] += entry.bytes;
  const auto most = std::ranges::max_element(bytes, {}, [](const auto& each) { return each.second; });
  return most == bytes.end() ? DType::kF32 : most->first;
}

Weights::Weights(std::shared_ptr<const Checkpoint> checkpoint, std::map<std::string, Graph> expressions,
                 Evaluator evaluate)
    : checkpoint_(std::move(checkpoint)), expressions_(std::move(expressions)), evaluate_(std::move(evaluate)) {}

StoredTensor Weights::stored(const std::string& name) const {
  auto expression = expressions_.find(name);
  if (expression == expressions_.end()) return checkpoint_->stored(name);
  return StoredTensor(evaluate_(expression->second, *checkpoint_));
}

std::optional<Tensor> Weights::in_place(const std::string& name) const {
  if (expressions_.count(name) > 0) return std::nullopt;
  const TensorEntry* entry = checkpoint_->find(name);
  if (entry != nullptr && !entry->strides.empty()) return std::nullopt;
  return checkpoint_->tensor(name);
}

Tensor Weights::f32(const std::string& name) const { return to_f32(stored(name).load()); }

}  // namespace gamut
