// A byte trie over a set of strings (double array): exact and longest-prefix look-up in one pass over the bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/huge_memory.h"

namespace gamut::text {

class Trie {
 public:
  struct Entry {
    std::string_view key;
    int32_t value;  ///< not negative
  };
  using Node = uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNone = UINT32_MAX;
  static constexpr int32_t kNoValue = -1;

  Trie() = default;
  /// Builds from entries sorted by key (bytewise), each key once.
  explicit Trie(std::span<const Entry> entries);

  /// The node that `byte` leads to, or kNone.
  Node step(Node node, char byte) const {
    const Node next = cells_[node].base + static_cast<uint8_t>(byte);
    return cells_[next].parent == node ? next : kNone;
  }
  /// The node that all of `bytes` lead to from `node`, or kNone.
  Node walk(Node node, std::string_view bytes) const;
  /// The value of the key that ends at this node, or kNoValue.
  int32_t value(Node node) const { return cells_[node].value; }
  /// The value of `key`, or kNoValue.
  int32_t find(std::string_view key) const;

  struct Match {
    size_t length = 0;
    int32_t value = kNoValue;
  };
  /// The longest non-empty prefix of `bytes` that is a key below `node`; value kNoValue when there is none.
  Match longest_prefix(Node node, std::string_view bytes) const;

 private:
  /// Children of a node n stand at cells_[n.base + byte] and name n as their parent.
  struct Cell {
    uint32_t base = 0;
    Node parent = kNone;
    int32_t value = kNoValue;
  };
  struct Builder;

  HugeVector<Cell> cells_ = HugeVector<Cell>(257);
};

}  // namespace gamut::text
