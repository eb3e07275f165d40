#include "text/pre_tokenizer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "text/byte_alphabet.h"
#include "text/category.h"
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

/// The words of one word, for pre-tokenizers that change no text.
void apply(const SplitPreTokenizer& p, std::string_view text, ByteSpan word, PreTokenizerScratch& scratch,
           std::vector<ByteSpan>& words) {
  scratch.matches.clear();
  find_all(p.pattern, text.substr(word.begin, word.end - word.begin), scratch.matches);
  for (ByteSpan& match : scratch.matches) match.begin += word.begin, match.end += word.begin;
  split_at(word, scratch.matches, p.behavior, p.invert, words);
}

/// Calls visit(character, begin, end) for each character of `word`.
template <typename Visit>
void each_character(std::string_view text, ByteSpan word, Visit visit) {
  for (const char* p = text.data() + word.begin; p < text.data() + word.end;) {
    const auto begin = static_cast<size_t>(p - text.data());
    const char32_t c = decode_utf8(p);
    visit(c, begin, static_cast<size_t>(p - text.data()));
  }
}

void apply(const ClassPreTokenizer& p, std::string_view text, ByteSpan word, PreTokenizerScratch& scratch,
           std::vector<ByteSpan>& words) {
  using Class = ClassPreTokenizer::Class;
  const uint16_t flag = p.characters == Class::kDigits        ? kNumeric
                        : p.characters == Class::kPunctuation ? kPunctuation
                                                              : kWhitespace;
  scratch.matches.clear();
  each_character(text, word, [&](char32_t c, size_t begin, size_t end) {
    if (char_class(c).flags & flag) scratch.matches.push_back({begin, end});
  });
  split_at(word, scratch.matches, p.behavior, false, words);
}

/// Cuts where the class of characters changes; those of class 0 are dropped.
void apply(const WhitespacePreTokenizer&, std::string_view text, ByteSpan word, PreTokenizerScratch&,
           std::vector<ByteSpan>& words) {
  int last = 0;
  each_character(text, word, [&](char32_t c, size_t begin, size_t end) {
    const uint16_t flags = char_class(c).flags;
    const int kind = flags & kWhitespace ? 0 : flags & kWordCharacter ? 1 : 2;
    if (kind != 0 && kind == last) {
      words.back().end = end;
    } else if (kind != 0) {
      words.push_back({begin, end});
    }
    last = kind;
  });
}

void apply(const UnicodeScripts&, std::string_view text, ByteSpan word, PreTokenizerScratch&,
           std::vector<ByteSpan>& words) {
  // What stands before the first character of a script is dropped, as the oracle drops it.
  int last = -1;
  size_t start = word.end;
  each_character(text, word, [&](char32_t c, size_t begin, size_t) {
    const int now = script(c);
    if (now == 0 || now == last) return;
    if (start < begin) words.push_back({start, begin});
    start = begin;
    last = now;
  });
  if (start < word.end) words.push_back({start, word.end});
}

void apply(const FixedLength& p, std::string_view text, ByteSpan word, PreTokenizerScratch&,
           std::vector<ByteSpan>& words) {
  size_t count = 0;
  each_character(text, word, [&](char32_t, size_t begin, size_t end) {
    if (count++ % p.length == 0) words.push_back({begin, end});
    words.back().end = end;
  });
}

void apply(const BertPreTokenizer& p, std::string_view text, ByteSpan word, PreTokenizerScratch&,
           std::vector<ByteSpan>& words) {
  apply(p, text, word, words);
}

/// One pass over all words, with the text that the next pass reads.
class Pass {
 public:
  Pass(TextView in, bool raw_bytes, PreTokenizerScratch& scratch, AlignedText& out, std::vector<ByteSpan>& words)
      : in_(in), raw_bytes_(raw_bytes), scratch_(scratch), out_(out), words_(words) {}

  template <typename P>
  TextView operator()(const P& p) {
    for (ByteSpan word : scratch_.other) apply(p, in_.text, word, scratch_, words_);
    return in_;
  }

  TextView operator()(const MetaspacePreTokenizer& p) {
    out_.clear();
    for (ByteSpan word : scratch_.other) {
      const ByteSpan written = write_metaspace(p, word);
      if (!p.split) {
        words_.push_back(written);
        continue;
      }
      scratch_.matches.clear();
      find_all(Pattern(p.replacement), out_.text().substr(written.begin), scratch_.matches);
      for (ByteSpan& match : scratch_.matches) match.begin += written.begin, match.end += written.begin;
      split_at(written, scratch_.matches, SplitBehavior::kMergedWithNext, false, words_);
    }
    return out_.view({0, out_.size()});
  }

  TextView operator()(const ByteLevelPreTokenizer& p) {
    const bool rewrites = !raw_bytes_ || (p.add_prefix_space && lacks_space());
    if (!rewrites) {
      for (ByteSpan word : scratch_.other) cut(p, in_.text, word, words_);
      return in_;
    }
    out_.clear();
    std::vector<ByteSpan> spaced;
    for (ByteSpan word : scratch_.other) {
      const size_t begin = out_.size();
      const std::string_view text = in_.text.substr(word.begin, word.end - word.begin);
      if (p.add_prefix_space && text.front() != ' ') out_.append(" ", in_.origin[word.begin]);
      out_.append(text, in_.origin + word.begin);
      spaced.push_back({begin, out_.size()});
    }
    if (raw_bytes_) {
      for (ByteSpan word : spaced) cut(p, out_.text(), word, words_);
      return out_.view({0, out_.size()});
    }
    return spell(p, spaced);
  }

 private:
  bool lacks_space() const {
    for (ByteSpan word : scratch_.other) {
      if (in_.text[word.begin] != ' ') return true;
    }
    return false;
  }

  static void cut(const ByteLevelPreTokenizer& p, std::string_view text, ByteSpan word, std::vector<ByteSpan>& words) {
    if (!p.use_regex) return words.push_back(word);
    const size_t before = words.size();
    find_words(WordPattern::kGpt2, text.substr(word.begin, word.end - word.begin), words);
    for (size_t i = before; i < words.size(); ++i) words[i].begin += word.begin, words[i].end += word.begin;
  }

  /// Spells the bytes of out_ in the alphabet, word by word.
  TextView spell(const ByteLevelPreTokenizer& p, const std::vector<ByteSpan>& spaced) {
    std::vector<ByteSpan> cuts;
    for (ByteSpan word : spaced) cut(p, out_.text(), word, cuts);
    AlignedText spelled;
    for (ByteSpan word : cuts) {
      const size_t begin = spelled.size();
      for (size_t i = word.begin; i < word.end; ++i) {
        spelled.push(kByteCharacters[static_cast<uint8_t>(out_.text()[i])], out_.origin()[i]);
      }
      words_.push_back({begin, spelled.size()});
    }
    out_ = std::move(spelled);
    return out_.view({0, out_.size()});
  }

  ByteSpan write_metaspace(const MetaspacePreTokenizer& p, ByteSpan word) {
    using Prepend = MetaspacePreTokenizer::Prepend;
    const std::string_view text = in_.text.substr(word.begin, word.end - word.begin);
    const uint32_t first = in_.origin[word.begin];
    const bool starts = text.front() == ' ' || text.substr(0, p.replacement.size()) == p.replacement;
    const bool asked = p.prepend == Prepend::kAlways || (p.prepend == Prepend::kFirst && origin_begin(first) == 0);
    const size_t begin = out_.size();
    if (asked && !starts) out_.append(p.replacement, first);
    for (size_t i = 0; i < text.size();) {
      const size_t end = std::min(text.find(' ', i), text.size());
      out_.append(text.substr(i, end - i), in_.origin + word.begin + i);
      if (end < text.size()) out_.append(p.replacement, in_.origin[word.begin + end]);
      i = end + 1;
    }
    return {begin, out_.size()};
  }

  TextView in_;
  bool raw_bytes_;
  PreTokenizerScratch& scratch_;
  AlignedText& out_;
  std::vector<ByteSpan>& words_;
};

}  // namespace

void split_at(ByteSpan word, const std::vector<ByteSpan>& matches, SplitBehavior behavior, bool invert,
              std::vector<ByteSpan>& words) {
  const size_t first = words.size();
  bool previous = false;
  const bool forward = behavior != SplitBehavior::kMergedWithNext;
  auto add = [&](ByteSpan part, bool is_match) {
    is_match = is_match != invert;
    const bool joins = words.size() > first &&
                       (behavior == SplitBehavior::kContiguous ? is_match == previous
                        : behavior == SplitBehavior::kMergedWithPrevious || behavior == SplitBehavior::kMergedWithNext
                            ? is_match && !previous
                            : false);
    previous = is_match;
    if (behavior == SplitBehavior::kRemoved && is_match) return;
    if (joins && forward) {
      words.back().end = part.end;
    } else if (joins) {
      words.back().begin = part.begin;
    } else {
      words.push_back(part);
    }
  };
  if (forward) {
    size_t done = word.begin;
    for (ByteSpan match : matches) {
      if (done < match.begin) add({done, match.begin}, false);
      add(match, true);
      done = match.end;
    }
    if (done < word.end) add({done, word.end}, false);
  } else {
    size_t done = word.end;
    for (size_t i = matches.size(); i-- > 0;) {
      if (matches[i].end < done) add({matches[i].end, done}, false);
      add(matches[i], true);
      done = matches[i].begin;
    }
    if (word.begin < done) add({word.begin, done}, false);
    std::reverse(words.begin() + static_cast<std::ptrdiff_t>(first), words.end());
  }
  words.erase(std::remove_if(words.begin() + static_cast<std::ptrdiff_t>(first), words.end(),
                             [](ByteSpan part) { return part.begin == part.end; }),
              words.end());
}

TextView pre_tokenize(const std::vector<PreTokenizer>& pre_tokenizers, TextView in, bool raw_bytes,
                      std::vector<ByteSpan>& words, PreTokenizerScratch& scratch) {
  words.clear();
  if (!in.text.empty()) words.push_back({0, in.text.size()});
  size_t next_text = 0;
  for (size_t i = 0; i < pre_tokenizers.size(); ++i) {
    std::swap(words, scratch.other);
    words.clear();
    AlignedText& out = scratch.texts[next_text];
    const TextView read = in;
    in = std::visit(Pass(in, raw_bytes && i + 1 == pre_tokenizers.size(), scratch, out, words), pre_tokenizers[i]);
    if (in.text.data() != read.text.data()) next_text = 1 - next_text;
  }
  return in;
}

}  // namespace gamut::text
