#include "text/pattern.h"

namespace gamut::text {
namespace {

void find(const std::string& part, std::string_view text, std::vector<ByteSpan>& matches) {
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) {
    matches.push_back({at, at + part.size()});
  }
}

void find(WordPattern pattern, std::string_view text, std::vector<ByteSpan>& matches) {
  find_words(pattern, text, matches);
}

void find(const Regex& regex, std::string_view text, std::vector<ByteSpan>& matches) { regex.find_all(text, matches); }

}  // namespace

void find_all(const Pattern& pattern, std::string_view text, std::vector<ByteSpan>& matches) {
  if (text.empty()) return;  // where the oracle looks for no match, not even an empty one
  std::visit([&](const auto& p) { find(p, text, matches); }, pattern);
}

}  // namespace gamut::text
