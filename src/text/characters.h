// The models without a vocabulary file: every byte or every character of a text is a token.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocabulary.h"
#include "text/wordpiece.h"

namespace gamut::text {

class Characters {
 public:
  enum class Unit { kByte, kCodePoint };

  /// Bytes have the ids behind those of `head`; code points are their own ids, and have no head.
  Characters(Unit unit, const std::vector<std::string>& head);

  const std::string& unk_token() const { return unk_token_; }
  size_t size() const { return unit_ == Unit::kByte ? vocabulary_.size() : size_t{0x110000}; }
  /// Of a token; a byte is spelled as the character of Latin-1.
  std::optional<int64_t> id(std::string_view token) const;
  std::optional<std::string_view> token(int64_t id) const;

  /// Appends the tokens of the word at `span` of `text`.
  void tokenize(std::string_view text, ByteSpan span, WordTokens& tokens) const;

 private:
  Unit unit_;
  int64_t offset_;
  std::string unk_token_;
  Vocabulary vocabulary_;    ///< of bytes
  std::string code_points_;  ///< all of them one behind another, surrogates as nothing
};

}  // namespace gamut::text
