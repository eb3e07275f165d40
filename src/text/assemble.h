// From the tokens of a text and its pair to encodings: truncation, special tokens, padding.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gamut/tokenizer.h"
#include "text/post_processor.h"

namespace gamut::text {

/// A token before it has its place in an encoding. Most tokens read as the vocabulary spells their id; an added token
/// reads as it stands in the text, whitespace it took included.
struct Token {
  static constexpr uint32_t kSpelledById = UINT32_MAX;
  int64_t id;
  uint32_t begin, end;               ///< characters of the original text
  uint32_t spelling = kSpelledById;  ///< else an index into TokenSequence::spellings
};

struct TokenSequence {
  std::vector<Token> tokens;
  std::vector<std::string> spellings;

  /// Empties it for a text of `text_bytes`.
  void clear(size_t text_bytes);
  /// Appends an added token with its spelling. Those that take the whitespace behind them may overlap, and a long run
  /// of blanks that are such tokens would take the square of its length: throws Error{kResourceLimit} before that.
  void add(int64_t id, uint32_t begin, uint32_t end, std::string_view spelling);

 private:
  size_t spelling_bytes_left_ = 0;
};

/// Gives the spelling of an id.
class TokenSpeller {
 public:
  virtual ~TokenSpeller() = default;
  virtual std::string_view spell(int64_t id) const = 0;
};

/// Truncates, applies the post-processor and pads a single encoding. `second` is null for a single text.
/// Throws Error{kInvalidArgument} when the truncation is impossible, Error{kResourceLimit} when what overflows would
/// take more than a few gigabytes.
Encoding assemble(const TokenSequence& first, const TokenSequence* second, const PostProcessor& processor,
                  const EncodeOptions& options, const TokenSpeller& speller);

/// Pads all of a batch, and what overflowed, to one length. Throws Error{kResourceLimit} for more tokens than fit into
/// memory.
void pad_batch(std::vector<Encoding>& encodings, const Padding& padding, bool ids_only);

}  // namespace gamut::text
