// The tokens of a model: text to id and id to text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/huge_memory.h"
#include "text/short_bytes.h"
#include "text/trie.h"

namespace gamut::text {

class Vocabulary {
 public:
  using Entry = std::pair<std::string_view, int64_t>;

  Vocabulary() = default;
  /// Takes (token, id) pairs in any order; of a token given twice the last id counts. `source` names them in messages.
  /// Throws Error{kInvalidFile} for an id below 0 or far above the number of tokens.
  Vocabulary(std::span<const Entry> tokens, const std::string& source);
  Vocabulary(const std::vector<std::pair<std::string, int64_t>>& tokens, const std::string& source);

  /// Count of distinct tokens.
  size_t size() const { return tokens_.size(); }
  std::optional<int64_t> id(std::string_view token) const;
  /// The ids of many tokens, -1 for those that are none: faster than one by one, as the look-ups overlap.
  void ids(std::span<const std::string_view> tokens, std::span<int64_t> ids) const;
  /// The token, or nothing for an id that has none.
  std::optional<std::string_view> token(int64_t id) const;
  /// Whether the token of this id is `left` and `right`: less work than to look the two up together.
  bool is_joined(int64_t id, std::string_view left, std::string_view right) const;
  /// All tokens, for look-up byte by byte.
  Trie make_trie() const;

 private:
  /// A token: where it stands in pool_, and its id.
  struct Token {
    uint32_t offset, length, id;
  };
  /// A place of the hash table: the upper half of a token's hash, and its index in tokens_.
  struct Slot {
    uint32_t check = 0;
    uint32_t index = kNoToken;
  };
  static constexpr uint32_t kNoToken = UINT32_MAX;

  void add(std::string_view token, uint64_t hash, uint32_t id);
  int64_t find(std::string_view token, uint64_t hash) const;
  void prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]); }
  std::string_view text_of(const Token& token) const { return {pool_.data() + token.offset, token.length}; }
  bool holds(const Slot& slot, std::string_view token, uint64_t hash) const {
    return slot.check == hash >> 32 && same_bytes(text_of(tokens_[slot.index]), token);
  }

  std::string pool_;
  HugeVector<Token> tokens_;
  std::vector<uint32_t> by_id_;  ///< index in tokens_; two tokens may have one id, which then reads as the later
  HugeVector<Slot> slots_ = HugeVector<Slot>(1);  ///< open addressing, a power of two
};

}  // namespace gamut::text
