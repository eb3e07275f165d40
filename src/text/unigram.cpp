#include "text/unigram.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

constexpr uint32_t kNoStart = UINT32_MAX;

Vocabulary number(std::span<const Unigram::Piece> pieces, const std::string& source) {
  HugeVector<Vocabulary::Entry> tokens;
  tokens.reserve(pieces.size());
  for (size_t i = 0; i < pieces.size(); ++i) tokens.emplace_back(pieces[i].first, static_cast<int64_t>(i));
  return Vocabulary(tokens, source);
}

}  // namespace

Unigram::Unigram(std::span<const Piece> pieces, const Options& options, const std::string& source)
    : vocabulary_(number(pieces, source)), trie_(vocabulary_.make_trie()), byte_fallback_(options.byte_fallback) {
  constexpr double kUnknownPenalty = 10;
  double lowest = 1e300;
  scores_.reserve(pieces.size());
  for (const auto& piece : pieces) {
    scores_.push_back(piece.second);
    lowest = std::min(lowest, piece.second);
  }
  unk_score_ = lowest - kUnknownPenalty;
  if (options.unk_id) {
    if (*options.unk_id >= pieces.size()) {
      fail(ErrorCode::kInvalidFile, "{}: unk_id {}, expected less than {}", source, *options.unk_id, pieces.size());
    }
    unk_id_ = static_cast<int32_t>(*options.unk_id);
    unk_token_ = pieces[*options.unk_id].first;
  }
  for (size_t b = 0; b < 256; ++b) byte_ids_[b] = vocabulary_.id(fmt::format("<0x{:02X}>", b)).value_or(-1);
}

Unigram::Unigram(const std::vector<std::pair<std::string, double>>& pieces, const Options& options,
                 const std::string& source)
    : Unigram(std::span<const Piece>(std::vector<Piece>(pieces.begin(), pieces.end())), options, source) {}

int32_t Unigram::unknown_id() const {
  if (unk_id_) return *unk_id_;
  fail(ErrorCode::kInvalidFile, "the model has no unknown piece, which a character of the text needs");
}

void Unigram::find_best(std::string_view word, HugeVector<UnigramWork::Node>& nodes) const {
  nodes.assign(word.size() + 1, {0, 0, kNoStart});
  for (size_t start = 0, next; start < word.size(); start = next) {
    next = start + 1;
    while (next < word.size() && is_utf8_tail(word[next])) ++next;
    const double score = nodes[start].score;
    auto offer = [&](size_t end, double better, auto id) {
      UnigramWork::Node& target = nodes[end];
      if (target.start == kNoStart || better > target.score) target = {better, id(), static_cast<uint32_t>(start)};
    };
    bool has_single = false;
    Trie::Node node = Trie::kRoot;
    for (size_t end = start; end < word.size();) {
      node = trie_.step(node, word[end++]);
      if (node == Trie::kNone) break;
      const int32_t id = trie_.value(node);
      if (id == Trie::kNoValue) continue;
      offer(end, scores_[static_cast<size_t>(id)] + score, [&] { return id; });
      has_single |= end == next;
    }
    if (!has_single) offer(next, unk_score_ + score, [&] { return unknown_id(); });
  }
}

/// A piece of the best path, or several unknown ones in a row.
void Unigram::add_piece(std::string_view text, ByteSpan span, WordTokens& tokens) const {
  const std::string_view piece = text.substr(span.begin, span.end - span.begin);
  if (const auto id = vocabulary_.id(piece)) return tokens.push_back({*id, span});
  auto known = [&](char byte) { return byte_ids_[static_cast<uint8_t>(byte)] >= 0; };
  if (byte_fallback_ && std::all_of(piece.begin(), piece.end(), known)) {
    for (char byte : piece) tokens.push_back({byte_ids_[static_cast<uint8_t>(byte)], span});
    return;
  }
  tokens.push_back({unknown_id(), span, true});
}

void Unigram::tokenize(std::string_view text, ByteSpan span, UnigramWork& work, WordTokens& tokens) const {
  const std::string_view word = text.substr(span.begin, span.end - span.begin);
  find_best(word, work.nodes);
  work.pieces.clear();
  bool fusing = false;
  for (size_t end = word.size(); end > 0;) {
    const UnigramWork::Node& node = work.nodes[end];
    const bool unknown = unk_id_ && node.id == *unk_id_;
    if (unknown && fusing) {
      work.pieces.back().span.begin = span.begin + node.start;
    } else {
      work.pieces.push_back({node.id, {span.begin + node.start, span.begin + end}});
    }
    fusing = unknown;
    end = node.start;
  }
  for (size_t i = work.pieces.size(); i-- > 0;) {
    const WordToken& piece = work.pieces[i];
    if (unk_id_ && piece.id == *unk_id_) {
      add_piece(text, piece.span, tokens);
    } else {
      tokens.push_back(piece);
    }
  }
}

void WordLevel::tokenize(std::string_view text, ByteSpan span, WordTokens& tokens) const {
  const std::string_view word = text.substr(span.begin, span.end - span.begin);
  const auto id = vocabulary_.id(word);
  if (!id && !unk_id_) {
    fail(ErrorCode::kInvalidFile, "the vocabulary has no token \"{}\", which the model uses for unknown words",
         unk_token_);
  }
  tokens.push_back({id ? *id : *unk_id_, span});
}

}  // namespace gamut::text
