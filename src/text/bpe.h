// Byte-pair encoding: the characters or bytes of a word, merged pair by pair in the order of the merges.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/huge_memory.h"
#include "text/aligned_text.h"
#include "text/vocabulary.h"
#include "text/wordpiece.h"

namespace gamut::text {

/// A symbol of a word on its way through the merges, in a list.
struct BpeSymbol {
  uint32_t id;
  uint32_t length;  ///< bytes of the word; 0 once it is merged into the one before
  int32_t previous, next;
};

/// The next merge to do.
struct BpeCandidate {
  uint32_t rank, position, left, right, merged;
};

/// Memory of BPE and the words that it remembers, kept between calls. Belongs to one thread and one model.
struct BpeWork {
  struct Entry {
    uint64_t hash = 0;
    uint32_t key = 0, key_size = 0, first = 0, count = 0;
  };
  std::vector<Entry> entries;
  std::string keys;
  std::vector<std::pair<uint32_t, uint32_t>> tokens;  ///< id and length of the tokens of remembered words
  HugeVector<BpeSymbol> symbols;
  HugeVector<BpeCandidate> heap;
};

class Bpe {
 public:
  struct Options {
    std::optional<std::string> unk_token = std::nullopt;
    std::string continuing_subword_prefix;
    std::string end_of_word_suffix;
    bool fuse_unk = false;
    bool byte_fallback = false;
    bool ignore_merges = false;
    bool raw_bytes = false;  ///< words come as bytes; tokens spell them in the byte alphabet
  };
  using Merges = std::vector<std::pair<std::string, std::string>>;
  using MergeViews = std::span<const std::pair<std::string_view, std::string_view>>;

  /// Throws Error{kInvalidFile}, naming `source`, for a merge of or into tokens that the vocabulary lacks.
  Bpe(Vocabulary vocabulary, MergeViews merges, Options options, const std::string& source);
  Bpe(Vocabulary vocabulary, const Merges& merges, Options options, const std::string& source);

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const std::string& unk_token() const;
  bool raw_bytes() const { return options_.raw_bytes; }

  /// Appends the tokens of the word at `span` of `text`. Work grows as n log n with the word.
  void tokenize(std::string_view text, ByteSpan span, BpeWork& work, WordTokens& tokens) const;

 private:
  struct Merge {
    uint64_t pair = UINT64_MAX;
    uint32_t rank = 0, merged = 0;
  };
  /// Ids of the single symbols: [is not first][is last][byte].
  using ByteIds = std::array<std::array<std::array<int32_t, 256>, 2>, 2>;

  void add_merges(MergeViews merges, const std::string& source);
  size_t place_of(uint64_t pair) const;
  void add_merge(uint32_t left, uint32_t right, uint32_t rank, uint32_t merged);
  const Merge* find_merge(uint32_t left, uint32_t right) const;
  void fill_byte_ids();
  std::optional<uint32_t> symbol_id(std::string_view piece, bool first, bool last) const;
  uint32_t unknown_id() const;
  void make_symbols(std::string_view word, HugeVector<BpeSymbol>& symbols) const;
  bool add_fallback(std::string_view piece, bool first, bool last, HugeVector<BpeSymbol>& symbols) const;
  void merge_short(HugeVector<BpeSymbol>& symbols) const;
  void merge_long(BpeWork& work) const;
  void push_candidate(const HugeVector<BpeSymbol>& symbols, int32_t left, HugeVector<BpeCandidate>& heap) const;
  std::optional<int64_t> whole_word(std::string_view word) const;

  Vocabulary vocabulary_;
  Options options_;
  HugeVector<Merge> merges_;  ///< open addressing, a power of two
  ByteIds byte_ids_;
  std::array<int32_t, 256> fallback_ids_;
};

}  // namespace gamut::text
