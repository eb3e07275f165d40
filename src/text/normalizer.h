// Normalizers: what happens to text before it is cut into words.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/huge_memory.h"
#include "text/aligned_text.h"
#include "text/char_map.h"
#include "text/pattern.h"

namespace gamut::text {

/// BERT's cleaning: control characters out, whitespace to ' ', spaces around Chinese characters, accents off,
/// lowercase.
struct BertNormalizer {
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool strip_accents = true;
  bool lowercase = true;
};

/// One of the four Unicode normalization forms.
struct UnicodeForm {
  bool compatible = false;  ///< NFKC, NFKD
  bool composed = true;     ///< NFC, NFKC
};

struct ReplaceNormalizer {
  Pattern pattern;
  std::string content;
};

/// Puts a text in front of one that is not empty.
struct PrependNormalizer {
  std::string prepend;
};

/// Whitespace off the ends.
struct StripNormalizer {
  bool left = true, right = true;
};

/// The normalizers without options.
enum class SimpleNormalizer { kLowercase, kNmt, kStripAccents, kByteLevel };

/// The map of characters and short clusters that SentencePiece compiles.
struct PrecompiledNormalizer {
  std::shared_ptr<const CharMap> map;
};

/// Every normalizer that can run; a sequence is a vector of them.
using Normalizer = std::variant<BertNormalizer, UnicodeForm, ReplaceNormalizer, PrependNormalizer, StripNormalizer,
                                SimpleNormalizer, PrecompiledNormalizer>;

/// A character of a new text: 0 when it replaces the next one of the old text, 1 when it is inserted, -n when it
/// replaces one and the n behind it go.
struct Change {
  char32_t c;
  int64_t change;
};

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
  std::vector<ByteSpan> matches;
  HugeVector<Change> changes;
};

/// Writes a changed text with the origins that the `tokenizers` package gives it: an inserted character has that of the
/// one before its place in the old text.
class ChangeWriter {
 public:
  ChangeWriter(TextView in, AlignedText& out) : in_(in), out_(out), counted_(in.first) {}
  void write(Change change);
  /// Replaces a character by itself.
  void keep(char32_t c) { write({c, 0}); }
  /// Passes over `count` characters of the old text.
  void remove(int64_t count);

 private:
  void step();

  TextView in_;
  AlignedText& out_;
  size_t at_ = 0;
  uint32_t counted_;
  uint32_t before_ = kNoOrigin;  ///< the origin of the character before at_
};

/// The steps behind normalize().
void apply_normalizer(const BertNormalizer& normalizer, TextView in, NormalizerScratch& scratch, AlignedText& out);
void apply_normalizer(const UnicodeForm& normalizer, TextView in, NormalizerScratch& scratch, AlignedText& out);
void apply_normalizer(const ReplaceNormalizer& normalizer, TextView in, NormalizerScratch& scratch, AlignedText& out);
void apply_normalizer(const PrependNormalizer& normalizer, TextView in, NormalizerScratch& scratch, AlignedText& out);
void apply_normalizer(const StripNormalizer& normalizer, TextView in, NormalizerScratch& scratch, AlignedText& out);
void apply_normalizer(const SimpleNormalizer& normalizer, TextView in, NormalizerScratch& scratch, AlignedText& out);
void apply_normalizer(const PrecompiledNormalizer& normalizer, TextView in, NormalizerScratch& scratch,
                      AlignedText& out);

/// Writes a text as it is, with its origins written out.
void copy_text(TextView in, AlignedText& out);

/// Writes the normalized form of `in` to `out`, through all of `normalizers` in order.
void normalize(const std::vector<Normalizer>& normalizers, TextView in, NormalizerScratch& scratch, AlignedText& out);

}  // namespace gamut::text
