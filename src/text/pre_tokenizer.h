// Pre-tokenizers: cutting normalized text into the words that the model sees one at a time.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "text/aligned_text.h"
#include "text/pattern.h"

namespace gamut::text {

/// What becomes of the matches of a pattern and of the text between them.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

/// Words end at whitespace, which is dropped, and around each punctuation character, which is a word of its own.
struct BertPreTokenizer {};

/// Bytes spelled in the byte alphabet, words cut as GPT-2 cuts them.
struct ByteLevelPreTokenizer {
  bool add_prefix_space = true;
  bool use_regex = true;
};

struct SplitPreTokenizer {
  Pattern pattern;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;  ///< the text between the matches is what counts
};

/// Spaces become `replacement`, which also starts a text.
struct MetaspacePreTokenizer {
  enum class Prepend { kNever, kFirst, kAlways };
  std::string replacement = "\xE2\x96\x81";
  Prepend prepend = Prepend::kAlways;
  bool split = true;
};

/// The pre-tokenizers that look at the class of single characters.
struct ClassPreTokenizer {
  enum class Class { kDigits, kPunctuation, kSpace };
  Class characters = Class::kDigits;
  SplitBehavior behavior = SplitBehavior::kIsolated;
};

/// Words, runs of other characters, no whitespace.
struct WhitespacePreTokenizer {};
struct UnicodeScripts {};
struct FixedLength {
  size_t length = 5;  ///< in characters
};

/// Every pre-tokenizer that can run; a sequence is a vector of them, each cutting the words of the one before.
using PreTokenizer = std::variant<BertPreTokenizer, ByteLevelPreTokenizer, SplitPreTokenizer, MetaspacePreTokenizer,
                                  ClassPreTokenizer, WhitespacePreTokenizer, UnicodeScripts, FixedLength>;

/// Memory kept between calls.
struct PreTokenizerScratch {
  std::vector<ByteSpan> other, matches;
  AlignedText texts[2];
};

/// Writes the words of `in`, which has origins, to `words`, empty ones left out, and returns the text that they are
/// parts of. With `raw_bytes` a last ByteLevelPreTokenizer leaves the bytes as they are.
TextView pre_tokenize(const std::vector<PreTokenizer>& pre_tokenizers, TextView in, bool raw_bytes,
                      std::vector<ByteSpan>& words, PreTokenizerScratch& scratch);

/// Appends the parts of `word` that `behavior` leaves; `matches` are places in it.
void split_at(ByteSpan word, const std::vector<ByteSpan>& matches, SplitBehavior behavior, bool invert,
              std::vector<ByteSpan>& words);

}  // namespace gamut::text
