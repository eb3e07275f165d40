// Values as text: str() and repr() as Python writes them, and the names of types.
#pragma once

#include <string>
#include <string_view>

#include "text/template/objects.h"

namespace gamut::jinja {

/// type(v).__name__.
std::string type_name(const Value& v);
/// What Jinja calls the type of an object in messages, as "dict object".
std::string object_type_repr(const Value& v);
/// repr() of a str.
std::string quoted(std::string_view text);
std::string repr(const Value& v);
/// ascii().
std::string ascii_repr(const Value& v);
std::string to_text(const Value& v);
void append_text(std::string& out, const Value& v);
/// repr() of an int. Raises ValueError, as Python does, for more than 4300 digits.
std::string integer_text(const BigInteger& value);
/// repr() of a float.
std::string real_text(double d);

/// The first characters of a text.
std::string_view first_characters(std::string_view text, size_t count);

enum StripSide { kStripLeft = 1, kStripRight = 2, kStripBoth = 3 };
/// str.strip() and its siblings for white space.
std::string_view strip(std::string_view text, StripSide side);

/// json.dumps.
struct JsonStyle {
  bool ensure_ascii = false, sort_keys = false;
  bool has_indent = false;
  std::string indent, item_separator = ", ", key_separator = ": ";
};
/// Raises TypeError for what JSON cannot hold.
void append_json(std::string& out, const Value& v, const JsonStyle& style, Budget* budget = nullptr);

}  // namespace gamut::jinja
