#include "text/pre_tokenizer.h"

#include <array>
#include <utility>

#include "text/unicode.h"

namespace gamut::text {
namespace {

enum class Role : uint8_t { kLetter, kSpace, kPunctuation };

Role role_of(char32_t c) {
  const uint16_t flags = char_class(c).flags;
  if (flags & kWhitespace) return Role::kSpace;
  return flags & kPunctuation ? Role::kPunctuation : Role::kLetter;
}

/// The roles of the ASCII characters, which most text consists of.
std::array<Role, 128> ascii_roles() {
  std::array<Role, 128> roles;
  for (char32_t c = 0; c < roles.size(); ++c) roles[c] = role_of(c);
  return roles;
}

void apply(const BertPreTokenizer&, std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) {
  static const std::array<Role, 128> kRoles = ascii_roles();
  const char* const base = text.data();
  const char* const end = base + word.end;
  size_t start = word.begin;
  for (const char* p = base + word.begin; p < end;) {
    const size_t at = static_cast<size_t>(p - base);
    const auto byte = static_cast<uint8_t>(*p);
    const Role role = byte < 0x80 ? (++p, kRoles[byte]) : role_of(decode_utf8(p));
    if (role == Role::kLetter) continue;
    if (start < at) words.push_back({start, at});
    start = static_cast<size_t>(p - base);
    if (role == Role::kPunctuation) words.push_back({at, start});
  }
  if (start < word.end) words.push_back({start, word.end});
}

}  // namespace

void pre_tokenize(const std::vector<PreTokenizer>& pre_tokenizers, std::string_view text, std::vector<ByteSpan>& words,
                  std::vector<ByteSpan>& scratch) {
  words.clear();
  if (!text.empty()) words.push_back({0, text.size()});
  for (const PreTokenizer& pre_tokenizer : pre_tokenizers) {
    std::swap(words, scratch);
    words.clear();
    for (ByteSpan word : scratch) std::visit([&](const auto& p) { apply(p, text, word, words); }, pre_tokenizer);
  }
}

}  // namespace gamut::text
