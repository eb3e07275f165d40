#include "layers/scope.h"

namespace gamut {

Value Scope::weight(const std::string& name) const {
  const TensorEntry& entry = names_->require((*this / name).path_);
  return graph_->weight(entry.name, entry.dtype, entry.dims);
}

Value Scope::weight_if(const std::string& name) const {
  const TensorEntry* entry = names_->find((*this / name).path_);
  return entry == nullptr ? Value{} : graph_->weight(entry->name, entry->dtype, entry->dims);
}

}  // namespace gamut
