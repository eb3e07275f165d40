// JSON text to values, keys in their order.
#pragma once

#include <string>
#include <string_view>

#include "text/template/objects.h"

namespace gamut::jinja {

/// Throws Error{kInvalidArgument} that names `source` for anything but one JSON value without duplicate keys.
Value parse_json_value(Heap& heap, std::string_view text, const std::string& source);

}  // namespace gamut::jinja
