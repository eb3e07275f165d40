// The parts of an opened tokenizer, and its way from text to tokens.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "gamut/tokenizer.h"
#include "text/added_tokens.h"
#include "text/assemble.h"
#include "text/bpe.h"
#include "text/characters.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/unigram.h"
#include "text/wordpiece.h"

namespace gamut {

namespace text {

/// Every model that can run.
using Model = std::variant<WordPiece, Bpe, Unigram, WordLevel, Characters>;

/// What a file says a tokenizer is made of.
struct TokenizerParts {
  std::vector<Normalizer> normalizers;
  std::vector<PreTokenizer> pre_tokenizers;
  Model model;
  PostProcessor post_processor = {plain_processing()};
  Decoder decoder = {};
  std::vector<AddedToken> added_tokens = {};
  std::optional<Truncation> truncation = std::nullopt;
  std::optional<Padding> padding = std::nullopt;
  /// The tokens with a role, by name ("cls_token"); a name without a token in the vocabulary has no id.
  std::unordered_map<std::string, std::string> roles = {};
};

/// What any model knows of its tokens: how many there are, the id of one, the token of an id.
size_t model_size(const Model& model);
std::optional<int64_t> model_id(const Model& model, std::string_view token);
std::optional<std::string_view> model_token(const Model& model, int64_t id);

/// Gives each added token its id: that of the model's vocabulary or else the next free one, in the order of the list.
/// The `tokenizers` package does not use the ids that tokenizer.json states. Of two with the same content the later one
/// counts.
void number_added_tokens(TokenizerParts& parts);

/// Memory that tokenizing needs, kept between the texts of a batch.
struct Workspace {
  std::string repaired;
  std::string_view original;  ///< the text that is being tokenized
  std::vector<TextSegment> segments, inner;
  NormalizerScratch scratch;
  AlignedText normalized;
  std::vector<ByteSpan> words;
  PreTokenizerScratch pre_tokenizer;
  BpeWork bpe;
  UnigramWork unigram;
  WordTokens word_tokens;
  TokenSequence first, second;
};

/// Lends out workspaces, so that what one call learned serves the next.
class WorkspacePool {
 public:
  std::unique_ptr<Workspace> take();
  void give_back(std::unique_ptr<Workspace> work);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

}  // namespace text

struct Tokenizer::State : text::TokenSpeller {
  /// `parts_in` has its added tokens numbered.
  explicit State(text::TokenizerParts parts_in);
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// The tokens of one text, to `out`.
  void tokenize(std::string_view raw, text::Workspace& work, text::TokenSequence& out) const;
  /// One input, not padded.
  Encoding encode(const TextInput& input, const EncodeOptions& options, text::Workspace& work) const;
  std::string_view spell(int64_t id) const override;
  std::optional<int64_t> id_of(std::string_view token) const;
  /// The text of a token, added ones included.
  std::optional<std::string_view> token_of(int64_t id) const;
  bool is_special(std::string_view token) const { return special_contents_.contains(std::string(token)); }

  text::TokenizerParts parts;
  SpecialTokenIds special;
  size_t vocab_size = 0;
  mutable text::WorkspacePool workspaces;

 private:
  void build_matchers();
  void tokenize_plain(text::TextView view, text::Workspace& work, text::TokenSequence& out) const;
  void tokenize_words(text::ByteSpan span, text::Workspace& work, text::TokenSequence& out) const;

  std::unordered_map<int64_t, std::string> added_by_id_;  ///< as decoded: normalized where the token is matched so
  std::unordered_map<std::string, int64_t> added_by_content_;
  std::unordered_set<std::string> special_contents_;
  text::AddedTokenMatcher raw_matcher_, normalized_matcher_;
};

}  // namespace gamut
