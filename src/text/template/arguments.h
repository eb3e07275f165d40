// What a call passes on, and how functions take it.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "text/template/objects.h"

namespace gamut::jinja {

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  /// The named one, taken out; missing if it is not there.
  Value take(std::string_view name);
};

/// One per parameter: its name and its default, missing where there is none.
using Signature = std::initializer_list<std::pair<const char*, Value>>;

/// The arguments of a Python function by its signature. Raises TypeError with Python's text; `hidden` parameters come
/// before those given, and count in its numbers.
std::vector<Value> bind(std::string_view function, Signature parameters, const Arguments& given, size_t hidden = 0);

/// An int for a C function; raises TypeError with Python's text for anything else, OverflowError beyond 64 bits.
int64_t index_of(const Value& v);

}  // namespace gamut::jinja
