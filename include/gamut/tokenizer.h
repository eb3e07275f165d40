// Tokenizers: text to token ids and back, exactly as the checkpoint's own tokenizer files say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gamut {

/// A half-open range of characters (Unicode code points) of the original text. Beyond its end for one kind of token
/// only: bytes of a BPE's continuing_subword_prefix or end_of_word_suffix under byte_fallback, as the `tokenizers`
/// package counts.
struct CharRange {
  int64_t begin = 0;
  int64_t end = 0;
  bool operator==(const CharRange&) const = default;
};

/// One encoded text or pair. All vectors have one entry per token; inserted tokens (special, padding) have range [0,
/// 0).
struct Encoding {
  std::vector<int64_t> ids;
  std::vector<std::string> tokens;  ///< empty with EncodeOptions::ids_only
  std::vector<CharRange> offsets;   ///< empty with EncodeOptions::ids_only
  std::vector<int64_t> type_ids;
  std::vector<int64_t> attention_mask;
  std::vector<int64_t> special_tokens_mask;
  std::vector<Encoding> overflowing;  ///< what truncation cut off, in windows of the same form
};

enum class TruncationStrategy { kLongestFirst, kOnlyFirst, kOnlySecond };
/// The end that truncation cuts or padding fills.
enum class TextSide { kLeft, kRight };

struct Truncation {
  size_t max_length = 512;  ///< in tokens, those that the post-processor adds included
  TruncationStrategy strategy = TruncationStrategy::kLongestFirst;
  size_t stride = 0;  ///< tokens that a window of `overflowing` shares with the one before
  TextSide direction = TextSide::kRight;
};

struct Padding {
  std::optional<size_t> length = std::nullopt;  ///< nothing: the longest of the batch
  std::optional<size_t> multiple_of = std::nullopt;
  TextSide direction = TextSide::kRight;
  int64_t id = 0;
  int64_t type_id = 0;
  std::string token = "[PAD]";
};

struct EncodeOptions {
  bool add_special_tokens = true;
  bool ids_only = false;  ///< leave `tokens` and `offsets` empty
  std::optional<Truncation> truncation = std::nullopt;
  std::optional<Padding> padding = std::nullopt;
};

/// A text, or a text and its pair.
struct TextInput {
  std::string_view text;
  std::optional<std::string_view> pair = std::nullopt;
};

/// Ids of the tokens that have a role, where the checkpoint defines them.
struct SpecialTokenIds {
  std::optional<int64_t> cls, sep, mask, pad, unk;
};

/// A tokenizer as its files describe it. Immutable: copies share one state and every method may be called from several
/// threads at once.
///
/// Text is UTF-8. Each maximal invalid part of it counts as one U+FFFD, as Rust's String::from_utf8_lossy replaces it.
class Tokenizer {
 public:
  /// Opens `folder`/tokenizer.json or, without one, builds what transformers builds from the checkpoint's other files:
  /// vocab.txt, vocab.json with merges.txt, SentencePiece and tiktoken models, tekken.json; tokenizer_config.json,
  /// special_tokens_map.json and added_tokens.json apply where present (docs/tokenizer-files.md).
  /// Throws Error{kNotFound} when none exists, Error{kInvalidFile} for wrong content and Error{kUnsupported}, naming
  /// file, component and type, for a component that this build cannot run.
  static Tokenizer open(const std::filesystem::path& folder);

  /// Encodes one text. Throws Error{kInvalidArgument} when truncation cannot be done as asked and Error{kInvalidFile}
  /// when the text needs an unknown token that the vocabulary lacks.
  Encoding encode(std::string_view text, const EncodeOptions& options = {}) const;
  Encoding encode(std::string_view text, std::string_view pair, const EncodeOptions& options = {}) const;
  /// Encodes many on up to `threads` threads (0: all of the machine's); result i belongs to input i.
  std::vector<Encoding> encode_batch(std::span<const TextInput> inputs, const EncodeOptions& options = {},
                                     size_t threads = 1) const;

  /// Ids back to text; ids outside the vocabulary are left out, and special tokens unless they are to be kept.
  std::string decode(std::span<const int64_t> ids, bool skip_special_tokens = true) const;

  std::optional<int64_t> token_to_id(std::string_view token) const;
  std::optional<std::string> id_to_token(int64_t id) const;
  /// Count of distinct tokens, added ones included.
  size_t vocab_size() const;
  const SpecialTokenIds& special_token_ids() const;

  /// What tokenizer.json asks for; encode applies it only when the caller passes it on.
  const std::optional<Truncation>& file_truncation() const;
  const std::optional<Padding>& file_padding() const;

  struct State;
  explicit Tokenizer(std::shared_ptr<const State> state);

 private:
  friend class DecodeStream;
  std::shared_ptr<const State> state_;
};

/// Decodes ids as they come. All that push and finish return, one after another, is what Tokenizer::decode makes of all
/// ids together; each return is valid UTF-8. For one thread at a time.
class DecodeStream {
 public:
  explicit DecodeStream(const Tokenizer& tokenizer, bool skip_special_tokens = true);
  ~DecodeStream();
  DecodeStream(DecodeStream&&) noexcept;
  DecodeStream& operator=(DecodeStream&&) noexcept;

  /// The text that this id settles, often none: a character may take several ids, and what may still change is held
  /// back.
  std::string push(int64_t id);
  /// The text that was held back. The next push begins a new text.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gamut
