#include "text/wordpiece.h"

#include <utility>

#include "base/error.h"
#include "text/utf8.h"

namespace gamut::text {

WordPiece::WordPiece(Vocabulary vocabulary, Options options)
    : vocabulary_(std::move(vocabulary)),
      trie_(vocabulary_.make_trie()),
      options_(std::move(options)),
      unk_id_(vocabulary_.id(options_.unk_token)),
      continuing_(trie_.walk(Trie::kRoot, options_.continuing_subword_prefix)) {}

int64_t WordPiece::unknown_id() const {
  if (unk_id_) return *unk_id_;
  fail(ErrorCode::kInvalidFile, "the vocabulary has no token \"{}\", which the model uses for unknown words",
       options_.unk_token);
}

void WordPiece::tokenize(std::string_view text, ByteSpan span, WordTokens& tokens) const {
  const size_t most = options_.max_input_chars_per_word;
  const std::string_view word = text.substr(span.begin, span.end - span.begin);
  if (word.size() > most && count_characters(word) > most) {
    tokens.push_back({unknown_id(), span});
    return;
  }
  const size_t first = tokens.size();
  Trie::Node from = Trie::kRoot;
  for (size_t at = 0; at < word.size();) {
    const Trie::Match match = from == Trie::kNone ? Trie::Match{} : trie_.longest_prefix(from, word.substr(at));
    if (match.value == Trie::kNoValue) {
      tokens.resize(first);
      tokens.push_back({unknown_id(), span});
      return;
    }
    tokens.push_back({match.value, {span.begin + at, span.begin + at + match.length}});
    at += match.length;
    from = continuing_;
  }
}

}  // namespace gamut::text
