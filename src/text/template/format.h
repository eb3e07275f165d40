// str.format, and formatting of a value by a specification as ">10,.2f".
#pragma once

#include <string>
#include <string_view>

#include "text/template/interpreter.h"

namespace gamut::jinja {

/// What str.format (or format_map, by the name) makes of the text `self`. Raises what Python's string.Formatter raises.
std::string format_string(Interpreter& in, const Value& self, const std::string& name, const Arguments& given);

/// format(value, specification).
std::string formatted(Heap& heap, const Value& value, std::string_view specification);

}  // namespace gamut::jinja
