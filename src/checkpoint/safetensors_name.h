// Tensor names from untrusted files: which are accepted and how messages show them.
#pragma once

#include <string>
#include <string_view>

namespace gamut {

/// Whether `name` is free of control characters.
bool is_printable_name(std::string_view name);

/// `name` in double quotes, cut at 200 bytes on a character boundary, control characters as \xNN.
std::string shown_name(std::string_view name);

}  // namespace gamut
