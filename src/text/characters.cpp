#include "text/characters.h"

#include <utility>

#include "text/utf8.h"

namespace gamut::text {
namespace {

constexpr char32_t kFirstSurrogate = 0xD800, kBehindSurrogates = 0xE000;

std::string spelled(char32_t c) {
  char buffer[4];
  return {buffer, static_cast<size_t>(encode_utf8(c, buffer))};
}

/// Where a code point stands in the text of all of them.
size_t place_of(char32_t c) {
  if (c < 0x80) return c;
  if (c < 0x800) return 0x80 + size_t{2} * (c - 0x80);
  constexpr size_t kThree = 0x80 + 2 * (0x800 - 0x80), kFour = kThree + 3 * (0x10000 - 0x800 - 0x800);
  if (c >= 0x10000) return kFour + size_t{4} * (c - 0x10000);
  return kThree + size_t{3} * (c - 0x800 - (c < kBehindSurrogates ? 0 : 0x800));
}

}  // namespace

Characters::Characters(Unit unit, const std::vector<std::string>& head)
    : unit_(unit), offset_(static_cast<int64_t>(head.size())) {
  if (unit == Unit::kByte) {
    std::vector<std::pair<std::string, int64_t>> tokens;
    for (char32_t byte = 0; byte < 256; ++byte) tokens.emplace_back(spelled(byte), offset_ + byte);
    for (size_t i = 0; i < head.size(); ++i) tokens.emplace_back(head[i], static_cast<int64_t>(i));
    vocabulary_ = Vocabulary(tokens, "bytes");
    return;
  }
  code_points_.reserve(place_of(0x110000));
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c < kFirstSurrogate || c >= kBehindSurrogates) code_points_ += spelled(c);
  }
}

std::optional<int64_t> Characters::id(std::string_view token) const {
  if (unit_ == Unit::kByte) return vocabulary_.id(token);
  if (token.empty() || count_characters(token) != 1) return std::nullopt;
  const char* p = token.data();
  return decode_utf8(p);
}

std::optional<std::string_view> Characters::token(int64_t id) const {
  if (unit_ == Unit::kByte) return vocabulary_.token(id);
  if (id < 0 || id >= 0x110000 || (id >= kFirstSurrogate && id < kBehindSurrogates)) return std::nullopt;
  const auto c = static_cast<char32_t>(id);
  return std::string_view(code_points_).substr(place_of(c), spelled(c).size());
}

void Characters::tokenize(std::string_view text, ByteSpan span, WordTokens& tokens) const {
  const char* p = text.data() + span.begin;
  for (size_t at = span.begin, end; at < span.end; at = end) {
    const char32_t c = decode_utf8(p);
    end = static_cast<size_t>(p - text.data());
    if (unit_ == Unit::kCodePoint) {
      tokens.push_back({c, {at, end}});
      continue;
    }
    for (size_t i = at; i < end; ++i) tokens.push_back({offset_ + static_cast<uint8_t>(text[i]), {i, i + 1}});
  }
}

}  // namespace gamut::text
