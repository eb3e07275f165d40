// Sentences to vectors: what sentence-embedding and sentence-similarity share.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/sentence_transformer.h"
#include "tasks/support/text_runner.h"

namespace gamut {

/// A base model with the pooling of its folder. May be used from several threads at once.
class EmbeddingModel {
 public:
  EmbeddingModel(const ModelFolder& folder, const LoadOptions& options);

  int64_t dimension() const { return dimension_; }
  const std::string& similarity() const { return modules_.similarity; }
  /// One embedding per text, in order. Texts longer than the limit are cut, as sentence-transformers does, or an error
  /// where the caller asks not to.
  std::vector<std::vector<float>> embed(std::span<const std::string> texts, bool truncate = true) const;

 private:
  SentenceTransformer modules_;
  TextRunner runner_;
  int64_t dimension_ = 0;
};

}  // namespace gamut
