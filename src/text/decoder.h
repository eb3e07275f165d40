// Decoders: tokens back to text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/pattern.h"

namespace gamut::text {

/// Pieces that continue a word lose their prefix, the others start after a space; `cleanup` closes the spaces that
/// tokenization leaves before punctuation and English contractions.
struct WordPieceDecoder {
  std::string prefix = "##";
  bool cleanup = true;
};

/// The decoders without options: bytes out of the byte alphabet; tokens <0x..> to bytes; all tokens to one.
enum class SimpleDecoder { kByteLevel, kByteFallback, kFuse };

struct MetaspaceDecoder {
  std::string replacement = "\xE2\x96\x81";
  bool drops_first = true;  ///< the first token's replacements are not of the text
};

struct BpeDecoder {
  std::string suffix = "</w>";
};

struct CtcDecoder {
  std::string pad_token = "<pad>";
  std::string word_delimiter_token = "|";
  bool cleanup = true;
  /// As transformers decodes: only whole tokens are blanks and delimiters, which become this text; nothing is cleaned
  /// up.
  std::optional<std::string> delimiter_text = std::nullopt;
};

/// Bytes out of the characters of Latin-1, other tokens as they are; what is no UTF-8 then is left out or replaced.
struct BytesDecoder {
  bool leaves_out = true;
};

/// All tokens to one, without the whitespace at its ends.
struct TrimDecoder {};

/// Up to so many of one character off the ends of each token.
struct StripDecoder {
  std::string content = " ";
  size_t start = 0, stop = 0;
};

struct ReplaceDecoder {
  Pattern pattern;
  std::string content;
};

using DecoderStep = std::variant<WordPieceDecoder, SimpleDecoder, MetaspaceDecoder, BpeDecoder, CtcDecoder,
                                 StripDecoder, ReplaceDecoder, BytesDecoder, TrimDecoder>;

/// The steps of a decoder, each over the tokens that the one before leaves; none at all joins tokens by spaces.
using Decoder = std::vector<DecoderStep>;

/// One step over all tokens.
void apply_step(const DecoderStep& step, std::vector<std::string>& tokens);

/// The two halves of the steps that go by bytes, ByteLevel and BytesDecoder: a token's bytes, the text of all bytes.
void append_token_bytes(const DecoderStep& step, std::string_view token, std::string& bytes);
std::string text_of_bytes(const DecoderStep& step, std::string_view bytes);

/// How many bytes of whitespace (as Python has it) a text begins or ends with.
size_t blank_start(std::string_view text);
size_t blank_end(std::string_view text);

/// Whether a token is a byte for ByteFallback, such as <0x0A>.
bool is_byte_token(std::string_view token);

std::string decode_tokens(const Decoder& decoder, const std::vector<std::string_view>& tokens);

}  // namespace gamut::text
