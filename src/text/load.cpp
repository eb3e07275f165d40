#include "text/load.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "text/json_fields.h"

namespace gamut::text {
namespace {

constexpr size_t kMaxVocabularyBytes = 256u << 20;

Json parse_if_present(const std::filesystem::path& path) {
  return std::filesystem::exists(path) ? parse_json_file(path) : Json();
}

/// Roles that no file states, from what the tokenizer itself shows: the model's unknown token, and BERT's usual names
/// where they are special tokens.
void guess_roles(TokenizerParts& parts) {
  const std::string& unk = std::visit([](const auto& m) -> const std::string& { return m.unk_token(); }, parts.model);
  parts.roles.try_emplace("unk_token", unk);
  for (auto [role, name] :
       {std::pair{"cls_token", "[CLS]"}, {"sep_token", "[SEP]"}, {"mask_token", "[MASK]"}, {"pad_token", "[PAD]"}}) {
    for (const AddedToken& token : parts.added_tokens) {
      if (token.special && token.content == name) parts.roles.try_emplace(role, name);
    }
  }
}

}  // namespace

void read_roles(const Json& file, TokenizerParts& parts) {
  for (const char* role : {"cls_token", "sep_token", "mask_token", "pad_token", "unk_token"}) {
    if (!file.is_object() || !file.contains(role)) continue;
    const Json& token = file[role];
    if (token.is_string()) parts.roles[role] = token.get<std::string>();
    if (token.is_object() && token.contains("content") && token["content"].is_string()) {
      parts.roles[role] = token["content"].get<std::string>();
    }
  }
}

TokenizerParts load_tokenizer(const std::filesystem::path& folder) {
  const auto json_path = folder / "tokenizer.json";
  const auto vocabulary_path = folder / "vocab.txt";
  Json config = parse_if_present(folder / "tokenizer_config.json");
  const JsonRelease release_config(config);
  Json special_tokens = parse_if_present(folder / "special_tokens_map.json");
  const JsonRelease release_special_tokens(special_tokens);
  if (std::filesystem::exists(json_path)) {
    TokenizerParts parts = parts_from_text(read_file(json_path, JsonLimits().max_bytes), json_path.string());
    read_roles(special_tokens, parts);
    read_roles(config, parts);
    guess_roles(parts);
    return parts;
  }
  if (!std::filesystem::exists(vocabulary_path)) {
    fail_with_hint(ErrorCode::kNotFound, fmt::format("{}: no tokenizer.json and no vocab.txt", folder.string()),
                   "Give the folder of a model with its tokenizer files.");
  }
  const std::string vocabulary = read_file(vocabulary_path, kMaxVocabularyBytes);
  Json added_tokens = parse_if_present(folder / "added_tokens.json");
  const JsonRelease release(added_tokens);
  return parts_from_vocabulary(vocabulary, config, special_tokens, added_tokens, folder.string());
}

}  // namespace gamut::text
