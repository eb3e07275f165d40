#include "text/decoder.h"

#include <utility>

namespace gamut::text {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
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

std::string apply(const JoinDecoder&, const std::vector<std::string_view>& tokens) {
  std::string text;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) text += ' ';
    text += tokens[i];
  }
  return text;
}

std::string apply(const WordPieceDecoder& decoder, const std::vector<std::string_view>& tokens) {
  std::string text, piece;
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::string_view token = tokens[i];
    piece.clear();
    if (i > 0 && token.substr(0, decoder.prefix.size()) == decoder.prefix) {
      token.remove_prefix(decoder.prefix.size());
    } else if (i > 0) {
      piece += ' ';
    }
    piece += token;
    if (decoder.cleanup) clean_up(piece);
    text += piece;
  }
  return text;
}

}  // namespace

std::string decode_tokens(const Decoder& decoder, const std::vector<std::string_view>& tokens) {
  return std::visit([&](const auto& d) { return apply(d, tokens); }, decoder);
}

}  // namespace gamut::text
