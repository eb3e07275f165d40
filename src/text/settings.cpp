#include "text/settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/error.h"
#include "text/json_fields.h"

namespace gamut::text {
namespace {

constexpr const char* kRoles[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                  "pad_token", "cls_token", "mask_token"};

bool is_standard_role(const std::string& name) {
  return std::find(std::begin(kRoles), std::end(kRoles), name) != std::end(kRoles);
}

/// Keeps the roles that are being merged, those without a token too, so that the order stays.
class RoleTable {
 public:
  RoleTable(const Json& class_roles, const Json& more_roles) {
    for (const char* name : kRoles) entries_.push_back({name, std::nullopt, std::nullopt});
    for (const auto& [name, value] : class_roles.items()) add(name, value);
    for (const Json& role : more_roles) add(role[0].get<std::string>(), role[1]);
  }

  /// Takes over what a file says of a role; null takes its token away.
  void set(const std::string& name, const Json& value, const std::string& where) {
    Entry& entry = find(name);
    if (value.is_null()) {
      entry.token.reset();
    } else {
      entry.token = read_stated_token(value, where, true, entry.pattern ? &*entry.pattern : nullptr);
    }
  }

  bool is_token(const std::string& content) const {
    return std::any_of(entries_.begin(), entries_.end(),
                       [&](const Entry& entry) { return entry.token && entry.token->content == content; });
  }

  std::vector<TokenizerSettings::Role> take() {
    std::vector<TokenizerSettings::Role> roles;
    for (Entry& entry : entries_) {
      if (entry.token) roles.push_back({std::move(entry.name), std::move(*entry.token)});
    }
    return roles;
  }

 private:
  struct Entry {
    std::string name;
    std::optional<AddedToken> token, pattern;
  };

  void add(const std::string& name, const Json& value) {
    Entry& entry = find(name);
    entry.pattern = entry.token = read_stated_token(value, name, true);
  }

  Entry& find(const std::string& name) {
    auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
    if (found != entries_.end()) return *found;
    constexpr size_t kMostRoles = 1024;
    if (entries_.size() == kMostRoles) {
      fail(ErrorCode::kResourceLimit, "tokenizer_config.json: more than {} tokens with a role", kMostRoles);
    }
    return entries_.emplace_back(Entry{name, std::nullopt, std::nullopt});
  }

  std::vector<Entry> entries_;
};

/// A list of tokens; nothing for null.
std::vector<AddedToken> read_list(const JsonFields& fields, const std::string& key) {
  std::vector<AddedToken> tokens;
  if (fields.get(key).is_null()) return tokens;
  const Json& list = fields.array(key);
  for (size_t i = 0; i < list.size(); ++i) {
    tokens.push_back(read_stated_token(list[i], fields.place(key) + "[" + std::to_string(i) + "]", false));
  }
  return tokens;
}

std::unordered_set<std::string> contents_of(const std::optional<std::vector<AddedToken>>& tokens) {
  std::unordered_set<std::string> contents;
  if (!tokens) return contents;
  for (const AddedToken& token : *tokens) contents.insert(token.content);
  return contents;
}

/// The roles that a file states: the known ones, further names that end in "_token" and stand for a text, and the names
/// of an extra_special_tokens that is an object.
void read_file_roles(const JsonFields& fields, const Json& file, RoleTable& roles) {
  for (const auto& [name, value] : file.items()) {
    const bool own =
        name.ends_with("_token") && (value.is_string() || (value.is_object() && value.contains("content")));
    if (is_standard_role(name) || own) roles.set(name, value, fields.place(name));
  }
  const Json& named = fields.get("extra_special_tokens");
  if (!named.is_object()) return;
  for (const auto& [name, value] : named.items()) {
    roles.set(name, value, fields.place("extra_special_tokens." + name));
  }
}

void read_config_lists(const JsonFields& config, TokenizerSettings& settings) {
  const Json& extra = config.get("extra_special_tokens");
  const bool stated = !config.get("additional_special_tokens").is_null();
  if (extra.is_array() && (!extra.empty() || !stated)) {
    settings.extra = read_list(config, "extra_special_tokens");
  } else if (stated) {
    settings.extra = read_list(config, "additional_special_tokens");
  }
}

void read_map_lists(const JsonFields& map, TokenizerSettings& settings) {
  if (!map.get("additional_special_tokens").is_null())
    settings.additional = read_list(map, "additional_special_tokens");
  if (!map.get("extra_special_tokens").is_array()) return;
  if (!settings.extra) settings.extra.emplace();
  std::unordered_set<std::string> known = contents_of(settings.extra);
  for (AddedToken& token : read_list(map, "extra_special_tokens")) {
    if (known.insert(token.content).second) settings.extra->push_back(std::move(token));
  }
}

/// added_tokens_decoder: {"id": token}
void read_decoder_list(const JsonFields& config, const RoleTable& roles, TokenizerSettings& settings) {
  const Json& decoder = config.object("added_tokens_decoder");
  const std::string where = config.place("added_tokens_decoder");
  for (const auto& [id, value] : decoder.items()) {
    if (id.empty() || id.size() > 10 || id.find_first_not_of("0123456789") != std::string::npos) {
      fail(ErrorCode::kInvalidFile, "{}: key \"{}\", expected a token id", where, id);
    }
    const JsonFields fields(value, where + "." + id);
    const bool special = roles.is_token(fields.string("content"));
    settings.listed.emplace_back(std::stoll(id), read_stated_token(value, fields.where(), special));
  }
}

/// added_tokens.json: {"token": id}
void read_added_tokens(const SettingsFiles& files, const RoleTable& roles, TokenizerSettings& settings) {
  const JsonFields fields(files.added_tokens, files.folder + "/added_tokens.json");
  const std::unordered_set<std::string> extra = contents_of(settings.extra);
  for (const auto& item : files.added_tokens.items()) {
    const std::string& content = item.key();
    AddedToken token;
    token.content = content;
    token.special = roles.is_token(content) || extra.contains(content);
    token.normalized = !token.special;
    settings.listed.emplace_back(fields.count(content), std::move(token));
  }
}

}  // namespace

const AddedToken* TokenizerSettings::role(const std::string& name) const {
  for (const Role& role : roles) {
    if (role.name == name) return &role.token;
  }
  return nullptr;
}

AddedToken read_stated_token(const Json& value, const std::string& where, bool special, const AddedToken* pattern) {
  AddedToken token;
  if (value.is_string()) {
    if (pattern) token = *pattern;
    token.content = value.get<std::string>();
    token.special = true;
    if (!pattern) token.normalized = false;
    return token;
  }
  const JsonFields fields(value, where);
  token.content = fields.string("content");
  token.special = special || fields.optional_boolean("special").value_or(false);
  token.single_word = fields.optional_boolean("single_word").value_or(false);
  token.lstrip = fields.optional_boolean("lstrip").value_or(false);
  token.rstrip = fields.optional_boolean("rstrip").value_or(false);
  token.normalized = fields.optional_boolean("normalized").value_or(!token.special);
  return token;
}

TokenizerSettings read_settings(const Json& class_roles, const Json& more_roles, const SettingsFiles& files) {
  static const Json kNothing = Json::object();
  TokenizerSettings settings;
  RoleTable roles(class_roles, more_roles);
  const Json& config_file = files.config.is_null() ? kNothing : files.config;
  const JsonFields config(config_file, files.folder + "/tokenizer_config.json");
  read_file_roles(config, config_file, roles);
  read_config_lists(config, settings);
  if (!config.get("added_tokens_decoder").is_null()) {
    read_decoder_list(config, roles, settings);
  } else {
    if (!files.special_tokens.is_null()) {
      const JsonFields map(files.special_tokens, files.folder + "/special_tokens_map.json");
      read_file_roles(map, files.special_tokens, roles);
      read_map_lists(map, settings);
    }
    if (!files.added_tokens.is_null()) read_added_tokens(files, roles, settings);
  }
  std::stable_sort(settings.listed.begin(), settings.listed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  settings.roles = roles.take();
  return settings;
}

}  // namespace gamut::text
