#include "base/json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/excerpt.h"
#include "base/file.h"
#include "base/owned_json.h"

namespace gamut {
namespace {

/// Builds a Json from SAX events, so that duplicate keys and depth are seen (the DOM parser silently keeps the last).
class StrictBuilder : public nlohmann::json_sax<Json> {
 public:
  StrictBuilder(const std::string& source, const JsonLimits& limits) : source_(source), limits_(limits) {}
  ~StrictBuilder() override { free_json(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return push(Json::object()); }
  bool start_array(std::size_t) override { return push(Json::array()); }
  bool end_object() override { return pop(); }
  bool end_array() override { return pop(); }
  bool key(string_t& name) override {
    auto [member, is_new] = stack_.back()->get_ref<Json::object_t&>().emplace(std::move(name), nullptr);
    if (!is_new) fail(ErrorCode::kInvalidFile, "{}: duplicate key \"{}\"", source_, excerpt(member->first, 200));
    member_ = &member->second;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    std::string what = error.what();
    size_t colon = what.find("error", what.find(']'));
    what = colon == std::string::npos ? what : what.substr(colon);
    // The parser quotes what it read, which may be long and need not be text.
    what = what.substr(0, std::min<size_t>(what.find("; last read"), 200));
    fail(ErrorCode::kInvalidFile, "{}: invalid JSON at byte {}: {}", source_, position, what);
  }

  Json take() { return std::move(root_); }

 private:
  template <typename T>
  Json* place(T&& value) {
    if (stack_.empty()) {
      root_ = std::forward<T>(value);
      return &root_;
    }
    Json& parent = *stack_.back();
    if (parent.is_object()) return &(*member_ = std::forward<T>(value));
    parent.push_back(std::forward<T>(value));
    return &parent.back();
  }
  template <typename T>
  bool add(T&& value) {
    place(std::forward<T>(value));
    return true;
  }
  bool push(Json container) {
    if (static_cast<int>(stack_.size()) >= limits_.max_depth) {
      fail(ErrorCode::kInvalidFile, "{}: nested deeper than {} levels", source_, limits_.max_depth);
    }
    stack_.push_back(place(std::move(container)));
    return true;
  }
  bool pop() {
    stack_.pop_back();
    return true;
  }

  const std::string& source_;
  const JsonLimits& limits_;
  Json root_;
  std::vector<Json*> stack_;
  Json* member_ = nullptr;  // the value of the key read last, still to be placed
};

}  // namespace

Json parse_json(std::string_view text, const std::string& source, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    fail(ErrorCode::kResourceLimit, "{}: {} bytes of JSON, at most {} expected", source, text.size(), limits.max_bytes);
  }
  // The parser takes a NUL for the end of its input and would ignore what follows.
  if (size_t nul = text.find('\0'); nul != std::string_view::npos) {
    fail(ErrorCode::kInvalidFile, "{}: invalid JSON at byte {}: a NUL byte", source, nul);
  }
  StrictBuilder builder(source, limits);
  Json::sax_parse(text, &builder);
  return builder.take();
}

Json parse_json_file(const std::filesystem::path& path, const JsonLimits& limits) {
  return parse_json(read_file(path, limits.max_bytes), path.string(), limits);
}

void free_json(Json& json) noexcept {
  if (json.is_array()) {
    for (Json& item : json) free_json(item);
  } else if (json.is_object()) {
    for (auto& [name, value] : json.get_ref<Json::object_t&>()) free_json(value);
  }
  if (json.is_structured()) json.clear();  // its items are null now
  json = nullptr;
}

OwnedJson copy_json(const Json& json) {
  if (!json.is_structured()) return Json(json);
  OwnedJson copy = json.is_array() ? Json::array() : Json::object();
  if (json.is_array()) {
    for (const Json& item : json) copy.push_back(copy_json(item));
  } else {
    for (const auto& [name, value] : json.items()) {
      Json& place = copy[name];  // before there is a value to free
      place = copy_json(value);
    }
  }
  return copy;
}

bool is_text(const Json& json, std::string_view text) {
  return json.is_string() && json.get_ref<const std::string&>() == text;
}

const Json& member_or_empty(const Json& object, const char* key) {
  static const Json kEmpty = Json::object();
  const auto found = object.find(key);
  return found == object.end() ? kEmpty : *found;
}

std::shared_ptr<const Json> share_json(Json&& json) {
  return std::shared_ptr<const Json>(new Json(std::move(json)), [](Json* shared) {
    free_json(*shared);
    delete shared;
  });
}

}  // namespace gamut
