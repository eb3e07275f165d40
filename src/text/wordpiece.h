// The WordPiece model: a word becomes the longest known pieces from left to right, or one unknown token.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/huge_memory.h"
#include "text/aligned_text.h"
#include "text/vocabulary.h"

namespace gamut::text {

/// A token of a word: its id and the bytes of the text that it covers.
struct WordToken {
  int64_t id;
  ByteSpan span;
  bool as_text = false;  ///< reads as the text, not as the vocabulary spells the id
  /// The span counts from the word and goes beyond its end, as bytes of a prefix or suffix do that stand for
  /// themselves.
  bool beyond = false;
};
/// Words may be megabytes: memory that the system clears page by page would cost more than the words.
using WordTokens = HugeVector<WordToken>;

class WordPiece {
 public:
  struct Options {
    std::string unk_token = "[UNK]";
    std::string continuing_subword_prefix = "##";
    size_t max_input_chars_per_word = 100;
  };

  WordPiece(Vocabulary vocabulary, Options options);

  const Vocabulary& vocabulary() const { return vocabulary_; }
  std::optional<int64_t> unk_id() const { return unk_id_; }
  const std::string& unk_token() const { return options_.unk_token; }

  /// Appends the tokens of the word at `span` of `text`. Throws Error{kInvalidFile} when the word is unknown and the
  /// vocabulary has no unknown token. Work is linear in the word for a given vocabulary.
  void tokenize(std::string_view text, ByteSpan span, WordTokens& tokens) const;

 private:
  int64_t unknown_id() const;

  Vocabulary vocabulary_;
  Trie trie_;
  Options options_;
  std::optional<int64_t> unk_id_;
  Trie::Node continuing_;  ///< where the pieces that continue a word start, or kNone
};

}  // namespace gamut::text
