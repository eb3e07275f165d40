#include "text/classes.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "text/json_fields.h"

namespace gamut::text {
namespace {

constexpr const char* kAnyFast = "TokenizersBackend";

std::string without_fast(std::string name) {
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

std::string string_of(const Json& file, const char* key) {
  if (!file.is_object() || !file.contains(key) || !file[key].is_string()) return "";
  return file[key].get<std::string>();
}

/// The class that a name of a config stands for; one that transformers does not know is the base of all fast ones.
std::string resolved(const Json& names, const std::string& name) {
  const Json& aliases = names["aliases"];
  if (aliases.contains(name)) return aliases[name].get<std::string>();
  if (!tokenizer_class_text(name).empty()) return name;
  for (const auto& entry : names["model_types"]) {
    if (entry.get_ref<const std::string&>() == name) return name;
  }
  return kAnyFast;
}

}  // namespace

std::string class_for(const Json& tokenizer_config, const Json& model_config) {
  const OwnedJson names = parse_json(tokenizer_class_text("class_names"), "class_names.json");
  std::string stated = string_of(tokenizer_config, "tokenizer_class");
  if (stated.empty()) stated = string_of(model_config, "tokenizer_class");
  stated = without_fast(stated);
  const std::string type = string_of(model_config, "model_type");
  const std::string registered = names["model_types"].value(type, "");
  if (stated.empty()) return registered.empty() ? "" : resolved(names, registered);
  if (registered.empty() || registered == stated) return resolved(names, stated);
  if (registered == kAnyFast) return kAnyFast;
  const Json& wrong = names["types_with_a_wrong_class"];
  const bool is_wrong = std::find(wrong.begin(), wrong.end(), type) != wrong.end();
  return resolved(names, is_wrong ? registered : stated);
}

OwnedJson class_description(const std::string& name) {
  const std::string_view text = tokenizer_class_text(name);
  if (text.empty() || name == "class_names") return Json();
  OwnedJson description = parse_json(text, name + ".json");
  if (description.contains("like")) return class_description(description["like"].get<std::string>());
  return description;
}

ClassScope::ClassScope(const Json& defaults, const Json& config) : values_(copy_json(defaults)) {
  if (values_.is_null()) values_ = Json::object();
  if (!config.is_object()) return;
  for (const auto& [name, value] : config.items()) {
    if (!value.is_null() && values_.contains(name)) {
      OwnedJson copy = copy_json(value);
      values_.find(name)->swap(copy);
    }
  }
}

const Json& ClassScope::get(const std::string& name) const {
  static const Json kNull;
  const auto found = values_.find(name);
  return found == values_.end() ? kNull : *found;
}

bool ClassScope::truth(const std::string& name) const {
  const Json& value = get(name);
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  return !value.empty() && !is_text(value, "");
}

size_t ClassScope::count(const std::string& name, size_t most) const {
  const Json& value = get(name);
  if (!value.is_number_integer() || value.get<int64_t>() < 0 || value.get<uint64_t>() > most) {
    fail(ErrorCode::kInvalidFile, "tokenizer_config.json: {}: {}, expected a whole number up to {}", name,
         excerpt(value.dump(-1, ' ', false, Json::error_handler_t::replace), 80), most);
  }
  return value.get<size_t>();
}

OwnedJson ClassScope::expand(const Json& node) const {
  if (node.is_string()) {
    const auto& text = node.get_ref<const std::string&>();
    return copy_json(text.starts_with('$') ? get(text.substr(1)) : node);
  }
  if (node.is_array()) {
    OwnedJson out = Json::array();
    for (const Json& item : node) {
      if (OwnedJson value = expand(item); !value.is_null()) out.push_back(std::move(value));
    }
    return out;
  }
  if (!node.is_object()) return copy_json(node);
  if (node.contains("if")) {
    const auto& condition = node["if"].get_ref<const std::string&>();
    const bool negated = condition.starts_with('!');
    const bool holds = truth(condition.substr(negated)) != negated;
    const char* branch = holds ? "then" : "else";
    return node.contains(branch) ? expand(node[branch]) : OwnedJson();
  }
  OwnedJson out = Json::object();
  for (const auto& [key, value] : node.items()) {
    Json& place = out[key];  // before there is a value to free
    place = expand(value);
  }
  return out;
}

size_t ClassScope::bound(const std::string& text) const {
  constexpr size_t kMostTokens = 65536;
  if (text.find_first_not_of("0123456789") == std::string::npos) return std::stoul(text);
  return count(text, kMostTokens);
}

void ClassScope::expand_name(const std::string& text, std::vector<std::string>& out) const {
  const size_t open = text.find('{'), dots = text.find("..", open), close = text.find('}', open);
  if (open == std::string::npos || dots == std::string::npos || close == std::string::npos) {
    out.push_back(text);
    return;
  }
  const size_t from = bound(text.substr(open + 1, dots - open - 1));
  const size_t to = bound(text.substr(dots + 2, close - dots - 2));
  auto add = [&](size_t i) { out.push_back(text.substr(0, open) + std::to_string(i) + text.substr(close + 1)); };
  for (size_t i = from; i < to; ++i) add(i);
  for (size_t i = from; i > to; --i) add(i - 1);
}

void ClassScope::expand_item(const Json& item, std::vector<std::string>& out) const {
  if (item.is_string() && !item.get_ref<const std::string&>().starts_with('$')) {
    return expand_name(item.get_ref<const std::string&>(), out);
  }
  auto add = [&](const Json& name) {
    if (!name.is_string()) {
      fail(ErrorCode::kInvalidFile, "tokenizer_config.json: {}: {}, expected a token", item.dump(),
           excerpt(name.dump(-1, ' ', false, Json::error_handler_t::replace), 80));
    }
    out.push_back(name.get<std::string>());
  };
  const OwnedJson value = expand(item);
  if (value.is_null()) return;
  if (!value.is_array()) return add(value);
  for (const Json& name : value) add(name);
}

std::vector<std::string> ClassScope::expand_names(const Json& list) const {
  std::vector<std::string> out;
  for (const Json& item : list) expand_item(item, out);
  return out;
}

std::vector<std::string> ClassScope::expand_item(const Json& item) const {
  std::vector<std::string> out;
  expand_item(item, out);
  return out;
}

}  // namespace gamut::text
