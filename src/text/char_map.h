// SentencePiece's compiled character map: a Darts trie from short strings to their replacements.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gamut::text {

class CharMap {
 public:
  /// `bytes`: the size of the trie (32 bits), its units, then the replacements, each ended by a zero byte. Throws
  /// Error{kInvalidFile}, naming `where`, for anything else.
  CharMap(std::string_view bytes, const std::string& where);

  /// The replacement of the shortest key that `text` starts with, or nothing.
  std::optional<std::string_view> find(std::string_view text) const;

 private:
  std::vector<uint32_t> units_;
  std::string replacements_;
};

/// The end of the grapheme cluster (extended, of the Unicode version that the oracle has) that starts at `begin` of
/// valid UTF-8.
size_t grapheme_end(std::string_view text, size_t begin);

/// The bytes that base64 text stands for; nothing when it is wrong.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace gamut::text
