// The Unigram model: the pieces of a word whose scores have the highest sum.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/vocabulary.h"
#include "text/wordpiece.h"

namespace gamut::text {

/// Memory kept between calls.
struct UnigramWork {
  struct Node {
    double score;
    int32_t id;
    uint32_t start;
  };
  HugeVector<Node> nodes;
  WordTokens pieces;
};

class Unigram {
 public:
  struct Options {
    std::optional<size_t> unk_id = std::nullopt;
    bool byte_fallback = false;
  };

  using Piece = std::pair<std::string_view, double>;

  /// Pieces with their scores, in the order of their ids. Throws Error{kInvalidFile}, naming `source`, for an unk_id
  /// outside of them.
  Unigram(std::span<const Piece> pieces, const Options& options, const std::string& source);
  Unigram(const std::vector<std::pair<std::string, double>>& pieces, const Options& options, const std::string& source);

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const std::string& unk_token() const { return unk_token_; }

  /// Appends the tokens of the word at `span` of `text`. Throws Error{kInvalidFile} for an unknown character when the
  /// model has no unknown piece.
  void tokenize(std::string_view text, ByteSpan span, UnigramWork& work, WordTokens& tokens) const;

 private:
  int32_t unknown_id() const;
  void find_best(std::string_view word, HugeVector<UnigramWork::Node>& nodes) const;
  void add_piece(std::string_view text, ByteSpan span, WordTokens& tokens) const;

  Vocabulary vocabulary_;
  Trie trie_;
  HugeVector<double> scores_;
  std::array<int64_t, 256> byte_ids_;
  std::optional<int32_t> unk_id_;
  std::string unk_token_;
  double unk_score_ = 0;
  bool byte_fallback_ = false;
};

/// The WordLevel model: a word is a token or unknown.
class WordLevel {
 public:
  WordLevel(Vocabulary vocabulary, std::string unk_token)
      : vocabulary_(std::move(vocabulary)), unk_token_(std::move(unk_token)), unk_id_(vocabulary_.id(unk_token_)) {}

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const std::string& unk_token() const { return unk_token_; }
  void tokenize(std::string_view text, ByteSpan span, WordTokens& tokens) const;

 private:
  Vocabulary vocabulary_;
  std::string unk_token_;
  std::optional<int64_t> unk_id_;
};

}  // namespace gamut::text
