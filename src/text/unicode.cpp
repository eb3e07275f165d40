#include "text/unicode.h"

#include <cstddef>

namespace gamut::text {
namespace {

#include "text/unicode_tables.inc"

constexpr size_t kBlock = 128;

/// The value of `c` in a table of blocks of kBlock characters, found through an index of blocks.
template <typename Index, typename Blocks>
auto look_up(const Index& index, const Blocks& blocks, char32_t c) {
  return blocks[index[c / kBlock] * kBlock + c % kBlock];
}

/// The entry of a pool of [length, characters...] that starts at `at`.
template <typename Pool>
std::span<const char32_t> entry(const Pool& pool, size_t at) {
  return {pool + at + 1, pool[at]};
}

}  // namespace

const CharClass& char_class(char32_t c) { return kClasses[look_up(kClassIndex, kClassBlocks, c)]; }

std::span<const char32_t> decomposition(char32_t c) {
  return entry(kDecompositionPool, look_up(kDecompositionIndex, kDecompositionBlocks, c));
}

std::span<const char32_t> lowercase(char32_t c) {
  return entry(kLowercasePool, look_up(kLowercaseIndex, kLowercaseBlocks, c));
}

int decompose_hangul(char32_t c, char32_t out[3]) {
  constexpr char32_t kFirst = 0xAC00, kLast = 0xD7A3, kLead = 0x1100, kVowel = 0x1161, kTrail = 0x11A7;
  constexpr char32_t kTrails = 28, kPerLead = 21 * kTrails;
  if (c < kFirst || c > kLast) return 0;
  const char32_t i = c - kFirst;
  out[0] = kLead + i / kPerLead;
  out[1] = kVowel + i % kPerLead / kTrails;
  out[2] = kTrail + i % kTrails;
  return i % kTrails == 0 ? 2 : 3;
}

}  // namespace gamut::text
