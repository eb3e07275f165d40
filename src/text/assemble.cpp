#include "text/assemble.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "text/aligned_text.h"
#include "text/byte_alphabet.h"
#include "text/unicode.h"

namespace gamut::text {
namespace {

/// The parts that truncation cuts a sequence into; the first is the one that stays.
using Windows = std::vector<ByteSpan>;

Windows cut(size_t length, size_t most, const Truncation& truncation) {
  if (most >= length) return {{0, length}};
  if (most == 0) return {{0, 0}, {0, length}};
  if (truncation.stride >= most) {
    fail(ErrorCode::kInvalidArgument,
         "truncation: stride {} does not fit windows of {} tokens (max_length {} less special tokens and the other "
         "text)",
         truncation.stride, most, truncation.max_length);
  }
  const size_t step = most - truncation.stride;
  Windows windows;
  if (truncation.direction == TextSide::kRight) {
    for (size_t begin = 0;; begin += step) {
      windows.push_back({begin, std::min(begin + most, length)});
      if (windows.back().end == length) return windows;
    }
  }
  for (size_t end = length;; end -= step) {
    windows.push_back({end - std::min(end, most), end});
    if (windows.back().begin == 0) return windows;
  }
}

/// How many tokens of each text stay under longest_first: the shorter text keeps its length while it can.
std::pair<size_t, size_t> share(size_t first, size_t second, size_t room) {
  size_t shorter = std::min(first, second);
  size_t longer = shorter > room ? shorter : std::max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = room / 2;
    longer = shorter + room % 2;
  }
  return first > second ? std::pair(longer, shorter) : std::pair(shorter, longer);
}

struct Cuts {
  Windows first, second;
};

/// Truncation as the `tokenizers` package does it: max_length counts the inserted tokens, and when they alone exceed it
/// nothing is cut.
Cuts truncate(size_t first, size_t second, bool is_pair, size_t inserted, const std::optional<Truncation>& truncation) {
  Cuts whole{{{0, first}}, {{0, second}}};
  if (!truncation || truncation->max_length < inserted) return whole;
  const size_t room = truncation->max_length - inserted;
  if (first + second <= room && room > 0) return whole;
  if (room == 0) {
    Cuts cuts{cut(first, 0, *truncation), cut(second, 0, *truncation)};
    return cuts;
  }
  const size_t excess = first + second - room;
  auto remaining = [&](size_t length) {
    if (length > excess) return length - excess;
    fail(ErrorCode::kInvalidArgument, "truncation: a text of {} tokens cannot give up {} to reach max_length {}",
         length, excess, truncation->max_length);
  };
  switch (truncation->strategy) {
    case TruncationStrategy::kOnlyFirst: return {cut(first, remaining(first), *truncation), whole.second};
    case TruncationStrategy::kOnlySecond:
      if (!is_pair) fail(ErrorCode::kInvalidArgument, "truncation: only_second needs a pair, got one text");
      return {whole.first, cut(second, remaining(second), *truncation)};
    case TruncationStrategy::kLongestFirst: break;
  }
  if (!is_pair) return {cut(first, room, *truncation), whole.second};
  const auto [keep_first, keep_second] = share(first, second, room);
  return {cut(first, keep_first, *truncation), cut(second, keep_second, *truncation)};
}

/// Which window each part of the template shows (0 for inserted tokens).
using Combination = std::vector<uint32_t>;

size_t windows_of(const TemplatePart& part, const Cuts& cuts) {
  switch (part.kind) {
    case TemplatePart::Kind::kFirst: return cuts.first.size();
    case TemplatePart::Kind::kSecond: return cuts.second.size();
    case TemplatePart::Kind::kSpecial: break;
  }
  return 1;
}

/// What one text may become, the windows that truncation cuts off and padding included: 1 GiB of ids, 3 GiB with
/// spellings.
constexpr size_t kMostTokens = 1u << 25;

/// All combinations of windows in the order of the `tokenizers` package, which merges the parts one after another:
/// every overflowing merge with every window of the next part, then the main merge with the part's overflowing windows.
std::vector<Combination> combine(const Template& parts, const Cuts& cuts) {
  constexpr size_t kMostCombinations = 1u << 20;
  std::vector<Combination> merged{{}};
  for (const TemplatePart& part : parts) {
    const size_t windows = windows_of(part, cuts);
    if (merged.size() * windows > kMostCombinations) {
      fail(ErrorCode::kResourceLimit, "truncation: {} overflowing encodings, at most {} expected",
           merged.size() * windows, kMostCombinations);
    }
    std::vector<Combination> next;
    next.reserve(merged.size() * windows);
    auto add = [&](const Combination& before, size_t window) {
      next.push_back(before);
      next.back().push_back(static_cast<uint32_t>(window));
    };
    add(merged[0], 0);
    for (size_t i = 1; i < merged.size(); ++i) {
      for (size_t window = 0; window < windows; ++window) add(merged[i], window);
    }
    for (size_t window = 1; window < windows; ++window) add(merged[0], window);
    merged = std::move(next);
  }
  return merged;
}

size_t count_tokens(const Template& parts, const Cuts& cuts, const Combination& windows) {
  size_t count = inserted_tokens(parts);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].kind == TemplatePart::Kind::kSpecial) continue;
    const ByteSpan window = (parts[i].kind == TemplatePart::Kind::kFirst ? cuts.first : cuts.second)[windows[i]];
    count += window.end - window.begin;
  }
  return count;
}

/// Windows that overlap much are many times their text.
void check_total(const Template& parts, const Cuts& cuts, const std::vector<Combination>& combinations) {
  if (combinations.size() == 1) return;
  size_t total = 0;
  for (const Combination& windows : combinations) total += count_tokens(parts, cuts, windows);
  if (total > kMostTokens) {
    fail(ErrorCode::kResourceLimit, "truncation: {} overflowing encodings of {} tokens together, at most {} expected",
         combinations.size() - 1, total, kMostTokens);
  }
}

/// A space of the byte alphabet or whitespace.
bool is_blank(char32_t c) { return c == kByteCharacters[' '] || (char_class(c).flags & kWhitespace); }

/// Counted in characters of the token's spelling, as the `tokenizers` package counts.
void trim_offsets(std::string_view token, bool is_first, const OffsetTrim& trim, CharRange& range) {
  int64_t leading = 0, trailing = 0;
  for (const char* p = token.data(); p < token.data() + token.size() && is_blank(decode_utf8(p));) ++leading;
  for (size_t end = token.size(); end > 0; ++trailing) {
    do --end;
    while (end > 0 && is_utf8_tail(token[end]));
    const char* p = token.data() + end;
    if (!is_blank(decode_utf8(p))) break;
  }
  if (leading > 0) {
    // A first space alone may be one that the pre-tokenizer put there.
    if ((is_first || range.begin == 0) && trim.add_prefix_space && leading == 1) leading = 0;
    range.begin = std::min(range.begin + leading, range.end);
  }
  if (trailing > 0 && range.end >= trailing) range.end = std::max(range.end - trailing, range.begin);
}

/// Builds encodings of one call.
class Writer {
 public:
  Writer(const TokenSequence& first, const TokenSequence* second, const EncodeOptions& options,
         const TokenSpeller& speller, const PostProcessor& processor)
      : first_(first), second_(second), options_(options), speller_(speller), processor_(processor) {}

  Encoding write(const Template& parts, const Cuts& cuts, const Combination& windows) const {
    Encoding out;
    reserve(out, parts, cuts, windows);
    for (size_t i = 0; i < parts.size(); ++i) {
      const TemplatePart& part = parts[i];
      if (part.kind == TemplatePart::Kind::kSpecial) {
        if (options_.add_special_tokens) insert(out, part);
      } else {
        const bool is_first = part.kind == TemplatePart::Kind::kFirst;
        const bool keeps_type = processor_.windows_keep_types && windows[i] > 0;
        append(out, is_first ? first_ : *second_, (is_first ? cuts.first : cuts.second)[windows[i]],
               !keeps_type ? part.type_id
               : is_first  ? 0
                           : 1);
      }
    }
    return out;
  }

 private:
  void reserve(Encoding& out, const Template& parts, const Cuts& cuts, const Combination& windows) const {
    const size_t count = count_tokens(parts, cuts, windows);
    for (auto* column : {&out.ids, &out.type_ids, &out.attention_mask, &out.special_tokens_mask})
      column->reserve(count);
    if (options_.ids_only) return;
    out.tokens.reserve(count);
    out.offsets.reserve(count);
  }

  static void push(Encoding& out, int64_t id, int64_t type_id, int64_t special) {
    out.ids.push_back(id);
    out.type_ids.push_back(type_id);
    out.attention_mask.push_back(1);
    out.special_tokens_mask.push_back(special);
  }

  void insert(Encoding& out, const TemplatePart& part) const {
    for (size_t i = 0; i < part.ids.size(); ++i) {
      push(out, part.ids[i], part.type_id, 1);
      if (options_.ids_only) continue;
      out.tokens.push_back(part.tokens[i]);
      out.offsets.push_back({0, 0});
    }
  }

  void append(Encoding& out, const TokenSequence& sequence, ByteSpan window, int64_t type_id) const {
    for (size_t i = window.begin; i < window.end; ++i) {
      const Token& token = sequence.tokens[i];
      push(out, token.id, type_id, 0);
      if (options_.ids_only) continue;
      const bool by_id = token.spelling == Token::kSpelledById;
      out.tokens.emplace_back(by_id ? speller_.spell(token.id) : std::string_view(sequence.spellings[token.spelling]));
      out.offsets.push_back({token.begin, token.end});
      for (const OffsetTrim& trim : processor_.trims)
        trim_offsets(out.tokens.back(), i == window.begin, trim, out.offsets.back());
    }
  }

  const TokenSequence& first_;
  const TokenSequence* second_;
  const EncodeOptions& options_;
  const TokenSpeller& speller_;
  const PostProcessor& processor_;
};

void pad_to(Encoding& encoding, size_t length, const Padding& padding, bool ids_only) {
  for (Encoding& part : encoding.overflowing) pad_to(part, length, padding, ids_only);
  if (encoding.ids.size() >= length) return;
  const size_t missing = length - encoding.ids.size();
  auto fill = [&](auto& column, const auto& value) {
    column.insert(padding.direction == TextSide::kLeft ? column.begin() : column.end(), missing, value);
  };
  if (!ids_only) fill(encoding.tokens, padding.token);
  if (!ids_only) fill(encoding.offsets, CharRange{});
  fill(encoding.ids, padding.id);
  fill(encoding.type_ids, padding.type_id);
  fill(encoding.attention_mask, int64_t{0});
  fill(encoding.special_tokens_mask, int64_t{1});
}

}  // namespace

void TokenSequence::clear(size_t text_bytes) {
  constexpr size_t kOverlap = size_t{64} << 20;
  tokens.clear();
  spellings.clear();
  spelling_bytes_left_ = text_bytes + kOverlap;
}

void TokenSequence::add(int64_t id, uint32_t begin, uint32_t end, std::string_view spelling) {
  if (spelling.size() > spelling_bytes_left_) {
    fail(ErrorCode::kResourceLimit,
         "characters {} to {}: added tokens that take the whitespace behind them overlap by more than 64 MiB", begin,
         end);
  }
  spelling_bytes_left_ -= spelling.size();
  tokens.push_back({id, begin, end, static_cast<uint32_t>(spellings.size())});
  spellings.emplace_back(spelling);
}

Encoding assemble(const TokenSequence& first, const TokenSequence* second, const PostProcessor& processor,
                  const EncodeOptions& options, const TokenSpeller& speller) {
  const Template& parts = template_for(processor, second != nullptr);
  const size_t inserted = options.add_special_tokens ? inserted_tokens(parts) : 0;
  const Cuts cuts = truncate(first.tokens.size(), second ? second->tokens.size() : 0, second != nullptr, inserted,
                             options.truncation);
  const std::vector<Combination> combinations = combine(parts, cuts);
  check_total(parts, cuts, combinations);
  const Writer writer(first, second, options, speller, processor);
  Encoding encoding = writer.write(parts, cuts, combinations[0]);
  encoding.overflowing.reserve(combinations.size() - 1);
  for (size_t i = 1; i < combinations.size(); ++i) {
    encoding.overflowing.push_back(writer.write(parts, cuts, combinations[i]));
  }
  return encoding;
}

void pad_batch(std::vector<Encoding>& encodings, const Padding& padding, bool ids_only) {
  size_t length = padding.length.value_or(0);
  if (!padding.length) {
    for (const Encoding& encoding : encodings) length = std::max(length, encoding.ids.size());
  }
  const size_t multiple = padding.multiple_of.value_or(0);
  const size_t missing = multiple > 0 && length % multiple > 0 ? multiple - length % multiple : 0;
  size_t count = 0;
  for (const Encoding& encoding : encodings) count += 1 + encoding.overflowing.size();
  // Most batches hold few texts of few tokens; what they need is checked before any of it is taken.
  if (length > kMostTokens || missing > kMostTokens || (length + missing) > kMostTokens / std::max<size_t>(1, count)) {
    fail(ErrorCode::kResourceLimit,
         "padding: {} encodings of {} tokens (a multiple of {}), at most {} tokens expected together", count, length,
         multiple, kMostTokens);
  }
  length += missing;
  for (Encoding& encoding : encodings) pad_to(encoding, length, padding, ids_only);
}

}  // namespace gamut::text
