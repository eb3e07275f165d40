#include "config/config.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/excerpt.h"
#include "base/file.h"
#include "config/defaults.h"

namespace gamut {
namespace {

constexpr JsonLimits kConfigLimits{.max_bytes = 16u << 20, .max_depth = 64};
constexpr IntRange kLabelRange{.min = 1, .max = 1 << 24};
constexpr int64_t kDefaultLabels = 2;
/// A few bytes of config.json must not fill the memory with names that say nothing.
constexpr int64_t kMostMadeNames = 1 << 16;

/// A value as messages show it: cut short, and for containers the kind.
std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  return excerpt(value.dump(-1, ' ', true));
}

/// The defaults of a model type, or of the base class that every configuration class extends.
std::shared_ptr<const Json> load_defaults(const Json& config) {
  auto type = config.find("model_type");
  std::string_view text;
  if (type != config.end() && type->is_string()) text = config_defaults_text(type->get_ref<const std::string&>());
  if (text.empty()) text = config_defaults_text("_base");
  return share_json(parse_json(text, "configuration defaults"));
}

/// `key` as a label id, or -1.
int64_t parse_label_id(const std::string& key) {
  int64_t id = -1;
  const char* end = key.data() + key.size();
  auto [stop, error] = std::from_chars(key.data(), end, id);
  return error == std::errc() && stop == end && id >= 0 ? id : -1;
}

}  // namespace

Config Config::open(const std::filesystem::path& dir) {
  const std::filesystem::path path = dir / "config.json";
  std::string source = path.string();
  return from_json(parse_json_file(path, kConfigLimits), std::move(source));
}

Config Config::parse(std::string_view text, std::string source) {
  Json json = parse_json(text, source, kConfigLimits);
  return from_json(std::move(json), std::move(source));
}

Config Config::from_json(Json json, std::string source) {
  const JsonRelease release(json);
  if (!json.is_object()) {
    fail(ErrorCode::kInvalidFile, "{}: found {}, expected an object", source, shown(json));
  }
  Config config;
  config.defaults_ = load_defaults(json);
  config.json_ = share_json(std::move(json));
  config.source_ = std::move(source);
  return config;
}

std::string Config::model_type() const {
  if (!has("model_type")) {
    fail_with_hint(
        ErrorCode::kInvalidFile,
        fmt::format("{}: no {}model_type, expected the name of an architecture such as \"bert\"", source_, prefix_),
        "Add \"model_type\" to the file; transformers writes it since version 2.2.");
  }
  return s("model_type");
}

std::vector<std::string> Config::architectures() const {
  return has("architectures") ? strings("architectures") : std::vector<std::string>{};
}

std::string_view Config::canonical(std::string_view name) const {
  const Json& aliases = defaults_->at("attribute_map");
  auto alias = aliases.find(name);
  return alias == aliases.end() ? name : std::string_view(alias->get_ref<const std::string&>());
}

const Json* Config::lookup_given(std::string_view name) const {
  const std::string_view target = canonical(name);
  // An alias beside its target wins, as transformers assigns it later.
  for (const auto& [alias, other] : defaults_->at("attribute_map").items()) {
    if (other.get_ref<const std::string&>() != target) continue;
    if (auto found = json_->find(alias); found != json_->end()) return &*found;
  }
  auto found = json_->find(target);
  return found == json_->end() ? nullptr : &*found;
}

const Json* Config::lookup(std::string_view name) const {
  const Json* value = lookup_given(name);
  if (value == nullptr) {
    const Json& defaults = defaults_->at("defaults");
    auto found = defaults.find(canonical(name));
    if (found != defaults.end()) value = &*found;
  }
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool Config::has(std::string_view name) const { return name == "num_labels" || lookup(name) != nullptr; }

bool Config::given(std::string_view name) const { return lookup_given(name) != nullptr; }

void Config::refuse(std::string_view name, const Json& found, const std::string& expected) const {
  fail(ErrorCode::kInvalidFile, "{}: {}{} is {}, expected {}", source_, prefix_, name, shown(found), expected);
}

const Json& Config::require(std::string_view name, const char* expected) const {
  const Json* value = lookup(name);
  if (value == nullptr) {
    fail(ErrorCode::kInvalidFile, "{}: no {}{}, expected {}", source_, prefix_, name, expected);
  }
  return *value;
}

int64_t Config::as_int(std::string_view name, const Json& value, IntRange range) const {
  const std::string expected = fmt::format("an integer from {} to {}", range.min, range.max);
  int64_t result = 0;
  if (value.is_number_unsigned()) {
    if (value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) refuse(name, value, expected);
    result = value.get<int64_t>();
  } else if (value.is_number_integer()) {
    result = value.get<int64_t>();
  } else if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::trunc(number) != number || std::abs(number) > 0x1p53) refuse(name, value, expected);
    result = static_cast<int64_t>(number);
  } else {
    refuse(name, value, expected);
  }
  if (result < range.min || result > range.max) refuse(name, value, expected);
  return result;
}

/// How transformers writes a number that JSON does not have: {"__float__": "Infinity"}.
constexpr const char* kFloat = "__float__";

double Config::as_num(std::string_view name, const Json& value, NumRange range) const {
  const bool is_infinity =
      value.is_object() && value.size() == 1 && value.contains(kFloat) && value[kFloat] == "Infinity";
  if (value.is_number() || is_infinity) {
    const double number = is_infinity ? std::numeric_limits<double>::infinity() : value.get<double>();
    if (number >= range.min && number <= range.max) return number;
  }
  const NumRange any;
  if (range.min == any.min && range.max == any.max) refuse(name, value, "a finite number");
  refuse(name, value, fmt::format("a number from {} to {}", range.min, range.max));
}

const Json& Config::as_array(std::string_view name, const char* expected, size_t max_count) const {
  const Json& value = require(name, expected);
  if (!value.is_array()) refuse(name, value, expected);
  if (value.size() > max_count) {
    fail(ErrorCode::kResourceLimit, "{}: {}{} has {} items, at most {} expected", source_, prefix_, name, value.size(),
         max_count);
  }
  return value;
}

int64_t Config::i(std::string_view name, IntRange range) const {
  if (name == "num_labels") return num_labels();
  return as_int(name, require(name, "an integer"), range);
}

double Config::num(std::string_view name, NumRange range) const {
  return as_num(name, require(name, "a number"), range);
}

std::string Config::s(std::string_view name) const {
  const Json& value = require(name, "a string");
  if (!value.is_string()) refuse(name, value, "a string");
  return value.get<std::string>();
}

bool Config::b(std::string_view name) const {
  const Json& value = require(name, "true or false");
  if (!value.is_boolean()) refuse(name, value, "true or false");
  return value.get<bool>();
}

std::vector<int64_t> Config::ints(std::string_view name, IntRange range, size_t max_count) const {
  std::vector<int64_t> result;
  for (const Json& item : as_array(name, "an array of integers", max_count)) {
    result.push_back(as_int(fmt::format("{}[{}]", name, result.size()), item, range));
  }
  return result;
}

std::vector<double> Config::nums(std::string_view name, NumRange range, size_t max_count) const {
  std::vector<double> result;
  for (const Json& item : as_array(name, "an array of numbers", max_count)) {
    result.push_back(as_num(fmt::format("{}[{}]", name, result.size()), item, range));
  }
  return result;
}

std::vector<std::string> Config::strings(std::string_view name, size_t max_count) const {
  std::vector<std::string> result;
  for (const Json& item : as_array(name, "an array of strings", max_count)) {
    if (!item.is_string()) refuse(fmt::format("{}[{}]", name, result.size()), item, "a string");
    result.push_back(item.get<std::string>());
  }
  return result;
}

int64_t Config::i_or(std::string_view name, int64_t fallback, IntRange range) const {
  return has(name) ? i(name, range) : fallback;
}

double Config::num_or(std::string_view name, double fallback, NumRange range) const {
  return has(name) ? num(name, range) : fallback;
}

std::string Config::s_or(std::string_view name, std::string_view fallback) const {
  return has(name) ? s(name) : std::string(fallback);
}

bool Config::b_or(std::string_view name, bool fallback) const { return has(name) ? b(name) : fallback; }

Config Config::defaults() const {
  Config config;
  config.defaults_ = load_defaults(Json::object());
  config.json_ = defaults_ == nullptr ? share_json(Json::object())
                                      : std::shared_ptr<const Json>(defaults_, &defaults_->at("defaults"));
  config.source_ = source_;
  return config;
}

Config Config::sub(std::string_view name) const {
  const Json& value = require(name, "an object");
  if (!value.is_object()) refuse(name, value, "an object");
  Config config;
  config.defaults_ = load_defaults(value);
  // Shares the whole object that holds the value.
  config.json_ = std::shared_ptr<const Json>(given(name) ? json_ : defaults_, &value);
  config.source_ = source_;
  config.prefix_ = prefix_ + std::string(name) + ".";
  return config;
}

int64_t Config::num_labels() const {
  // In this order transformers assigns them; the last one counts.
  if (const Json* value = lookup("num_labels")) return as_int("num_labels", *value, kLabelRange);
  if (!has("id2label")) return kDefaultLabels;
  const Json& labels = require("id2label", "an object");
  if (!labels.is_object() || labels.empty()) refuse("id2label", labels, "an object from ids to label names");
  return static_cast<int64_t>(labels.size());
}

std::map<int64_t, std::string> Config::id2label() const {
  std::map<int64_t, std::string> result;
  const int64_t count = num_labels();
  const Json* labels = lookup("id2label");
  if (labels == nullptr || static_cast<int64_t>(labels->size()) != count) {
    if (count > kMostMadeNames) {
      fail(ErrorCode::kResourceLimit, "{}: num_labels is {} and id2label does not name them, at most {} expected",
           source(), count, kMostMadeNames);
    }
    for (int64_t id = 0; id < count; ++id) result.emplace(id, fmt::format("LABEL_{}", id));
    return result;
  }
  if (!labels->is_object()) refuse("id2label", *labels, "an object from ids to label names");
  for (const auto& [key, value] : labels->items()) {
    const int64_t id = parse_label_id(key);
    if (id < 0) refuse("id2label", Json(key), "ids that are non-negative integers");
    // Some files name their labels with numbers.
    std::string label = value.is_string() ? value.get<std::string>() : shown(value);
    if (!result.emplace(id, std::move(label)).second) refuse("id2label", Json(key), "each id once");
  }
  return result;
}

}  // namespace gamut
