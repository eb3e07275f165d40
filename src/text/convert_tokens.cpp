#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "text/convert.h"
#include "text/json_fields.h"

namespace gamut::text {
namespace {

/// Added tokens in the order in which they join. As in the `tokenizers` package a token that comes again changes its
/// options, and stays special.
class AddedTokenList {
 public:
  void add(AddedToken token) {
    auto [place, is_new] = places_.try_emplace(token.content, tokens_.size());
    if (is_new) {
      tokens_.push_back(std::move(token));
      return;
    }
    AddedToken& known = tokens_[place->second];
    token.special = token.special || known.special;
    known = std::move(token);
  }
  std::vector<AddedToken> take() { return std::move(tokens_); }

 private:
  std::vector<AddedToken> tokens_;
  std::unordered_map<std::string, size_t> places_;
};

AddedToken special_token(std::string content) {
  AddedToken token;
  token.content = std::move(content);
  token.special = true;
  token.normalized = false;
  return token;
}

/// The further special tokens of the class: those of the files beside the vocabulary, or else `own` with what the class
/// adds to them.
std::vector<AddedToken> extra_tokens(const Conversion& conversion, const std::vector<AddedToken>* own) {
  const TokenizerSettings& settings = conversion.settings;
  if (settings.extra) return *settings.extra;
  if (own == nullptr && settings.additional) own = &*settings.additional;
  std::vector<AddedToken> tokens;
  if (own) tokens = *own;
  const Json& extra = member_or_empty(conversion.description, "extra");
  if (extra.empty() || (extra.value("instead_of_none", false) && own)) return tokens;
  const std::string unless = extra.value("unless", "");
  const bool has = !unless.empty() && std::any_of(tokens.begin(), tokens.end(), [&](const AddedToken& token) {
    return token.content.find(unless) != std::string::npos;
  });
  if (has) return tokens;
  if (extra.value("instead", false)) tokens.clear();
  std::vector<AddedToken> added;
  for (std::string& name : conversion.scope.expand_names(extra["tokens"])) {
    added.push_back(special_token(std::move(name)));
  }
  tokens.insert(extra.value("first", false) ? tokens.begin() : tokens.end(), added.begin(), added.end());
  return tokens;
}

int64_t id_of(const TokenizerParts& parts, const std::string& content) {
  for (const AddedToken& token : parts.added_tokens) {
    if (token.content == content) return token.id;
  }
  if (const auto id = model_id(parts.model, content)) return *id;
  // A token that the vocabulary lacks is as unknown here as anywhere.
  const auto unk = parts.roles.find("unk_token");
  if (unk != parts.roles.end() && unk->second != content) return id_of(parts, unk->second);
  fail(ErrorCode::kInvalidFile, "the special token \"{}\" is not in the vocabulary, nor is an unknown token", content);
}

std::string spelling_of(const TokenizerParts& parts, int64_t id) {
  for (const AddedToken& token : parts.added_tokens) {
    if (token.id == id) return token.content;
  }
  return std::string(model_token(parts.model, id).value_or(""));
}

/// A part of a template: "A", "B", a token, each with ":1" for type 1; {"content", "id_of"} for a token under another's
/// id, {"content", "id"} for a fixed one; {"token"} for a token that is spelled as its id is.
TemplatePart read_part(const Json& item, const Conversion& conversion, const TokenizerParts& parts) {
  const ClassScope& scope = conversion.scope;
  TemplatePart part;
  auto token = [&](const Json& node) {
    std::vector<std::string> names = scope.expand_item(node);
    if (!names.empty()) return std::move(names[0]);
    fail(ErrorCode::kInvalidFile, "{}: no {}, which the class puts around a text", conversion.source,
         node.is_string() ? node.get_ref<const std::string&>().substr(1) : node.dump());
  };
  if (item.is_object()) {
    part = {TemplatePart::Kind::kSpecial, item.value("type", int64_t{0}), {}, {}};
    if (item.contains("token")) {
      part.ids = {id_of(parts, token(item["token"]))};
      part.tokens = {spelling_of(parts, part.ids[0])};
    } else {
      part.tokens = {token(item["content"])};
      part.ids = {item.contains("id") ? item["id"].get<int64_t>()
                                      : id_of(parts, item.contains("id_of") ? token(item["id_of"]) : part.tokens[0])};
    }
    return part;
  }
  std::string text = item.get<std::string>();
  if (text.size() > 2 && text[text.size() - 2] == ':') {
    part.type_id = text.back() - '0';
    text.resize(text.size() - 2);
  }
  if (text == "A" || text == "B") {
    part.kind = text == "A" ? TemplatePart::Kind::kFirst : TemplatePart::Kind::kSecond;
    return part;
  }
  const std::string content = token(text);
  return {TemplatePart::Kind::kSpecial, part.type_id, {id_of(parts, content)}, {content}};
}

Template read_parts(const Json& list, const Conversion& conversion, const TokenizerParts& parts) {
  Template out;
  for (const Json& item : list) {
    if (!item.is_object() || !item.contains("if")) {
      out.push_back(read_part(item, conversion, parts));
      continue;
    }
    const auto& condition = item["if"].get_ref<const std::string&>();
    const bool negated = condition.starts_with('!');
    const char* branch = conversion.scope.truth(condition.substr(negated)) != negated ? "then" : "else";
    if (!item.contains(branch)) continue;
    for (TemplatePart& part : read_parts(item[branch], conversion, parts)) out.push_back(std::move(part));
  }
  return out;
}

/// `bos` text `eos`, the same for a pair, with type 1: what a class without a post-processor of its own has.
TemplateProcessing ends_processing(const Conversion& conversion, const Json& config, const TokenizerParts& parts) {
  auto wanted = [&](const char* key, const char* role) -> const AddedToken* {
    bool add = conversion.description.value(key, false);
    if (config.is_object() && config.contains(key)) add = config[key].is_boolean() && config[key].get<bool>();
    return add ? conversion.settings.role(role) : nullptr;
  };
  const AddedToken* bos = wanted("add_bos_token", "bos_token");
  const AddedToken* eos = wanted("add_eos_token", "eos_token");
  TemplateProcessing out;
  for (int64_t type = 0; type < 2; ++type) {
    auto special = [&](const AddedToken& token) {
      out.pair.push_back({TemplatePart::Kind::kSpecial, type, {id_of(parts, token.content)}, {token.content}});
    };
    if (bos) special(*bos);
    out.pair.push_back({type == 0 ? TemplatePart::Kind::kFirst : TemplatePart::Kind::kSecond, type, {}, {}});
    if (eos) special(*eos);
    if (type == 0) out.single = out.pair;
  }
  return out;
}

}  // namespace

namespace {

/// Values that follow from others.
void derive(const Json& config, const std::string& source, ClassScope& scope) {
  if (config.is_object()) {
    for (const char* name : {"mask_token", "mask_token_sent"}) {
      if (const Json& stated = member_or_empty(config, name); stated.is_string()) {
        scope.set(std::string("stated_") + name, stated);
      }
    }
  }
  if (const Json& language = scope.get("tgt_lang"); language.is_string()) {
    const auto& name = language.get_ref<const std::string&>();
    scope.set("tgt_lang_token", name.find("__") == std::string::npos ? "__" + name + "__" : name);
  }
  scope.set("translates", is_text(scope.get("task"), "translate"));
  scope.set("pads_left", config.is_object() && is_text(member_or_empty(config, "padding_side"), "left"));
  if (!scope.get("language").is_null()) {
    fail(ErrorCode::kUnsupported, "{}: a language in tokenizer_config.json is not supported without a tokenizer.json",
         source);
  }
}

}  // namespace

Conversion start_conversion(OwnedJson description, const SettingsFiles& files, const std::string& source,
                            const Json& roles) {
  OwnedJson class_roles = copy_json(member_or_empty(description, "roles"));
  if (roles.is_object()) {
    for (const auto& [name, value] : roles.items()) class_roles.emplace(name, value);
  }
  TokenizerSettings settings = read_settings(class_roles, member_or_empty(description, "more_roles"), files);
  ClassScope scope(member_or_empty(description, "options"), files.config);
  Conversion conversion{std::move(description), std::move(scope), std::move(settings), source};
  for (const auto& role : conversion.settings.roles) conversion.scope.set(role.name, role.token.content);
  derive(files.config, source, conversion.scope);
  return conversion;
}

void add_tokens(const Conversion& conversion, const AddedTokenSources& sources, TokenizerParts& parts) {
  const TokenizerSettings& settings = conversion.settings;
  std::vector<AddedToken> extra = extra_tokens(conversion, sources.own);
  AddedTokenList list;
  std::unordered_set<std::string> known;
  for (const AddedToken& token : sources.model_first) known.insert(token.content), list.add(token);
  for (const auto& [id, token] : settings.listed) known.insert(token.content), list.add(token);
  for (const auto& role : settings.roles) {
    if (!known.contains(role.token.content)) list.add(role.token);
  }
  auto is_role = [&](const std::string& content) {
    return std::any_of(settings.roles.begin(), settings.roles.end(),
                       [&](const auto& role) { return role.token.content == content; });
  };
  const bool all_special = conversion.description.value("extra_tokens_are_special", false);
  for (AddedToken& token : extra) {
    if (known.contains(token.content)) continue;
    token.special = token.special || all_special || is_role(token.content);
    list.add(token);
  }
  if (conversion.description.value("plain_special_tokens", false)) {
    for (const auto& role : settings.roles) list.add(special_token(role.token.content));
    for (const AddedToken& token : extra) list.add(special_token(token.content));
  }
  parts.added_tokens = list.take();
  number_added_tokens(parts);
  for (const auto& role : settings.roles) parts.roles[role.name] = role.token.content;
}

void set_post_processor(const Conversion& conversion, const Json& config, TokenizerParts& parts) {
  const Json& description = conversion.description;
  const bool is_asked =
      (config.is_object() && (config.contains("add_bos_token") || config.contains("add_eos_token"))) ||
      description.contains("add_bos_token");
  const Json& own = member_or_empty(description, "post_processor");
  if (own.empty() || (is_asked && own.value("unless_asked", false))) {
    parts.post_processor = {ends_processing(conversion, config, parts), {}, true};
    return;
  }
  if (own.contains("roberta")) {
    parts.post_processor.processing =
        roberta_processing(read_part("$cls_token", conversion, parts), read_part("$sep_token", conversion, parts));
    if (own.value("trim_offsets", conversion.scope.truth("trim_offsets"))) {
      const bool prefix = own.value("add_prefix_space", conversion.scope.truth("add_prefix_space"));
      parts.post_processor.trims.push_back({prefix});
    }
    return;
  }
  parts.post_processor.processing = {read_parts(own["single"], conversion, parts),
                                     read_parts(own["pair"], conversion, parts)};
  parts.post_processor.windows_keep_types = !own.value("types_of_template", false);
}

}  // namespace gamut::text
