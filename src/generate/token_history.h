// The tokens of a sequence so far, and how often each is among them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace gamut {

/// A token that a sequence has.
struct TokenUse {
  int64_t id = 0;
  int64_t made = 0;  ///< times among the new tokens; 0: it is in the prompt only
};

/// Prompt and new tokens.
class TokenHistory {
 public:
  TokenHistory() = default;
  explicit TokenHistory(std::vector<int64_t> prompt) : tokens_(std::move(prompt)), prompt_length_(tokens_.size()) {
    for (const int64_t id : tokens_) uses_.push_back({id, 0});
    std::ranges::sort(uses_, {}, &TokenUse::id);
    const auto same = [](const TokenUse& a, const TokenUse& b) { return a.id == b.id; };
    uses_.erase(std::unique(uses_.begin(), uses_.end(), same), uses_.end());
  }

  void push(int64_t token) {
    tokens_.push_back(token);
    auto place = std::ranges::lower_bound(uses_, token, {}, &TokenUse::id);
    if (place == uses_.end() || place->id != token) place = uses_.insert(place, {token, 0});
    ++place->made;
  }

  const std::vector<int64_t>& tokens() const { return tokens_; }
  std::span<const int64_t> new_tokens() const { return std::span(tokens_).subspan(prompt_length_); }
  /// Every token once, by id.
  const std::vector<TokenUse>& uses() const { return uses_; }
  int64_t length() const { return static_cast<int64_t>(tokens_.size()); }
  int64_t prompt_length() const { return static_cast<int64_t>(prompt_length_); }
  int64_t made() const { return length() - prompt_length(); }

 private:
  std::vector<int64_t> tokens_;
  size_t prompt_length_ = 0;
  std::vector<TokenUse> uses_;
};

}  // namespace gamut
