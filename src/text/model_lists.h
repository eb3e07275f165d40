// The long lists of a tokenizer.json, read without a JSON value for each of their items.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/huge_memory.h"

namespace gamut::text {

/// model.vocab and model.merges as they stand in a file. Views of the file's text, or of `unescaped`.
struct ModelLists {
  HugeVector<std::pair<std::string_view, int64_t>> tokens;           ///< of a vocabulary that is an object
  HugeVector<std::pair<std::string_view, double>> pieces;            ///< of one that is a list
  HugeVector<std::pair<std::string_view, std::string_view>> merges;  ///< of either form
  bool has_tokens = false, has_pieces = false, has_merges = false;
  std::deque<std::string> unescaped;
};

/// A tokenizer.json without its long lists, each an empty one instead.
struct SplitFile {
  std::string rest;
  ModelLists lists;
};

/// Takes the lists out of the text of a tokenizer.json. Nothing when anything in or around them is not as it should be:
/// the strict parser has the message for it. Takes time and memory as the text has bytes.
std::optional<SplitFile> split_file(std::string_view text);

}  // namespace gamut::text
