// Strict parsing of untrusted JSON: sizes and depth are limited, duplicate keys and trailing bytes are errors.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace gamut {

using Json = nlohmann::json;

/// Limits that hold before any work is done.
struct JsonLimits {
  size_t max_bytes = 256u << 20;
  int max_depth = 64;
};

/// Parses `text`. `source` names it in messages ("config.json"). Throws Error{kInvalidFile} with the byte offset for
/// bad syntax, invalid UTF-8, a duplicate key (named) or more depth than allowed, Error{kResourceLimit} for too many
/// bytes.
Json parse_json(std::string_view text, const std::string& source, const JsonLimits& limits = {});

/// Reads and parses a file. Throws Error{kNotFound} when it does not exist.
Json parse_json_file(const std::filesystem::path& path, const JsonLimits& limits = {});

/// Frees what the value holds, and leaves null. Needs no memory for it: the value's own destructor lists all nodes
/// first, and ends the program when there is no memory for the list.
void free_json(Json& json) noexcept;

/// Does so at the end of a scope. Stands right behind the value.
class JsonRelease {
 public:
  explicit JsonRelease(Json& json) : json_(json) {}
  ~JsonRelease() { free_json(json_); }
  JsonRelease(const JsonRelease&) = delete;
  JsonRelease& operator=(const JsonRelease&) = delete;

 private:
  Json& json_;
};

/// Moves a value to where several may hold it; the last one frees it.
std::shared_ptr<const Json> share_json(Json&& json);

}  // namespace gamut
