// Strict parsing of untrusted JSON: sizes and depth are limited, duplicate keys and trailing bytes are errors.
#pragma once

#include <cstddef>
#include <filesystem>
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

}  // namespace gamut
