// Pre-tokenizers: cutting normalized text into the words that the model sees one at a time.
#pragma once

#include <variant>
#include <vector>

#include "text/aligned_text.h"

namespace gamut::text {

/// Words end at whitespace, which is dropped, and around each punctuation character, which is a word of its own.
struct BertPreTokenizer {};

/// Every pre-tokenizer that can run; a sequence is a vector of them, each cutting the words of the one before.
using PreTokenizer = std::variant<BertPreTokenizer>;

/// Writes the words of `text` to `words`, empty ones left out. `scratch` is memory kept between calls.
void pre_tokenize(const std::vector<PreTokenizer>& pre_tokenizers, std::string_view text, std::vector<ByteSpan>& words,
                  std::vector<ByteSpan>& scratch);

}  // namespace gamut::text
