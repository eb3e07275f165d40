// Vocabularies whose order gives the merges: tiktoken's rank files, Mistral's tekken.json, the pieces of
// SentencePiece's BPE models.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "text/bpe.h"

namespace gamut::text {

/// Tokens in their order, with their ids; bytes are spelled in the byte alphabet where `of_bytes` says so.
using RankedTokens = std::vector<std::pair<std::string, int64_t>>;

/// A byte-level vocabulary with the pattern that cuts texts and the special tokens, which the tokens' ids leave out.
struct RankedVocabulary {
  RankedTokens tokens;
  Bpe::Merges merges;
  std::string pattern;
  std::vector<std::string> special_tokens;
};

/// Whether a file is a rank file of tiktoken: base64, a space and a number in its first line.
bool is_rank_file(std::string_view content);

/// Reads a rank file. Throws Error{kInvalidFile} with the line for anything else than lines of base64, a space and a
/// rank, and Error{kResourceLimit} for tokens so long that finding their merges would take minutes.
RankedVocabulary read_rank_file(std::string_view content, const std::string& source);

/// Reads tekken.json; its special tokens have the first ids. Errors as read_rank_file, and Error{kUnsupported} for
/// files of the time before special tokens stood in them.
RankedVocabulary read_tekken(const Json& file, const std::string& source);

/// All pairs of tokens that make a token, by its place in the order and then by the length of the left one, counted in
/// characters. Errors as read_rank_file.
Bpe::Merges merges_of(const RankedTokens& tokens, const std::string& source);

}  // namespace gamut::text
