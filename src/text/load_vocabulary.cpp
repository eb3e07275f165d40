#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "text/json_fields.h"
#include "text/load.h"
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

/// A token given as its text or as an object with options; special unless the object says otherwise.
AddedToken read_token(const Json& value, const std::string& where, bool special) {
  if (!value.is_string()) return read_stated_token(value, where, special, nullptr);
  AddedToken token;
  token.content = value.get<std::string>();
  token.special = special;
  token.normalized = !special;
  return token;
}

/// The tokens of `entries` in the order of their ids.
std::vector<AddedToken> in_order(std::vector<std::pair<int64_t, AddedToken>> entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<AddedToken> tokens;
  for (auto& entry : entries) tokens.push_back(std::move(entry.second));
  return tokens;
}

std::vector<AddedToken> tokens_from_decoder(const Json& decoder, const std::string& where) {
  std::vector<std::pair<int64_t, AddedToken>> entries;
  for (const auto& [id, token] : decoder.items()) {
    if (id.empty() || id.size() > 10 || id.find_first_not_of("0123456789") != std::string::npos) {
      fail(ErrorCode::kInvalidFile, "{}: key \"{}\", expected a token id", where, id);
    }
    entries.emplace_back(std::stoll(id), read_token(token, where + "." + id, false));
  }
  return in_order(std::move(entries));
}

/// What tokenizer_config.json and the files beside it say, merged as transformers merges them.
struct BertSettings {
  std::vector<AddedToken> added;
  std::vector<std::pair<std::string, AddedToken>> roles;  ///< in the order in which they are added
};

void read_role_tokens(const Json& file, const std::string& source, BertSettings& settings) {
  if (file.is_null()) return;
  const JsonFields fields(file, source);
  for (auto& [role, token] : settings.roles) {
    if (!fields.get(role).is_null()) token = read_token(fields.get(role), fields.place(role), true);
  }
}

BertSettings read_settings(const JsonFields& config, const Json& config_file, const Json& special_tokens,
                           const Json& added_tokens, const std::string& folder) {
  BertSettings settings;
  for (auto [role, name] : {std::pair{"unk_token", "[UNK]"},
                            {"sep_token", "[SEP]"},
                            {"pad_token", "[PAD]"},
                            {"cls_token", "[CLS]"},
                            {"mask_token", "[MASK]"}}) {
    settings.roles.emplace_back(role, read_token(Json(name), role, true));
  }
  read_role_tokens(config_file, config.where(), settings);
  if (!config.get("added_tokens_decoder").is_null()) {
    settings.added = tokens_from_decoder(config.object("added_tokens_decoder"), config.place("added_tokens_decoder"));
  } else {
    read_role_tokens(special_tokens, folder + "/special_tokens_map.json", settings);
    if (!added_tokens.is_null()) {
      std::vector<std::pair<int64_t, AddedToken>> entries;
      const JsonFields fields(added_tokens, folder + "/added_tokens.json");
      for (const auto& item : added_tokens.items()) {
        const std::string& content = item.key();
        const bool special = std::any_of(settings.roles.begin(), settings.roles.end(),
                                         [&text = content](const auto& role) { return role.second.content == text; });
        entries.emplace_back(fields.count(content), read_token(Json(content), content, special));
      }
      settings.added = in_order(std::move(entries));
    }
  }
  return settings;
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

/// A token with a role as the post-processor inserts it; every role token is among the added ones.
TemplatePart role_token(const TokenizerParts& parts, const std::string& content) {
  auto found = std::find_if(parts.added_tokens.begin(), parts.added_tokens.end(),
                            [&](const AddedToken& token) { return token.content == content; });
  if (found == parts.added_tokens.end()) {
    fail(ErrorCode::kInvalidFile, "a special token is \"{}\", expected one that is not empty", content);
  }
  return {TemplatePart::Kind::kSpecial, 0, {found->id}, {content}};
}

}  // namespace

TokenizerParts parts_from_vocabulary(std::string_view vocabulary, const Json& config, const Json& special_tokens,
                                     const Json& added_tokens, const std::string& folder) {
  const Json nothing = Json::object();
  const JsonFields fields(config.is_null() ? nothing : config, folder + "/tokenizer_config.json");
  BertSettings settings = read_settings(fields, config, special_tokens, added_tokens, folder);

  std::unordered_map<std::string, std::string> roles;
  for (auto& role : settings.roles) {
    AddedToken& token = role.second;
    roles[role.first] = token.content;
    const bool known = std::any_of(settings.added.begin(), settings.added.end(),
                                   [&text = token.content](const AddedToken& added) { return added.content == text; });
    if (!known) settings.added.push_back(std::move(token));
  }

  const bool lowercase = fields.optional_boolean("do_lower_case").value_or(!has_capitals(vocabulary));
  BertNormalizer normalizer{true, fields.optional_boolean("tokenize_chinese_chars").value_or(true),
                            fields.optional_boolean("strip_accents").value_or(lowercase), lowercase};
  TokenizerParts parts{{normalizer},
                       {BertPreTokenizer{}},
                       WordPiece(read_lines(vocabulary, folder + "/vocab.txt"), {.unk_token = roles["unk_token"]})};
  parts.decoder = {WordPieceDecoder{}};
  parts.added_tokens = std::move(settings.added);
  number_added_tokens(parts);
  parts.post_processor = {
      bert_processing(role_token(parts, roles["cls_token"]), role_token(parts, roles["sep_token"]))};
  parts.roles = std::move(roles);
  return parts;
}

}  // namespace gamut::text
