// JSON values that need no memory to be freed, as they must not where memory has run out.
#pragma once

#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"

namespace gamut {

/// A value that frees itself so: for one that lives while others are made, or moves on.
class OwnedJson : public Json {
 public:
  OwnedJson() = default;
  OwnedJson(Json&& json) noexcept : Json(std::move(json)) {}  // NOLINT(google-explicit-constructor): it is one
  OwnedJson(OwnedJson&&) noexcept = default;
  OwnedJson& operator=(OwnedJson&& other) noexcept {
    swap(other);
    return *this;
  }
  ~OwnedJson() { free_json(*this); }
};

/// A Json is made of it as of its base, and not of what it has in it.
void to_json(Json&, const OwnedJson&) = delete;

/// A copy; where memory runs out amid it, what is there is freed as free_json does.
OwnedJson copy_json(const Json& json);

/// Whether a value is this text. (== of the library makes a value of the text, and ends the program without memory.)
bool is_text(const Json& json, std::string_view text);

/// The member of an object, or an empty object where there is none.
const Json& member_or_empty(const Json& object, const char* key);

}  // namespace gamut
