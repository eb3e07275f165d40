// Patterns that tokenizer files state: plain strings, known word patterns, regular expressions.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/regex.h"
#include "text/word_patterns.h"

namespace gamut::text {

/// A plain string is not empty.
using Pattern = std::variant<std::string, WordPattern, Regex>;

/// Appends all matches in `text`, from left to right without overlap.
void find_all(const Pattern& pattern, std::string_view text, std::vector<ByteSpan>& matches);

}  // namespace gamut::text
