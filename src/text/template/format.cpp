#include "text/template/format.h"

#include <algorithm>

#include "text/template/numbers.h"
#include "text/template/operators.h"
#include "text/template/python_unicode.h"
#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut::jinja {
namespace {

/// A "{…}" of a format: the field, the conversion behind "!" (or 0) and the specification behind ":".
struct Field {
  std::string_view name, specification;
  char32_t conversion = 0;
};

class Formatter {
 public:
  Formatter(Interpreter& in, bool is_markup, const Arguments& given, const Value& mapping)
      : in_(in), heap_(in.heap()), is_markup_(is_markup), given_(given), mapping_(mapping) {}

  std::string run(std::string_view text, int depth) {
    if (depth < 0) value_error("Max string recursion exceeded");
    std::string out;
    for (size_t at = 0; at < text.size();) {
      const char c = text[at];
      if (c != '{' && c != '}') {
        out += c;
        ++at;
      } else if (at + 1 < text.size() && text[at + 1] == c) {
        out += c;
        at += 2;
      } else if (c == '}') {
        value_error("Single '}}' encountered in format string");
      } else {
        const Field field = read_field(text, ++at);
        out += shown(field, depth);
        heap_.budget().expect(out.size());
      }
    }
    return out;
  }

 private:
  /// The field from `at` on, which is moved behind it.
  static Field read_field(std::string_view text, size_t& at) {
    if (at >= text.size()) value_error("Single '{{' encountered in format string");
    Field field;
    const size_t start = at;
    int brackets = 0;
    for (; at < text.size(); ++at) {
      const char c = text[at];
      if (c == '{') value_error("unexpected '{{' in field name");
      if (c == '[') brackets = 1;
      if (c == ']') brackets = 0;
      if (brackets == 0 && (c == '}' || c == ':' || c == '!')) break;
    }
    field.name = text.substr(start, at - start);
    if (at >= text.size()) value_error("expected '}}' before end of string");
    if (text[at] == '!') read_conversion(text, at, field);
    if (text[at] == ':') {
      const size_t begin = ++at;
      for (int depth = 1; at < text.size(); ++at) {
        depth += text[at] == '{' ? 1 : text[at] == '}' ? -1 : 0;
        if (depth == 0) break;
      }
      if (at >= text.size()) value_error("unmatched '{{' in format spec");
      field.specification = text.substr(begin, at - begin);
    }
    ++at;
    return field;
  }
  static void read_conversion(std::string_view text, size_t& at, Field& field) {
    if (++at >= text.size()) value_error("end of string while looking for conversion specifier");
    const char* p = text.data() + at;
    field.conversion = text::decode_utf8(p);
    at = static_cast<size_t>(p - text.data());
    if (at >= text.size()) value_error("unmatched '{{' in format spec");
    if (text[at] != ':' && text[at] != '}') {
      if (field.conversion == '}') value_error("unmatched '{{' in format spec");
      value_error("expected ':' after conversion specifier");
    }
  }

  static bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  }
  static int64_t number_of(std::string_view digits) {
    if (digits.size() > 18) value_error("Too many decimal digits in format string");
    return std::stoll(std::string(digits));
  }

  Value first_value(std::string_view name) {
    if (is_number(name)) {
      const auto at = static_cast<size_t>(number_of(name));
      if (at >= given_.positional.size()) raise(ExceptionType::kIndexError, "tuple index out of range");
      return given_.positional[at];
    }
    if (!mapping_.is_missing()) return from_mapping(name);
    for (const auto& [key, value] : given_.named) {
      if (key == name) return value;
    }
    throw Exception{ExceptionType::kKeyError, quoted(name)};
  }
  Value from_mapping(std::string_view name) {
    if (mapping_.is_undefined()) mapping_.as<Undefined>().fail();
    if (!mapping_.is(Type::kDict)) type_error("'{}' object is not subscriptable", type_name(mapping_));
    const Value* found = mapping_.as<Dict>().find(name);
    if (found == nullptr) throw Exception{ExceptionType::kKeyError, quoted(name)};
    return *found;
  }

  Value value_of(const Field& field) {
    const size_t end = std::min(field.name.find_first_of(".["), field.name.size());
    std::string first(field.name.substr(0, end));
    if (field.name.empty()) {
      if (manual_) value_error("cannot switch from manual field specification to automatic field numbering");
      first = std::to_string(next_++);
    } else if (is_number(field.name)) {
      if (next_ > 0) value_error("cannot switch from manual field specification to automatic field numbering");
      manual_ = true;
    }
    if (first.empty()) throw Exception{ExceptionType::kKeyError, "''"};
    Value value = first_value(first);
    for (std::string_view path = field.name.substr(end); !path.empty();) {
      const bool is_item = path[0] == '[';
      if (!is_item && path[0] != '.') value_error("Only '.' or '[' may follow ']' in format field specifier");
      const size_t stop = is_item ? path.find(']') : std::min(path.find_first_of(".[", 1), path.size());
      if (stop == std::string_view::npos) value_error("Missing ']' in format string");
      const std::string_view key = path.substr(1, stop - 1);
      if (key.empty()) value_error("Empty attribute in format string");
      value = is_item && is_number(key) ? in_.item(value, Value::integer(number_of(key)))
              : is_item                 ? in_.item(value, heap_.string(key))
                                        : in_.attribute(value, heap_.string(key));
      path = path.substr(stop + (is_item ? 1 : 0));
    }
    return value;
  }

  std::string shown(const Field& field, int depth) {
    Value value = value_of(field);
    switch (field.conversion) {
      case 0: break;
      case 's': value = heap_.string(to_text(value)); break;
      case 'r': value = heap_.string(repr(value)); break;
      case 'a': value = heap_.string(ascii_repr(value)); break;
      default: {
        char bytes[4];
        const auto size = static_cast<size_t>(text::encode_utf8(field.conversion, bytes));
        value_error("Unknown conversion specifier {}", std::string_view(bytes, size));
      }
    }
    const std::string specification = run(field.specification, depth - 1);
    if (!is_markup_) return formatted(heap_, value, specification);
    if (value.is_string() && value.as<String>().is_markup()) {
      if (!specification.empty())
        value_error(
            "Format specifier {} given, but {} does not define __html_format__. A class that defines __html__ "
            "must define __html_format__ to work with format specifiers.",
            specification, "<class 'markupsafe.Markup'>");
      return text_of(value);
    }
    return text_of(escape(heap_, heap_.string(formatted(heap_, value, specification))));
  }

  Interpreter& in_;
  Heap& heap_;
  bool is_markup_;
  const Arguments& given_;
  const Value& mapping_;
  size_t next_ = 0;
  bool manual_ = false;
};

}  // namespace

std::string format_string(Interpreter& in, const Value& self, const std::string& name, const Arguments& given) {
  Value mapping;
  const bool by_mapping = name == "format_map";
  if (by_mapping) {
    if (!given.named.empty()) type_error("format_map() takes no keyword arguments");
    if (given.positional.size() != 1)
      type_error("format_map() takes exactly one argument ({} given)", given.positional.size());
    mapping = given.positional[0];
  }
  const Arguments none;
  return Formatter(in, self.as<String>().is_markup(), by_mapping ? none : given, mapping).run(text_of(self), 2);
}

}  // namespace gamut::jinja
