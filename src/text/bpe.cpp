#include "text/bpe.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "base/error.h"
#include "base/excerpt.h"
#include "text/byte_alphabet.h"
#include "text/short_bytes.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

constexpr size_t kLongestRemembered = 48;
constexpr size_t kEntries = size_t{1} << 15;
constexpr size_t kShortWord = 40;

uint64_t mix(uint64_t x) {
  x *= 0x9E3779B97F4A7C15u;
  return x ^ x >> 29;
}

uint64_t hash_of(std::string_view word) {
  uint64_t hash = word.size();
  while (word.size() >= 8) {
    hash = mix(hash ^ load_bytes<uint64_t>(word.data()));
    word.remove_prefix(8);
  }
  return mix(hash ^ few_bytes(word.data(), word.size()));
}

constexpr uint64_t pair_of(uint32_t left, uint32_t right) { return uint64_t{left} << 32 | right; }

/// A word in the alphabet of its vocabulary.
std::string spelled(std::string_view bytes) {
  std::string out;
  for (char byte : bytes) {
    char buffer[4];
    out.append(buffer, static_cast<size_t>(encode_utf8(kByteCharacters[static_cast<uint8_t>(byte)], buffer)));
  }
  return out;
}

constexpr auto later = [](const BpeCandidate& a, const BpeCandidate& b) {
  return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
};

std::vector<std::pair<std::string_view, std::string_view>> views_of(const Bpe::Merges& merges) {
  return {merges.begin(), merges.end()};
}

}  // namespace

Bpe::Bpe(Vocabulary vocabulary, MergeViews merges, Options options, const std::string& source)
    : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
  merges_.resize(std::bit_ceil(merges.size() * 2 + 2));
  add_merges(merges, source);
  fill_byte_ids();
}

Bpe::Bpe(Vocabulary vocabulary, const Merges& merges, Options options, const std::string& source)
    : Bpe(std::move(vocabulary), views_of(merges), std::move(options), source) {}

void Bpe::add_merges(MergeViews merges, const std::string& source) {
  constexpr size_t kBlock = 64;
  std::vector<std::string> joined(kBlock);
  std::vector<std::string_view> tokens(3 * kBlock);
  std::vector<int64_t> ids(3 * kBlock);
  const size_t prefix = options_.continuing_subword_prefix.size();
  int64_t next = 0;  // trained vocabularies number the tokens in the order of the merges that make them
  for (size_t first = 0; first < merges.size(); first += kBlock) {
    const size_t count = std::min(kBlock, merges.size() - first);
    size_t unknown = 2 * count;  // behind the parts: joined tokens that are not the next one
    size_t places[kBlock];
    for (size_t i = 0; i < count; ++i) {
      const auto& [left, whole] = merges[first + i];
      const std::string_view right = whole.substr(std::min(prefix, whole.size()));
      tokens[2 * i] = left, tokens[2 * i + 1] = whole;
      const bool guessed = vocabulary_.is_joined(next + static_cast<int64_t>(i), left, right);
      places[i] = guessed ? 0 : unknown;
      if (!guessed) tokens[unknown++] = joined[i].assign(left).append(right);
    }
    vocabulary_.ids({tokens.data(), unknown}, ids);
    auto id = [&](size_t at, size_t i) {
      if (ids[at] >= 0) return static_cast<uint32_t>(ids[at]);
      fail(ErrorCode::kInvalidFile, "{}: merge {} needs token \"{}\", which the vocabulary lacks", source, first + i,
           excerpt(tokens[at]));
    };
    for (size_t i = 0; i < count; ++i) __builtin_prefetch(&merges_[place_of(pair_of(id(2 * i, i), id(2 * i + 1, i)))]);
    uint32_t merged = 0;
    for (size_t i = 0; i < count; ++i) {
      merged = places[i] == 0 ? static_cast<uint32_t>(next + static_cast<int64_t>(i)) : id(places[i], i);
      add_merge(id(2 * i, i), id(2 * i + 1, i), static_cast<uint32_t>(first + i), merged);
    }
    next = int64_t{merged} + 1;
  }
}

const std::string& Bpe::unk_token() const {
  static const std::string kNone;
  return options_.unk_token ? *options_.unk_token : kNone;
}

size_t Bpe::place_of(uint64_t pair) const { return mix(pair) >> 7 & (merges_.size() - 1); }

void Bpe::add_merge(uint32_t left, uint32_t right, uint32_t rank, uint32_t merged) {
  const uint64_t pair = pair_of(left, right);
  const size_t mask = merges_.size() - 1;
  size_t at = place_of(pair);
  while (merges_[at].pair != UINT64_MAX && merges_[at].pair != pair) at = (at + 1) & mask;
  merges_[at] = {pair, rank, merged};
}

const Bpe::Merge* Bpe::find_merge(uint32_t left, uint32_t right) const {
  const uint64_t pair = pair_of(left, right);
  const size_t mask = merges_.size() - 1;
  for (size_t at = place_of(pair); merges_[at].pair != UINT64_MAX; at = (at + 1) & mask) {
    if (merges_[at].pair == pair) return &merges_[at];
  }
  return nullptr;
}

void Bpe::fill_byte_ids() {
  for (size_t b = 0; b < 256; ++b) {
    const auto fallback = vocabulary_.id(fmt::format("<0x{:02X}>", b));
    fallback_ids_[b] = static_cast<int32_t>(fallback.value_or(-1));
    const auto byte = static_cast<char>(b);
    const bool single = options_.raw_bytes || b < 128;
    const std::string piece = options_.raw_bytes ? spelled({&byte, 1}) : std::string(1, byte);
    for (int variant = 0; variant < 4; ++variant) {
      const bool continues = variant & 1, last = variant & 2;
      const std::string token =
          (continues ? options_.continuing_subword_prefix : "") + piece + (last ? options_.end_of_word_suffix : "");
      byte_ids_[continues][last][b] = single ? static_cast<int32_t>(vocabulary_.id(token).value_or(-1)) : -1;
    }
  }
}

std::optional<uint32_t> Bpe::symbol_id(std::string_view piece, bool first, bool last) const {
  if (piece.size() == 1) {
    const int32_t id = byte_ids_[!first][last][static_cast<uint8_t>(piece[0])];
    return id < 0 ? std::nullopt : std::optional(static_cast<uint32_t>(id));
  }
  const std::string& prefix = options_.continuing_subword_prefix;
  const std::string& suffix = options_.end_of_word_suffix;
  const bool bare = (first || prefix.empty()) && (!last || suffix.empty());
  const auto id =
      bare ? vocabulary_.id(piece) : vocabulary_.id((first ? "" : prefix) + std::string(piece) + (last ? suffix : ""));
  return id ? std::optional(static_cast<uint32_t>(*id)) : std::nullopt;
}

uint32_t Bpe::unknown_id() const {
  if (const auto id = vocabulary_.id(*options_.unk_token)) return static_cast<uint32_t>(*id);
  fail(ErrorCode::kInvalidFile, "the vocabulary has no token \"{}\", which the model uses for unknown characters",
       *options_.unk_token);
}

bool Bpe::add_fallback(std::string_view piece, bool first, bool last, HugeVector<BpeSymbol>& symbols) const {
  if (!options_.byte_fallback) return false;
  const std::string bytes = (first ? "" : options_.continuing_subword_prefix) + std::string(piece) +
                            (last ? options_.end_of_word_suffix : "");
  for (char byte : bytes) {
    if (fallback_ids_[static_cast<uint8_t>(byte)] < 0) return false;
  }
  for (char byte : bytes) {
    symbols.push_back({static_cast<uint32_t>(fallback_ids_[static_cast<uint8_t>(byte)]), 1, 0, 0});
  }
  return true;
}

void Bpe::make_symbols(std::string_view word, HugeVector<BpeSymbol>& symbols) const {
  symbols.clear();
  BpeSymbol unknown{0, 0, 0, 0};  // the last unknown characters, not yet among the symbols
  auto flush = [&] {
    if (unknown.length > 0) symbols.push_back(unknown);
    unknown.length = 0;
  };
  for (size_t at = 0, end; at < word.size(); at = end) {
    end = at + 1;
    while (!options_.raw_bytes && end < word.size() && is_utf8_tail(word[end])) ++end;
    const std::string_view piece = word.substr(at, end - at);
    const bool first = at == 0, last = end == word.size();
    const auto length = static_cast<uint32_t>(piece.size());
    if (const auto id = symbol_id(piece, first, last)) {
      flush();
      symbols.push_back({*id, length, 0, 0});
    } else if (!add_fallback(piece, first, last, symbols) && options_.unk_token) {
      if (!options_.fuse_unk) flush();
      unknown = {unknown_id(), unknown.length + length, 0, 0};
    }
  }
  flush();
}

/// For words of few symbols: looks through the pairs for the first of the lowest rank until none merges.
void Bpe::merge_short(HugeVector<BpeSymbol>& symbols) const {
  constexpr uint32_t kNone = UINT32_MAX;
  uint32_t ranks[kShortWord], merged[kShortWord];
  size_t count = symbols.size();
  auto rate = [&](size_t i) {
    const Merge* merge = i + 1 < count ? find_merge(symbols[i].id, symbols[i + 1].id) : nullptr;
    ranks[i] = merge ? merge->rank : kNone;
    merged[i] = merge ? merge->merged : 0;
  };
  for (size_t i = 0; i < count; ++i) rate(i);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) best = ranks[i] < ranks[best] ? i : best;
    if (ranks[best] == kNone) break;
    symbols[best].id = merged[best];
    symbols[best].length += symbols[best + 1].length;
    for (size_t i = best + 1; i + 1 < count; ++i) {
      symbols[i] = symbols[i + 1];
      ranks[i] = ranks[i + 1];
      merged[i] = merged[i + 1];
    }
    --count;
    rate(best);
    if (best > 0) rate(best - 1);
  }
  symbols.resize(count);
}

void Bpe::push_candidate(const HugeVector<BpeSymbol>& symbols, int32_t left, HugeVector<BpeCandidate>& heap) const {
  if (left < 0) return;
  const BpeSymbol& a = symbols[static_cast<size_t>(left)];
  if (a.next < 0) return;
  const uint32_t right = symbols[static_cast<size_t>(a.next)].id;
  const Merge* merge = find_merge(a.id, right);
  if (merge == nullptr) return;
  heap.push_back({merge->rank, static_cast<uint32_t>(left), a.id, right, merge->merged});
  std::push_heap(heap.begin(), heap.end(), later);
}

void Bpe::merge_long(BpeWork& work) const {
  HugeVector<BpeSymbol>& symbols = work.symbols;
  const auto count = static_cast<int32_t>(symbols.size());
  for (int32_t i = 0; i < count; ++i) {
    symbols[static_cast<size_t>(i)].previous = i - 1;
    symbols[static_cast<size_t>(i)].next = i + 1 < count ? i + 1 : -1;
  }
  work.heap.clear();
  for (int32_t i = 0; i + 1 < count; ++i) push_candidate(symbols, i, work.heap);
  while (!work.heap.empty()) {
    std::pop_heap(work.heap.begin(), work.heap.end(), later);
    const BpeCandidate best = work.heap.back();
    work.heap.pop_back();
    BpeSymbol& left = symbols[best.position];
    if (left.length == 0 || left.id != best.left || left.next < 0) continue;
    BpeSymbol& right = symbols[static_cast<size_t>(left.next)];
    if (right.id != best.right) continue;
    left.id = best.merged;
    left.length += right.length;
    left.next = right.next;
    right.length = 0;
    if (left.next >= 0) symbols[static_cast<size_t>(left.next)].previous = static_cast<int32_t>(best.position);
    push_candidate(symbols, left.previous, work.heap);
    push_candidate(symbols, static_cast<int32_t>(best.position), work.heap);
  }
  std::erase_if(symbols, [](const BpeSymbol& s) { return s.length == 0; });
}

std::optional<int64_t> Bpe::whole_word(std::string_view word) const {
  return vocabulary_.id(options_.raw_bytes ? spelled(word) : std::string(word));
}

void Bpe::tokenize(std::string_view text, ByteSpan span, BpeWork& work, WordTokens& tokens) const {
  const std::string_view word = text.substr(span.begin, span.end - span.begin);
  const bool remembers = word.size() <= kLongestRemembered;
  if (work.entries.empty()) work.entries.resize(kEntries);
  const uint64_t hash = remembers ? hash_of(word) : 0;
  BpeWork::Entry& entry = work.entries[hash >> 5 & (kEntries - 1)];
  size_t at = span.begin;
  auto add = [&](uint32_t id, uint32_t length) {
    const size_t begin = at - span.begin, end = begin + length;
    if (end > word.size()) {
      tokens.push_back({id, {begin, end}, false, true});
    } else {
      tokens.push_back({id, {at, at + length}});
    }
    at += length;
  };
  if (remembers && entry.hash == hash && same_bytes({work.keys.data() + entry.key, entry.key_size}, word)) {
    for (uint32_t i = entry.first; i < entry.first + entry.count; ++i) add(work.tokens[i].first, work.tokens[i].second);
    return;
  }
  const auto whole = options_.ignore_merges ? whole_word(word) : std::nullopt;
  if (whole) {
    work.symbols.assign(1, {static_cast<uint32_t>(*whole), static_cast<uint32_t>(word.size()), 0, 0});
  } else {
    make_symbols(word, work.symbols);
    if (work.symbols.size() <= kShortWord) {
      merge_short(work.symbols);
    } else {
      merge_long(work);
    }
  }
  for (const BpeSymbol& symbol : work.symbols) add(symbol.id, symbol.length);
  if (!remembers) return;
  constexpr size_t kMostBytes = 4u << 20;
  if (work.keys.size() > kMostBytes || work.tokens.size() > kMostBytes) {
    work.entries.assign(kEntries, {});
    work.keys.clear();
    work.tokens.clear();
  }
  entry = {hash, static_cast<uint32_t>(work.keys.size()), static_cast<uint32_t>(word.size()),
           static_cast<uint32_t>(work.tokens.size()), static_cast<uint32_t>(work.symbols.size())};
  work.keys += word;
  for (const BpeSymbol& symbol : work.symbols) work.tokens.emplace_back(symbol.id, symbol.length);
}

}  // namespace gamut::text
