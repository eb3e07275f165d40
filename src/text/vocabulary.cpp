#include "text/vocabulary.h"

#include <algorithm>

#include "base/error.h"

namespace gamut::text {

Vocabulary::Vocabulary(std::vector<std::pair<std::string, int64_t>> tokens, const std::string& source) {
  auto by_token = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (!std::is_sorted(tokens.begin(), tokens.end(), by_token)) {
    std::stable_sort(tokens.begin(), tokens.end(), by_token);
  }
  // A table over ids must not become large because of one wild number.
  const int64_t limit = static_cast<int64_t>(tokens.size()) * 64 + 65536;
  std::vector<Trie::Entry> entries;
  entries.reserve(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto& [token, id] = tokens[i];
    if (id < 0 || id >= limit) {
      fail(ErrorCode::kInvalidFile, "{}: token \"{}\" has id {}; expected 0 to {} for {} tokens", source, token, id,
           limit - 1, tokens.size());
    }
    if (i + 1 < tokens.size() && tokens[i + 1].first == token) continue;
    if (places_.size() <= static_cast<size_t>(id)) places_.resize(static_cast<size_t>(id) + 1);
    if (pool_.size() + token.size() >= kNoToken)
      fail(ErrorCode::kResourceLimit, "{}: more than 4 GiB of tokens", source);
    places_[static_cast<size_t>(id)] = {static_cast<uint32_t>(pool_.size()), static_cast<uint32_t>(token.size())};
    pool_ += token;
    entries.push_back({token, static_cast<int32_t>(id)});
  }
  size_ = entries.size();
  trie_ = Trie(entries);
}

std::optional<int64_t> Vocabulary::id(std::string_view token) const {
  const int32_t value = trie_.find(token);
  return value == Trie::kNoValue ? std::nullopt : std::optional<int64_t>(value);
}

std::optional<std::string_view> Vocabulary::token(int64_t id) const {
  if (id < 0 || id >= static_cast<int64_t>(places_.size())) return std::nullopt;
  const Place& place = places_[static_cast<size_t>(id)];
  if (place.length == kNoToken) return std::nullopt;
  return std::string_view(pool_).substr(place.offset, place.length);
}

}  // namespace gamut::text
