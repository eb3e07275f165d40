#include "text/word_patterns.h"

#include <array>

#include "text/category.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

enum Kind : uint8_t { kLetter, kNumber, kSpace, kOther };

Kind kind_of(char32_t c) {
  const uint32_t mask = category_mask(c);
  if (mask & kLetters) return kLetter;
  if (mask & kNumbers) return kNumber;
  return mask & kSpaces ? kSpace : kOther;
}

const std::array<Kind, 128>& ascii_kinds() {
  static const std::array<Kind, 128> kinds = [] {
    std::array<Kind, 128> all;
    for (char32_t c = 0; c < 128; ++c) all[c] = kind_of(c);
    return all;
  }();
  return kinds;
}

/// A text with a reading position.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : ascii_(ascii_kinds()), text_(text), end_(text.data() + text.size()) {}

  const char* begin() const { return text_.data(); }
  const char* end() const { return end_; }

  /// The kind of the character at `p`, which moves behind it.
  Kind next(const char*& p) const {
    const auto byte = static_cast<uint8_t>(*p);
    if (byte < 0x80) return ++p, ascii_[byte];
    return kind_of(decode_utf8(p));
  }

  /// The end of the run of `kind` at `p`, of at most `most` characters.
  const char* run(const char* p, Kind kind, size_t most = SIZE_MAX) const {
    for (const char* q = p; p < end_ && most > 0; p = q, --most) {
      if (next(q) != kind) break;
    }
    return p;
  }

  /// The end of 's, 't, 're, 've, 'm, 'll or 'd at `p`, or null.
  const char* contraction(const char* p, bool any_case) const {
    if (end_ - p < 2 || *p != '\'') return nullptr;
    auto lower = [&](char c) { return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    const char first = lower(p[1]);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return p + 2;
    // U+017F is an s in any case.
    if (any_case && end_ - p >= 3 && p[1] == '\xC5' && p[2] == '\xBF') return p + 3;
    if (end_ - p < 3) return nullptr;
    const char second = lower(p[2]);
    const bool two =
        (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l');
    return two ? p + 3 : nullptr;
  }

  /// The end of whitespace at `p` that is a match: all of it at the end of the text, else all but the last character,
  /// which belongs to what follows; one character alone is a match all the same.
  const char* blank(const char* p) const {
    const char* last = p;
    const char* q = p;
    while (q < end_) {
      const char* before = q;
      if (next(q) != kSpace) return last == p ? before : last;
      last = before;
    }
    return end_;
  }

 private:
  const std::array<Kind, 128>& ascii_;
  std::string_view text_;
  const char* end_;
};

bool is_line_end(char c) { return c == '\r' || c == '\n'; }

const char* gpt2_word(const Scanner& s, const char* p) {
  if (const char* end = s.contraction(p, false)) return end;
  const char* q = p;
  Kind kind = s.next(q);
  if (*p == ' ' && q < s.end()) {
    const char* after = q;
    const Kind following = s.next(after);
    if (following != kSpace) return s.run(after, following);
  }
  return kind == kSpace ? s.blank(p) : s.run(q, kind);
}

/// The end of \s*[\r\n]+ at `p`, or null: up to the last line end of the whitespace.
const char* line_ends(const Scanner& s, const char* p, const char* blank_end) {
  const char* last = nullptr;
  for (const char* q = p; q < blank_end; ++q) {
    if (is_line_end(*q)) last = q + 1;
  }
  (void)s;
  return last;
}

const char* llama_word(const Scanner& s, const char* p, size_t most_digits) {
  if (const char* end = s.contraction(p, true)) return end;
  const char* q = p;
  const Kind kind = s.next(q);
  if (kind == kLetter) return s.run(q, kLetter);
  if (kind == kNumber) return s.run(q, kNumber, most_digits - 1);
  if (!is_line_end(*p) && q < s.end()) {
    const char* after = q;
    if (s.next(after) == kLetter) return s.run(after, kLetter);
  }
  const char* others = kind == kOther ? p : *p == ' ' ? q : nullptr;
  if (others != nullptr) {
    const char* end = s.run(others, kOther);
    if (end > others) {
      while (end < s.end() && is_line_end(*end)) ++end;
      return end;
    }
  }
  const char* blank_end = s.run(p, kSpace);
  if (const char* end = line_ends(s, p, blank_end)) return end;
  return s.blank(p);
}

/// The end of a word of CLIP at `p`; `p` itself for whitespace.
const char* clip_word(const Scanner& s, const char* p) {
  static constexpr std::string_view kTokens[] = {"<|startoftext|>", "<|endoftext|>"};
  const std::string_view rest(p, static_cast<size_t>(s.end() - p));
  for (std::string_view token : kTokens) {
    if (rest.substr(0, token.size()) == token) return p + token.size();
  }
  if (const char* end = s.contraction(p, false)) return end;
  const char* q = p;
  const Kind kind = s.next(q);
  if (kind == kSpace) return p;
  return kind == kNumber ? q : s.run(q, kind);
}

const char* word_end(WordPattern pattern, const Scanner& s, const char* p) {
  switch (pattern) {
    case WordPattern::kGpt2: return gpt2_word(s, p);
    case WordPattern::kClip: return clip_word(s, p);
    case WordPattern::kLlama3: return llama_word(s, p, 3);
    case WordPattern::kQwen2: return llama_word(s, p, 1);
  }
  return s.end();
}

}  // namespace

std::optional<WordPattern> known_pattern(std::string_view pattern) {
  static constexpr std::pair<std::string_view, WordPattern> kPatterns[] = {
      {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", WordPattern::kGpt2},
      {R"(<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)",
       WordPattern::kClip},
      {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
       WordPattern::kLlama3},
      {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
       WordPattern::kQwen2},
  };
  for (const auto& [text, known] : kPatterns) {
    if (pattern == text) return known;
  }
  return std::nullopt;
}

void find_words(WordPattern pattern, std::string_view text, std::vector<ByteSpan>& matches) {
  const Scanner scanner(text);
  for (const char* p = scanner.begin(); p < scanner.end();) {
    const char* end = word_end(pattern, scanner, p);
    if (end == p) {
      scanner.next(p);
      continue;
    }
    matches.push_back({static_cast<size_t>(p - text.data()), static_cast<size_t>(end - text.data())});
    p = end;
  }
}

}  // namespace gamut::text
