#include "text/vocabulary.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "base/excerpt.h"
#include "text/short_bytes.h"

namespace gamut::text {
namespace {

/// How many look-ups are under way at once: nearly each misses the caches.
constexpr size_t kAhead = 64;

/// The first eight bytes of a token as a number that sorts as they do.
uint64_t sort_key(std::string_view token) {
  uint64_t key = 0;
  std::memcpy(&key, token.data(), std::min<size_t>(token.size(), 8));
  return std::endian::native == std::endian::little ? __builtin_bswap64(key) : key;
}

using SortKey = std::pair<uint64_t, uint32_t>;

/// Sorts by the keys, some bits at a time from the last.
void sort_by_key(HugeVector<SortKey>& keys) {
  constexpr int kBits = 11;
  constexpr size_t kDigits = size_t{1} << kBits;
  HugeVector<SortKey> other(keys.size());
  for (int shift = 0; shift < 64; shift += kBits) {
    auto digit = [shift](const SortKey& key) { return key.first >> shift & (kDigits - 1); };
    std::array<uint32_t, kDigits + 1> begins{};
    for (const SortKey& key : keys) ++begins[digit(key) + 1];
    std::partial_sum(begins.begin(), begins.end(), begins.begin());
    for (const SortKey& key : keys) other[begins[digit(key)]++] = key;
    keys.swap(other);
  }
}

uint64_t hash_of(std::string_view token) {
  uint64_t hash = token.size() * 0x9E3779B97F4A7C15u;
  auto mix = [&](uint64_t part) {
    hash = (hash ^ part) * 0xBF58476D1CE4E5B9u;
    hash ^= hash >> 31;
  };
  while (token.size() > 8) {
    mix(load_bytes<uint64_t>(token.data()));
    token.remove_prefix(8);
  }
  mix(few_bytes(token.data(), token.size()));
  return hash * 0x94D049BB133111EBu ^ hash >> 29;
}

std::vector<Vocabulary::Entry> views_of(const std::vector<std::pair<std::string, int64_t>>& tokens) {
  return {tokens.begin(), tokens.end()};
}

}  // namespace

Vocabulary::Vocabulary(std::span<const Entry> tokens, const std::string& source) {
  // A table over ids must not become large because of one wild number.
  const int64_t limit = static_cast<int64_t>(tokens.size()) * 64 + 65536;
  size_t bytes = 0;
  int64_t highest = -1;
  for (const auto& [token, id] : tokens) {
    if (id < 0 || id >= limit) {
      fail(ErrorCode::kInvalidFile, "{}: token \"{}\" has id {}; expected 0 to {} for {} tokens", source,
           excerpt(token, 200), id, limit - 1, tokens.size());
    }
    bytes += token.size();
    highest = std::max(highest, id);
  }
  if (bytes >= kNoToken) fail(ErrorCode::kResourceLimit, "{}: more than 4 GiB of tokens", source);
  pool_.reserve(bytes);
  tokens_.reserve(tokens.size());
  by_id_.assign(static_cast<size_t>(highest + 1), kNoToken);
  slots_.assign(std::bit_ceil(tokens.size() * 3 / 2 + 2), {});
  uint64_t hashes[kAhead];
  for (size_t i = 0; i < tokens.size() + kAhead; ++i) {
    if (i >= kAhead)
      add(tokens[i - kAhead].first, hashes[i % kAhead], static_cast<uint32_t>(tokens[i - kAhead].second));
    if (i < tokens.size()) prefetch(hashes[i % kAhead] = hash_of(tokens[i].first));
  }
}

Vocabulary::Vocabulary(const std::vector<std::pair<std::string, int64_t>>& tokens, const std::string& source)
    : Vocabulary(views_of(tokens), source) {}

void Vocabulary::add(std::string_view token, uint64_t hash, uint32_t id) {
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at].index != kNoToken && !holds(slots_[at], token, hash)) at = (at + 1) & mask;
  if (slots_[at].index == kNoToken) {
    slots_[at] = {static_cast<uint32_t>(hash >> 32), static_cast<uint32_t>(tokens_.size())};
    tokens_.push_back({static_cast<uint32_t>(pool_.size()), static_cast<uint32_t>(token.size()), id});
    pool_ += token;
  } else {
    Token& known = tokens_[slots_[at].index];
    if (by_id_[known.id] == slots_[at].index) by_id_[known.id] = kNoToken;
    known.id = id;
  }
  by_id_[id] = slots_[at].index;
}

int64_t Vocabulary::find(std::string_view token, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask; slots_[at].index != kNoToken; at = (at + 1) & mask) {
    if (holds(slots_[at], token, hash)) return tokens_[slots_[at].index].id;
  }
  return -1;
}

std::optional<int64_t> Vocabulary::id(std::string_view token) const {
  const int64_t id = find(token, hash_of(token));
  return id < 0 ? std::nullopt : std::optional(id);
}

void Vocabulary::ids(std::span<const std::string_view> tokens, std::span<int64_t> ids) const {
  uint64_t hashes[kAhead];
  const size_t mask = slots_.size() - 1;
  for (size_t first = 0; first < tokens.size(); first += kAhead) {
    const size_t count = std::min(kAhead, tokens.size() - first);
    for (size_t i = 0; i < count; ++i) prefetch(hashes[i] = hash_of(tokens[first + i]));
    for (size_t i = 0; i < count; ++i) {
      const uint32_t index = slots_[hashes[i] & mask].index;
      if (index != kNoToken) __builtin_prefetch(&tokens_[index]);
    }
    for (size_t i = 0; i < count; ++i) {
      const uint32_t index = slots_[hashes[i] & mask].index;
      if (index != kNoToken) __builtin_prefetch(pool_.data() + tokens_[index].offset);
    }
    for (size_t i = 0; i < count; ++i) ids[first + i] = find(tokens[first + i], hashes[i]);
  }
}

std::optional<std::string_view> Vocabulary::token(int64_t id) const {
  if (id < 0 || id >= static_cast<int64_t>(by_id_.size()) || by_id_[static_cast<size_t>(id)] == kNoToken) return {};
  return text_of(tokens_[by_id_[static_cast<size_t>(id)]]);
}

bool Vocabulary::is_joined(int64_t id, std::string_view left, std::string_view right) const {
  const std::string_view whole = token(id).value_or(std::string_view());
  return whole.size() == left.size() + right.size() && same_bytes(whole.substr(0, left.size()), left) &&
         same_bytes(whole.substr(left.size()), right);
}

Trie Vocabulary::make_trie() const {
  HugeVector<SortKey> order;
  order.reserve(tokens_.size());
  for (const Token& token : tokens_) {
    order.emplace_back(sort_key(text_of(token)), static_cast<uint32_t>(order.size()));
  }
  sort_by_key(order);
  auto text = [&](const SortKey& key) { return text_of(tokens_[key.second]); };
  for (auto begin = order.begin(); begin != order.end();) {
    auto end = std::find_if(begin, order.end(), [&](const SortKey& key) { return key.first != begin->first; });
    std::sort(begin, end, [&](const SortKey& a, const SortKey& b) { return text(a) < text(b); });
    begin = end;
  }
  HugeVector<Trie::Entry> entries;
  entries.reserve(order.size());
  for (const SortKey& place : order) {
    const Token& token = tokens_[place.second];
    entries.push_back({text_of(token), static_cast<int32_t>(token.id)});
  }
  return Trie(entries);
}

}  // namespace gamut::text
