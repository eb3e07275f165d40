#include "text/added_tokens.h"

#include <algorithm>

#include "text/unicode.h"

namespace gamut::text {
namespace {

/// The flags of the character that ends at `end`.
uint16_t flags_before(std::string_view text, size_t end, size_t* begin) {
  size_t at = end - 1;
  while (at > 0 && is_utf8_tail(text[at])) --at;
  *begin = at;
  const char* p = text.data() + at;
  return char_class(decode_utf8(p)).flags;
}

/// The flags of the character that starts at `begin`.
uint16_t flags_after(std::string_view text, size_t begin, size_t* end) {
  const char* p = text.data() + begin;
  const char32_t c = decode_utf8(p);
  *end = static_cast<size_t>(p - text.data());
  return char_class(c).flags;
}

bool stands_alone(std::string_view text, ByteSpan match) {
  size_t other;
  if (match.begin > 0 && (flags_before(text, match.begin, &other) & kWordCharacter)) return false;
  return match.end == text.size() || !(flags_after(text, match.end, &other) & kWordCharacter);
}

/// Widens `match` over whitespace, to the left no further than `done`, where the match before ends. `blank` is the
/// whitespace that was last found behind a match: tokens inside it do not look through it again.
void widen(std::string_view text, const AddedToken& token, size_t done, ByteSpan& match, ByteSpan& blank) {
  size_t next;
  while (token.lstrip && match.begin > done && (flags_before(text, match.begin, &next) & kWhitespace)) {
    match.begin = next;
  }
  if (token.lstrip) match.begin = std::max(match.begin, done);
  if (!token.rstrip) return;
  if (match.end < blank.begin || match.end > blank.end) blank = {match.end, match.end};
  while (blank.end < text.size() && (flags_after(text, blank.end, &next) & kWhitespace)) blank.end = next;
  match.end = blank.end;
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<Pattern> patterns) {
  std::stable_sort(patterns.begin(), patterns.end(),
                   [](const Pattern& a, const Pattern& b) { return a.text < b.text; });
  std::vector<Trie::Entry> entries;
  for (size_t i = 0; i < patterns.size(); ++i) {
    const std::string& pattern = patterns[i].text;
    if (pattern.empty() || (i > 0 && patterns[i - 1].text == pattern)) continue;
    starts_[static_cast<uint8_t>(pattern[0])] = true;
    entries.push_back({pattern, static_cast<int32_t>(tokens_.size())});
    tokens_.push_back(patterns[i].token);
  }
  trie_ = Trie(entries);
}

void AddedTokenMatcher::split(std::string_view text, std::vector<TextSegment>& segments) const {
  segments.clear();
  ByteSpan blank;
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    if (!starts_[static_cast<uint8_t>(text[at])]) {
      ++at;
      continue;
    }
    const Trie::Match found = trie_.longest_prefix(Trie::kRoot, text.substr(at));
    if (found.value == Trie::kNoValue) {
      ++at;
      continue;
    }
    ByteSpan match{at, at + found.length};
    at = match.end;
    const AddedToken& token = *tokens_[static_cast<size_t>(found.value)];
    if (token.single_word && !stands_alone(text, match)) continue;
    widen(text, token, done, match, blank);
    // The match before may have taken the whitespace that this one starts with: the oracle lets the two overlap.
    if (match.begin >= match.end) continue;
    if (done < match.begin) segments.push_back({{done, match.begin}, nullptr});
    segments.push_back({match, &token});
    done = match.end;
  }
  if (done < text.size()) segments.push_back({{done, text.size()}, nullptr});
}

}  // namespace gamut::text
