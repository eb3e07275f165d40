#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/excerpt.h"
#include "text/convert.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

/// The vocabulary of the language that the settings name, where a file holds several.
const Json& vocabulary_of_language(const Json& vocabulary, const Json& language, const std::string& source) {
  if (!language.is_string()) return vocabulary;
  const auto& name = language.get_ref<const std::string&>();
  if (!vocabulary.is_object() || !vocabulary.contains(name)) {
    fail(ErrorCode::kInvalidFile, "{}: no vocabulary for target_lang \"{}\"", source, excerpt(name));
  }
  return vocabulary[name];
}

/// Tokens of several letters are looked for in texts, and take the whitespace around them.
void add_long_tokens(const RankedTokens& tokens, const std::string& delimiter, TokenizerParts& parts) {
  std::unordered_set<std::string> special;
  for (const AddedToken& token : parts.added_tokens) {
    if (token.special) special.insert(token.content);
  }
  for (const auto& [content, id] : tokens) {
    if (count_characters(content) < 2) continue;
    AddedToken token;
    token.content = content;
    token.lstrip = token.rstrip = true;
    token.normalized = false;
    token.special = special.contains(content);
    parts.added_tokens.push_back(std::move(token));
  }
  // The delimiter has a role and stays in a text without special tokens.
  for (AddedToken& token : parts.added_tokens) token.special = token.special && token.content != delimiter;
  number_added_tokens(parts);
}

std::string text_of(const ClassScope& scope, const char* name, const std::string& source) {
  const Json& value = scope.get(name);
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
    fail(ErrorCode::kInvalidFile, "{}: {} of tokenizer_config.json, expected a text", source, name);
  }
  return value.get<std::string>();
}

}  // namespace

TokenizerParts parts_from_letters(const std::string& name, const Json& vocabulary, const SettingsFiles& files) {
  const std::string source = files.folder + "/vocab.json";
  const Conversion conversion = start_conversion(require_description(name, source), files, source);
  const ClassScope& scope = conversion.scope;
  if (scope.truth("do_lower_case")) {
    fail(ErrorCode::kUnsupported, "{}: {} with do_lower_case is not supported", source, name);
  }
  const std::string delimiter = text_of(scope, "word_delimiter_token", source);
  const RankedTokens tokens =
      read_token_ids(vocabulary_of_language(vocabulary, scope.get("target_lang"), source), source);
  TokenizerParts parts{{ReplaceNormalizer{std::string(" "), delimiter}},
                       {FixedLength{1}},
                       WordLevel(Vocabulary(tokens, source), text_of(scope, "unk_token", source))};
  parts.decoder = {CtcDecoder{text_of(scope, "pad_token", source), delimiter, false,
                              text_of(scope, "replace_word_delimiter_char", source)},
                   TrimDecoder{}};
  add_tokens(conversion, {}, parts);
  add_long_tokens(tokens, delimiter, parts);
  return parts;
}

TokenizerParts parts_from_characters(const std::string& name, const SettingsFiles& files) {
  const Conversion conversion = start_conversion(require_description(name, files.folder), files, files.folder);
  const Json& model = conversion.description["model"];
  const bool bytes = is_text(model["type"], "Bytes");
  const std::vector<std::string> head =
      bytes ? conversion.scope.expand_names(model["head"]) : std::vector<std::string>{};
  TokenizerParts parts{{}, {}, Characters(bytes ? Characters::Unit::kByte : Characters::Unit::kCodePoint, head)};
  if (bytes) {
    parts.decoder = {BytesDecoder{model["leaves_out"].get<bool>()}};
  } else {
    parts.decoder = {SimpleDecoder::kFuse};
  }
  add_tokens(conversion, {}, parts);
  set_post_processor(conversion, files.config, parts);
  return parts;
}

}  // namespace gamut::text
