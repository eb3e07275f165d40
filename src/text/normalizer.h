// Normalizers: what happens to text before it is cut into words.
#pragma once

#include <array>
#include <variant>
#include <vector>

#include "text/aligned_text.h"

namespace gamut::text {

/// BERT's cleaning: control characters out, whitespace to ' ', spaces around Chinese characters, accents off,
/// lowercase.
struct BertNormalizer {
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool strip_accents = true;
  bool lowercase = true;
};

/// Every normalizer that can run; a sequence is a vector of them.
using Normalizer = std::variant<BertNormalizer>;

/// Memory that normalizing needs, kept between calls.
struct NormalizerScratch {
  /// A character that canonical reordering may still move.
  struct Pending {
    char32_t c;
    uint8_t combining;
    bool nonspacing;
    bool inserted;  ///< a further character of a decomposition: it takes the origin of the one before
  };
  std::vector<Pending> pending;
  std::vector<uint32_t> origins;  ///< of the pending characters that are not inserted, in the order of the text
  AlignedText other;
};

/// Writes the normalized form of `in` to `out`, through all of `normalizers` in order.
void normalize(const std::vector<Normalizer>& normalizers, TextView in, NormalizerScratch& scratch, AlignedText& out);

}  // namespace gamut::text
