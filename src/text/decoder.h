// Decoders: tokens back to text.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gamut::text {

/// Tokens joined by single spaces: what happens without a decoder.
struct JoinDecoder {};

/// Pieces that continue a word lose their prefix, the others start after a space; `cleanup` closes the spaces that
/// tokenization leaves before punctuation and English contractions.
struct WordPieceDecoder {
  std::string prefix = "##";
  bool cleanup = true;
};

/// Every decoder that can run.
using Decoder = std::variant<JoinDecoder, WordPieceDecoder>;

std::string decode_tokens(const Decoder& decoder, const std::vector<std::string_view>& tokens);

}  // namespace gamut::text
