// The tokens of a model: text to id and id to text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/trie.h"

namespace gamut::text {

class Vocabulary {
 public:
  Vocabulary() = default;
  /// Takes (token, id) pairs in any order; of a token given twice the last id counts. `source` names them in messages.
  /// Throws Error{kInvalidFile} for an id below 0 or far above the number of tokens.
  Vocabulary(std::vector<std::pair<std::string, int64_t>> tokens, const std::string& source);

  /// Count of distinct tokens.
  size_t size() const { return size_; }
  std::optional<int64_t> id(std::string_view token) const;
  /// The token, or nothing for an id that has none.
  std::optional<std::string_view> token(int64_t id) const;
  const Trie& trie() const { return trie_; }

 private:
  /// Where a token stands in pool_; an id without a token has length kNoToken.
  struct Place {
    uint32_t offset = 0;
    uint32_t length = kNoToken;
  };
  static constexpr uint32_t kNoToken = UINT32_MAX;

  std::string pool_;
  std::vector<Place> places_;
  size_t size_ = 0;
  Trie trie_;
};

}  // namespace gamut::text
