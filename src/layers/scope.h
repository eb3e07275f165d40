// A place in a model: the graph being recorded and the path of tensor names that ends here.
#pragma once

#include <string>

#include "graph/graph.h"
#include "layers/weight_names.h"

namespace gamut {

/// `root / "encoder" / "layer.0"` names the tensors below it. Cheap to copy.
class Scope {
 public:
  Scope(Graph& graph, WeightNames& names, std::string path = "")
      : graph_(&graph), names_(&names), path_(std::move(path)) {}

  friend Scope operator/(const Scope& scope, const std::string& name) {
    return Scope(*scope.graph_, *scope.names_, scope.path_.empty() ? name : scope.path_ + "." + name);
  }
  friend Scope operator/(const Scope& scope, int64_t index) { return scope / std::to_string(index); }

  Graph& graph() const { return *graph_; }
  WeightNames& names() const { return *names_; }
  const std::string& path() const { return path_; }

  /// The tensor `path.name`. Throws Error{kInvalidFile} when the checkpoint has none.
  Value weight(const std::string& name) const;
  /// The same, or absent.
  Value weight_if(const std::string& name) const;
  /// Whether the checkpoint has the tensor `path.name`.
  bool has(const std::string& name) const { return names_->has((*this / name).path_); }

 private:
  Graph* graph_;
  WeightNames* names_;
  std::string path_;
};

}  // namespace gamut
