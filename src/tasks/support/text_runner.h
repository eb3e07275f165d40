// Texts to results: tokenizes, forms batches, runs them, and hands each text's results out.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "gamut/tokenizer.h"
#include "runtime/session.h"
#include "tasks/support/model_folder.h"

namespace gamut {

/// A tokenizer and a session that belong together. May be used from several threads at once.
class TextRunner {
 public:
  /// `max_length` in tokens, special ones included; nothing: what the model takes.
  TextRunner(const ModelFolder& folder, Session session, std::optional<int64_t> max_length);

  const Tokenizer& tokenizer() const { return tokenizer_; }
  const Session& session() const { return session_; }
  /// The longest row in tokens; 0: unlimited.
  int64_t max_length() const { return max_length_; }

  /// Results of one text: per-token outputs [S,…], per-row outputs [1,…], views into the batch's tensors.
  using Consumer = std::function<void(size_t index, const Encoding& encoding, const NamedTensors& results)>;
  /// Runs all texts, `consume` in the order of the batches. Texts that are too long are cut when `truncate`, else
  /// Error{kInvalidArgument} that says which.
  void run(std::span<const std::string> texts, bool truncate, const Consumer& consume) const;

 private:
  std::vector<Encoding> encode(std::span<const std::string> texts, bool truncate) const;

  Tokenizer tokenizer_;
  Session session_;
  int64_t max_length_ = 0;
};

}  // namespace gamut
