// Reading fields of a JSON file with errors that say where the field is and what was expected.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/excerpt.h"
#include "base/owned_json.h"

namespace gamut::text {

/// An object of a JSON file together with its place, such as "tokenizer.json: model".
class JsonFields {
 public:
  /// Throws Error{kInvalidFile} unless `value` is an object.
  JsonFields(const Json& value, std::string where) : value_(value), where_(std::move(where)) {
    if (!value_.is_object()) bad("", "an object", value_);
  }

  const std::string& where() const { return where_; }
  /// The place of a field, for messages.
  std::string place(const std::string& key) const { return where_ + (key.empty() ? "" : "." + key); }
  /// The field, or null (JSON) when it is absent.
  const Json& get(const std::string& key) const {
    static const Json kNull;
    auto found = value_.find(key);
    return found == value_.end() ? kNull : *found;
  }

  bool boolean(const std::string& key) const {
    if (!get(key).is_boolean()) bad(key, "true or false", get(key));
    return get(key).get<bool>();
  }
  std::optional<bool> optional_boolean(const std::string& key) const {
    return get(key).is_null() ? std::nullopt : std::optional<bool>(boolean(key));
  }
  std::string string(const std::string& key) const {
    if (!get(key).is_string()) bad(key, "a string", get(key));
    return get(key).get<std::string>();
  }
  /// A whole number from 0 to 2^53.
  int64_t count(const std::string& key) const {
    const Json& value = get(key);
    constexpr int64_t kMost = int64_t{1} << 53;
    if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<uint64_t>() > kMost) ||
        value.get<int64_t>() < 0 || value.get<int64_t>() > kMost) {
      bad(key, "a whole number, not negative", value);
    }
    return value.get<int64_t>();
  }
  const Json& array(const std::string& key) const {
    if (!get(key).is_array()) bad(key, "an array", get(key));
    return get(key);
  }
  const Json& object(const std::string& key) const {
    if (!get(key).is_object()) bad(key, "an object", get(key));
    return get(key);
  }

  [[noreturn]] void bad(const std::string& key, const char* expected, const Json& found) const {
    const std::string shown = excerpt(found.dump(-1, ' ', false, Json::error_handler_t::replace), 80);
    fail(ErrorCode::kInvalidFile, "{}: {}, expected {}", place(key), shown, expected);
  }
  /// For a component that exists in tokenizers and not here.
  [[noreturn]] void unsupported(const char* component, const std::string& type) const {
    fail(ErrorCode::kUnsupported, "{}: {} \"{}\" is not supported", where_, component, type);
  }

 private:
  const Json& value_;
  std::string where_;
};

}  // namespace gamut::text
