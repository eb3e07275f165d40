// Added tokens: the strings that are found in a text before the model sees the rest.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/aligned_text.h"
#include "text/trie.h"

namespace gamut::text {

/// As in tokenizer.json.
struct AddedToken {
  std::string content;
  int64_t id = 0;
  bool single_word = false;  ///< only where no word character touches it
  bool lstrip = false;       ///< takes the whitespace to its left
  bool rstrip = false;       ///< takes the whitespace to its right
  bool normalized = true;    ///< looked for in normalized text, in its own normalized form
  bool special = false;      ///< left out by decode
};

/// A part of a text: an added token, or text between them (`token` null).
struct TextSegment {
  ByteSpan span;
  const AddedToken* token = nullptr;
};

/// Finds a set of added tokens: leftmost first, of several that start at one place the longest.
class AddedTokenMatcher {
 public:
  /// A token and the string to look for. Of equal patterns the first counts; empty ones are never found.
  struct Pattern {
    std::string text;
    const AddedToken* token;
  };

  AddedTokenMatcher() = default;
  /// The tokens must outlive the matcher.
  explicit AddedTokenMatcher(std::vector<Pattern> patterns);

  bool empty() const { return tokens_.empty(); }
  /// Cuts `text` into `segments`, which cover it in order.
  void split(std::string_view text, std::vector<TextSegment>& segments) const;

 private:
  std::vector<const AddedToken*> tokens_;
  Trie trie_;  ///< pattern -> index into tokens_
  std::array<bool, 256> starts_{};
};

}  // namespace gamut::text
