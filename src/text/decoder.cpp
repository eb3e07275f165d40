#include "text/decoder.h"

#include <algorithm>
#include <utility>

#include "text/byte_alphabet.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// The replacements of the `tokenizers` package, in its order, each over the outcome of those before.
void clean_up(std::string& token) {
  static constexpr std::pair<std::string_view, std::string_view> kReplacements[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},    {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
  };
  for (const auto& [from, to] : kReplacements) replace_all(token, from, to);
}

using Tokens = std::vector<std::string>;

/// What Python calls whitespace.
bool is_blank(char32_t c) { return (c >= 0x1C && c <= 0x1F) || (char_class(c).flags & kWhitespace); }

void apply(const WordPieceDecoder& decoder, Tokens& tokens) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::string& token = tokens[i];
    if (i > 0 && std::string_view(token).substr(0, decoder.prefix.size()) == decoder.prefix) {
      token.erase(0, decoder.prefix.size());
    } else if (i > 0) {
      token.insert(0, 1, ' ');
    }
    if (decoder.cleanup) clean_up(token);
  }
}

void fuse(Tokens& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += token;
  tokens.assign(1, text);
}

void decode_byte_level(Tokens& tokens) {
  std::string bytes, storage;
  for (const std::string& token : tokens) {
    if (!append_bytes(token, bytes)) bytes += token;
  }
  tokens.assign(1, std::string(repair_utf8(bytes, &storage)));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// The byte of a token such as <0x0A>, or -1.
int fallback_byte(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return -1;
  const int high = token[3] == '+' ? 0 : hex_digit(token[3]), low = hex_digit(token[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

void decode_byte_fallback(Tokens& tokens) {
  Tokens out;
  std::string bytes;
  auto flush = [&] {
    if (bytes.empty()) return;
    const bool valid = valid_utf8_prefix(bytes) == bytes.size();
    if (valid) out.push_back(bytes);
    for (size_t i = 0; !valid && i < bytes.size(); ++i) out.emplace_back("\xEF\xBF\xBD");
    bytes.clear();
  };
  for (std::string& token : tokens) {
    if (const int byte = fallback_byte(token); byte >= 0) {
      bytes += static_cast<char>(byte);
      continue;
    }
    flush();
    out.push_back(std::move(token));
  }
  flush();
  tokens = std::move(out);
}

void apply(SimpleDecoder decoder, Tokens& tokens) {
  switch (decoder) {
    case SimpleDecoder::kByteLevel: return decode_byte_level(tokens);
    case SimpleDecoder::kByteFallback: return decode_byte_fallback(tokens);
    case SimpleDecoder::kFuse: return fuse(tokens);
  }
}

void apply(const MetaspaceDecoder& decoder, Tokens& tokens) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    replace_all(tokens[i], decoder.replacement, i == 0 && decoder.drops_first ? "" : " ");
  }
}

void apply(const BpeDecoder& decoder, Tokens& tokens) {
  for (size_t i = 0; i < tokens.size(); ++i) replace_all(tokens[i], decoder.suffix, i + 1 == tokens.size() ? "" : " ");
}

void apply(const CtcDecoder& decoder, Tokens& tokens) {
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  if (decoder.delimiter_text) {
    std::erase(tokens, decoder.pad_token);
    std::replace(tokens.begin(), tokens.end(), decoder.word_delimiter_token, *decoder.delimiter_text);
    return;
  }
  for (std::string& token : tokens) {
    replace_all(token, decoder.pad_token, "");
    if (!decoder.cleanup) continue;
    clean_up(token);
    replace_all(token, decoder.word_delimiter_token, " ");
  }
  std::erase_if(tokens, [](const std::string& token) { return token.empty(); });
}

void apply(const BytesDecoder& decoder, Tokens& tokens) {
  std::string bytes;
  for (const std::string& token : tokens) append_token_bytes(decoder, token, bytes);
  tokens.assign(1, text_of_bytes(decoder, bytes));
}

void apply(const TrimDecoder&, Tokens& tokens) {
  fuse(tokens);
  std::string& text = tokens[0];
  text.resize(text.size() - blank_end(text));
  text.erase(0, blank_start(text));
}

void apply(const StripDecoder& decoder, Tokens& tokens) {
  const std::string& content = decoder.content;
  for (std::string& token : tokens) {
    size_t begin = 0, end = token.size();
    for (size_t i = 0; i < decoder.start && token.compare(begin, content.size(), content) == 0 && begin < end; ++i) {
      begin += content.size();
    }
    for (size_t i = 0; i < decoder.stop && end >= begin + content.size() &&
                       token.compare(end - content.size(), content.size(), content) == 0;
         ++i) {
      end -= content.size();
    }
    token = token.substr(begin, end - begin);
  }
}

void apply(const ReplaceDecoder& decoder, Tokens& tokens) {
  std::vector<ByteSpan> matches;
  for (std::string& token : tokens) {
    matches.clear();
    find_all(decoder.pattern, token, matches);
    if (matches.empty()) continue;
    std::string out;
    size_t done = 0;
    for (ByteSpan match : matches) {
      out.append(token, done, match.begin - done).append(decoder.content);
      done = match.end;
    }
    token = out.append(token, done);
  }
}

}  // namespace

size_t blank_start(std::string_view text) {
  const char* p = text.data();
  for (const char* end = p + text.size(); p < end;) {
    const char* before = p;
    if (!is_blank(decode_utf8(p))) return static_cast<size_t>(before - text.data());
  }
  return text.size();
}

size_t blank_end(std::string_view text) {
  size_t end = text.size();
  while (end > 0) {
    size_t at = end - 1;
    while (at > 0 && is_utf8_tail(text[at])) --at;
    const char* p = text.data() + at;
    if (!is_blank(decode_utf8(p))) break;
    end = at;
  }
  return text.size() - end;
}

void append_token_bytes(const DecoderStep& step, std::string_view token, std::string& bytes) {
  if (!std::holds_alternative<BytesDecoder>(step)) {
    if (!append_bytes(token, bytes)) bytes += token;
    return;
  }
  const char* p = token.data();
  const char32_t c = token.empty() ? 0x100 : decode_utf8(p);
  if (c < 0x100 && p == token.data() + token.size()) {
    bytes += static_cast<char>(c);
  } else {
    bytes += token;
  }
}

std::string text_of_bytes(const DecoderStep& step, std::string_view bytes) {
  std::string out;
  const auto* decoder = std::get_if<BytesDecoder>(&step);
  if (!decoder || !decoder->leaves_out) return std::string(repair_utf8(bytes, &out));
  while (!bytes.empty()) {
    const size_t valid = valid_utf8_prefix(bytes);
    out += bytes.substr(0, valid);
    bytes.remove_prefix(std::min(valid + 1, bytes.size()));
  }
  return out;
}

void apply_step(const DecoderStep& step, std::vector<std::string>& tokens) {
  std::visit([&](const auto& s) { apply(s, tokens); }, step);
}

bool is_byte_token(std::string_view token) { return fallback_byte(token) >= 0; }

std::string decode_tokens(const Decoder& decoder, const std::vector<std::string_view>& tokens) {
  std::string text;
  if (decoder.empty()) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0) text += ' ';
      text += tokens[i];
    }
    return text;
  }
  if (const auto* first = std::get_if<SimpleDecoder>(&decoder[0]);
      first && decoder.size() == 1 && *first == SimpleDecoder::kByteLevel) {
    std::string storage;
    for (std::string_view token : tokens) {
      if (!append_bytes(token, text)) text += token;
    }
    return std::string(repair_utf8(text, &storage));
  }
  Tokens steps(tokens.begin(), tokens.end());
  for (const DecoderStep& step : decoder) apply_step(step, steps);
  for (const std::string& token : steps) text += token;
  return text;
}

}  // namespace gamut::text
