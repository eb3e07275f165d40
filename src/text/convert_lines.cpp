#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "text/convert.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

std::string_view trim_end(std::string_view line) {
  while (!line.empty()) {
    size_t at = line.size() - 1;
    while (at > 0 && is_utf8_tail(line[at])) --at;
    const char* p = line.data() + at;
    if (!(char_class(decode_utf8(p)).flags & kWhitespace)) break;
    line = line.substr(0, at);
  }
  return line;
}

/// One token per line, its id the number of the line; a line that comes twice has the later number.
Vocabulary read_lines(std::string_view text, const std::string& source) {
  if (const size_t valid = valid_utf8_prefix(text); valid != text.size()) {
    fail(ErrorCode::kInvalidFile, "{}: invalid UTF-8 at byte {}", source, valid);
  }
  std::vector<std::pair<std::string, int64_t>> tokens;
  tokens.reserve(text.size() / 7);
  for (int64_t id = 0; !text.empty(); ++id) {
    const size_t end = std::min(text.find('\n'), text.size());
    tokens.emplace_back(trim_end(text.substr(0, end)), id);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (tokens.empty()) fail(ErrorCode::kInvalidFile, "{}: empty, expected one token per line", source);
  return Vocabulary(tokens, source);
}

/// Whether a vocabulary was made from text that kept its capitals: more than one line in a hundred has one, tokens in
/// brackets apart. docs/decisions/vocab-txt.md says why this is asked.
bool has_capitals(std::string_view vocabulary) {
  size_t lines = 0, with_capital = 0;
  while (!vocabulary.empty()) {
    const std::string_view line = vocabulary.substr(0, vocabulary.find('\n'));
    vocabulary.remove_prefix(std::min(vocabulary.size(), line.size() + 1));
    ++lines;
    if (line.empty() || line.front() == '[' || line.front() == '<') continue;
    with_capital += std::any_of(line.begin(), line.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  }
  return with_capital * 100 > lines;
}

/// The case of the text, where no file says it and the class leaves it to the vocabulary.
void guess_case(const Json& config, std::string_view vocabulary, Conversion& conversion) {
  if (!conversion.description.value("case_of_vocabulary", false)) return;
  if (config.is_object() && config.contains("do_lower_case") && !config["do_lower_case"].is_null()) return;
  conversion.scope.set("do_lower_case", !has_capitals(vocabulary));
}

/// An expression that matches each token of the vocabulary, the longest first.
std::string any_token_of(std::string_view vocabulary) {
  std::vector<std::string_view> tokens;
  for (; !vocabulary.empty(); vocabulary.remove_prefix(std::min(vocabulary.find('\n') + 1, vocabulary.size()))) {
    const size_t end = std::min(vocabulary.find('\n'), vocabulary.size());
    tokens.push_back(trim_end(vocabulary.substr(0, end)));
    if (end == vocabulary.size()) break;
  }
  std::stable_sort(tokens.begin(), tokens.end(), [](auto a, auto b) { return a.size() > b.size(); });
  std::string out;
  for (const std::string_view token : tokens) {
    if (token.empty()) continue;
    if (!out.empty()) out += '|';
    for (const char c : token) {
      if (std::ispunct(static_cast<unsigned char>(c))) out += '\\';
      out += c;
    }
  }
  return out;
}

Model make_model(const OwnedJson& fields, Vocabulary vocabulary) {
  const std::string unk = fields.value("unk_token", "[UNK]");
  if (is_text(fields["type"], "WordLevel")) return WordLevel(std::move(vocabulary), unk);
  return WordPiece(std::move(vocabulary), {.unk_token = unk});
}

}  // namespace

TokenizerParts parts_from_lines(const std::string& name, std::string_view vocabulary, const SettingsFiles& files) {
  const std::string source = files.folder + "/vocab.txt";
  Conversion conversion = start_conversion(require_description(name, source), files, source);
  guess_case(files.config, vocabulary, conversion);
  const OwnedJson fields = conversion.scope.expand(conversion.description["model"]);
  Model model = make_model(fields, read_lines(vocabulary, source));
  if (fields.value("splits_at_tokens", false)) conversion.scope.set("any_token", any_token_of(vocabulary));
  return finish(conversion, {}, files, read_steps(conversion).with(std::move(model)));
}

}  // namespace gamut::text
