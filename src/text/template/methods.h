// Methods, by the type of what they belong to.
#pragma once

#include <string>

#include "text/template/interpreter.h"

namespace gamut::jinja {

/// Calls a method of str. Raises what Python raises.
Value call_string_method(Interpreter& in, const Value& self, const std::string& name, const Arguments& given);

/// What str.translate makes of a character: a str, none to leave it out, missing to keep it.
Value translated(Interpreter& in, const Value& table, char32_t c);
/// dict.fromkeys.
Value keys_with_value(Heap& heap, const Arguments& given);
/// str.maketrans.
Value translation_table(Heap& heap, const Arguments& given);

}  // namespace gamut::jinja
