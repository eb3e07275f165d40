// The regular expressions of the best-known tokenizers, written as scanners.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "text/aligned_text.h"

namespace gamut::text {

enum class WordPattern {
  kGpt2,    ///< contractions, and runs of letters, numbers and others, each with a space before it
  kClip,    ///< contractions, runs of letters, single numbers, runs of others; no whitespace
  kLlama3,  ///< cl100k: letters with any one character before them, numbers by three, line ends apart
  kQwen2,   ///< as kLlama3, numbers one by one
};

/// The scanner of a pattern's text, where there is one.
std::optional<WordPattern> known_pattern(std::string_view pattern);

/// Appends all matches in `text` from left to right.
void find_words(WordPattern pattern, std::string_view text, std::vector<ByteSpan>& matches);

}  // namespace gamut::text
