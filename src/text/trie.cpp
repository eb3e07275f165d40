#include "text/trie.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

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
    const size_t start = std::max({low, newest, bytes[0] + size_t{1}});  // base 0 would let the root be its own child
    size_t first = start, free = 0;
    for (;; ++first) {
      first = next_free(first);
      ++free;
      const size_t base = first - bytes[0];
      const bool fits =
          std::all_of(bytes.begin() + 1, bytes.begin() + count, [&](uint8_t byte) { return !is_taken(base + byte); });
      if (fits) break;
    }
    const size_t base = first - bytes[0], seen = first - start + 1;
    // Cells below are nearly all taken: later searches start here.
    if (first >= low && (seen - free) * 20 >= seen * 19) low = first;
    if (cells.size() <= base + 256) cells.resize(base + 257);
    cells[node].base = static_cast<uint32_t>(base);
    for (size_t i = 0; i < count; ++i) {
      const size_t at = base + bytes[i];
      cells[at].parent = node;
      taken[at / 64] |= uint64_t{1} << at % 64;
    }
    end = std::max(end, base + bytes[count - 1] + 1);
    return static_cast<uint32_t>(base);
  }

  bool is_taken(size_t at) const { return at / 64 < taken.size() && taken[at / 64] >> at % 64 & 1; }

  /// The first cell from `at` on that nobody has; `taken` then has room for those of its node.
  size_t next_free(size_t at) {
    for (;;) {
      if (taken.size() < at / 64 + 6) taken.resize(std::max(taken.size() * 2, at / 64 + 6));
      const uint64_t free = ~taken[at / 64] >> at % 64;
      if (free != 0) return at + static_cast<size_t>(std::countr_zero(free));
      at = (at / 64 + 1) * 64;
    }
  }

  HugeVector<Cell>& cells;
  std::array<uint8_t, 256> bytes;
  std::array<size_t, 256> starts;
  size_t count = 0;
  std::vector<uint64_t> taken;  ///< a bit for each cell that has a parent
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
