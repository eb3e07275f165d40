// Parts and properties of texts, as Python's str sees them. Parts are views of the text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/template/repr.h"

namespace gamut::jinja {

/// Whether there are characters, and all have the property.
bool all_characters(std::string_view text, uint16_t property);
/// str.istitle().
bool is_titled(std::string_view text);
/// str.strip(set) and its siblings.
std::string_view strip_characters(std::string_view text, std::string_view set, StripSide side);

/// str.split() at white space, at most so many times; backwards as str.rsplit().
std::vector<std::string_view> split_at_space(std::string_view text, int64_t most, bool backwards);
/// str.split(by); `by` is not empty.
std::vector<std::string_view> split_at(std::string_view text, std::string_view by, int64_t most, bool backwards);
/// str.splitlines(keep_ends).
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);

}  // namespace gamut::jinja
