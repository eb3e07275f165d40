// The files that sentence-transformers adds to a checkpoint: which modules follow the model and how they pool.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gamut {

/// How sentences become vectors, as modules.json and its companions say.
struct SentenceTransformer {
  /// Poolings whose results are joined, in the order of sentence-transformers: "cls", "max", "mean", "mean_sqrt",
  /// "lasttoken".
  std::vector<std::string> poolings{"mean"};
  bool normalize = false;
  /// `max_seq_length` of sentence_bert_config.json.
  std::optional<int64_t> max_length;
  /// Text that goes in front of every sentence (the default prompt of config_sentence_transformers.json).
  std::string prompt;
  /// "cosine", "dot", "euclidean" or "manhattan".
  std::string similarity = "cosine";
};

/// Reads modules.json and the files it names. A folder without modules.json gives the default, mean pooling, as
/// sentence-transformers does. Throws Error{kInvalidFile} for wrong content, modules without a Pooling included (those
/// make no sentence embedding there either), and Error{kUnsupported} for a module or a pooling that gamut does not
/// have.
SentenceTransformer read_sentence_transformer(const std::filesystem::path& folder);

}  // namespace gamut
