#include "text/load.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "text/json_fields.h"

namespace gamut::text {
namespace {

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
  SettingsFiles files{.folder = folder.string(), .config = parse_if_present(folder / "tokenizer_config.json")};
  files.special_tokens = parse_if_present(folder / "special_tokens_map.json");
  if (std::filesystem::exists(json_path)) {
    const FileBytes file = read_large_file(json_path, JsonLimits().max_bytes);
    TokenizerParts parts = parts_from_text(file.bytes, json_path.string());
    read_roles(files.special_tokens, parts);
    read_roles(files.config, parts);
    guess_roles(parts);
    return parts;
  }
  files.added_tokens = parse_if_present(folder / "added_tokens.json");
  return load_vocabulary(folder, files);
}

}  // namespace gamut::text
