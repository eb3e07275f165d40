// What every tokenizer has to do, whatever its files say.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fuzz.h"
#include "gamut/tokenizer.h"
#include "text/tokenizer_state.h"

namespace gamut::fuzz {

/// `beyond`: how far past the text an offset may lie. It does where the bytes of a prefix or suffix stand for
/// themselves: the oracle counts them.
inline void check_encoding(const Encoding& e, std::string_view text, std::string_view pair, bool ids_only,
                           int64_t beyond = 0) {
  const size_t n = e.ids.size();
  require(e.type_ids.size() == n && e.attention_mask.size() == n && e.special_tokens_mask.size() == n,
          "columns of unequal length");
  require(e.tokens.size() == (ids_only ? 0 : n) && e.offsets.size() == (ids_only ? 0 : n), "tokens or offsets missing");
  const auto most = static_cast<int64_t>(std::max(text.size(), pair.size())) + 1 + beyond;
  for (const CharRange& range : e.offsets) {
    require(0 <= range.begin && range.begin <= range.end && range.end <= most, "an offset outside the text");
  }
  for (const Encoding& part : e.overflowing) check_encoding(part, text, pair, ids_only, beyond);
}

/// Encodes a text that has a bit of everything, and decodes what came out.
inline void check_tokenizer(text::TokenizerParts parts) {
  static constexpr std::string_view kText =
      "Hello, [MASK] unaffable wörld! 中文 e\xCC\x81 \xF0\x9F\x98\x80 a\xFF\t[SEP]";
  constexpr int64_t kAnyAffix = 1 << 20;
  const Tokenizer tokenizer(std::make_shared<const Tokenizer::State>(std::move(parts)));
  works([&] {
    const Encoding encoding = tokenizer.encode(kText, "a b");
    check_encoding(encoding, kText, "a b", false, kAnyAffix);
    tokenizer.decode(encoding.ids, false);
    tokenizer.decode(encoding.ids, true);
    EncodeOptions options{
        .ids_only = true, .truncation = tokenizer.file_truncation(), .padding = tokenizer.file_padding()};
    check_encoding(tokenizer.encode(kText, options), kText, "", true, kAnyAffix);
  });
}

}  // namespace gamut::fuzz
