#include "text/trie.h"

#include <algorithm>
#include <array>

namespace gamut::text {

/// Places the nodes of the sorted entries, parents before children.
struct Trie::Builder {
  /// A placed node whose children are not: they are the next bytes of entries [begin, end), whose keys share `depth`
  /// bytes.
  struct Open {
    Node node;
    size_t begin, end, depth;
  };

  /// Cells that the search for a node's place may look at.
  static constexpr size_t kSearched = 2048;

  explicit Builder(HugeVector<Cell>& target) : cells(target) {}

  void run(std::span<const Entry> entries) {
    cells.reserve(entries.size() * 4 + 512);
    std::vector<Open> open;
    if (!entries.empty()) open.push_back({kRoot, 0, entries.size(), 0});
    while (!open.empty()) {
      Open at = open.back();
      open.pop_back();
      if (entries[at.begin].key.size() == at.depth) cells[at.node].value = entries[at.begin++].value;
      if (at.begin == at.end) continue;
      collect(entries, at);
      const uint32_t base = place(at.node);
      for (size_t i = 0; i < count; ++i) {
        open.push_back({base + bytes[i], starts[i], i + 1 < count ? starts[i + 1] : at.end, at.depth + 1});
      }
    }
  }

  /// Fills `bytes` with the distinct next bytes, and `starts` with the first entry of each.
  void collect(std::span<const Entry> entries, const Open& at) {
    count = 0;
    for (size_t i = at.begin; i < at.end; ++i) {
      const auto byte = static_cast<uint8_t>(entries[i].key[at.depth]);
      if (count > 0 && bytes[count - 1] == byte) continue;
      bytes[count] = byte;
      starts[count++] = i;
    }
  }

  /// Finds a base where all children fit and takes their cells.
  uint32_t place(Node node) {
    // Keys can be chosen so that no node fits the holes that others leave: the search looks at the newest cells only.
    const size_t newest = end > kSearched ? end - kSearched : 0;
    size_t first = std::max({low, newest, bytes[0] + size_t{1}});  // base 0 would let the root be its own child
    size_t seen = 0, taken = 0;
    for (;; ++first) {
      grow(first + 256);
      ++seen;
      if (cells[first].parent != kNone) {
        ++taken;
        continue;
      }
      const size_t base = first - bytes[0];
      const bool fits = std::all_of(bytes.begin() + 1, bytes.begin() + count,
                                    [&](uint8_t byte) { return cells[base + byte].parent == kNone; });
      if (!fits) continue;
      // Cells below are nearly all taken: later searches start here.
      if (first >= low && taken * 20 >= seen * 19) low = first;
      cells[node].base = static_cast<uint32_t>(base);
      for (size_t i = 0; i < count; ++i) cells[base + bytes[i]].parent = node;
      end = std::max(end, base + bytes[count - 1] + 1);
      return static_cast<uint32_t>(base);
    }
  }

  void grow(size_t size) {
    if (cells.size() <= size) cells.resize(size + 1);
  }

  HugeVector<Cell>& cells;
  std::array<uint8_t, 256> bytes;
  std::array<size_t, 256> starts;
  size_t count = 0;
  size_t low = 1;
  size_t end = 1;  ///< behind the last cell that is taken
};

Trie::Trie(std::span<const Entry> entries) {
  Builder(cells_).run(entries);
  // step() may look 255 cells beyond any base.
  uint32_t highest = 0;
  for (const Cell& cell : cells_) highest = std::max(highest, cell.base);
  cells_.resize(std::max<size_t>(cells_.size(), highest + 257u));
}

Trie::Node Trie::walk(Node node, std::string_view bytes) const {
  for (size_t i = 0; i < bytes.size() && node != kNone; ++i) node = step(node, bytes[i]);
  return node;
}

int32_t Trie::find(std::string_view key) const {
  const Node node = walk(kRoot, key);
  return node == kNone ? kNoValue : value(node);
}

Trie::Match Trie::longest_prefix(Node node, std::string_view bytes) const {
  Match match;
  for (size_t i = 0; i < bytes.size(); ++i) {
    node = step(node, bytes[i]);
    if (node == kNone) break;
    if (value(node) != kNoValue) match = {i + 1, value(node)};
  }
  return match;
}

}  // namespace gamut::text
