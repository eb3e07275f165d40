// The filters and tests of Jinja, by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/template/arguments.h"
#include "text/template/ast.h"
#include "text/template/interpreter.h"

namespace gamut::jinja {

/// One use of a filter.
struct FilterCall {
  Interpreter& in;
  Heap& heap;
  const std::string& name;
  const Value& v;  ///< what stands before the bar
  Arguments& given;

  /// The operand and the arguments by the signature of a Python function; `hidden` as for jinja::bind.
  std::vector<Value> bind(std::string_view function, Signature parameters, size_t hidden = 0) const;
  /// A generator over items that are worked out already.
  Value generated(std::vector<Value> items, const char* type_name = "generator") const;
  /// The arguments from a position on, and all named ones.
  Arguments rest(size_t from) const;
  /// What attribute="a.b.0" finds in an item; `otherwise` replaces what is undefined on the way, unless it is none.
  Value attribute_of(const Value& item, const Value& path, const Value& otherwise = Value::none()) const;
  /// A str method of the operand.
  Value text_method(const char* method, std::vector<Value> arguments = {}) const;
};

/// One use of a test.
struct TestCall {
  Interpreter& in;
  Heap& heap;
  const std::string& name;
  const Value& v;  ///< what stands before `is`
  Arguments& given;
};

/// Raises AttributeError with Python's text.
[[noreturn]] void no_attribute(const Value& v, std::string_view name);

struct FilterEntry {
  std::string_view name;
  FilterFunction function;
};
struct TestEntry {
  std::string_view name;
  TestFunction function;
};

/// Null when there is none of that name.
FilterFunction find_filter(std::string_view name);
TestFunction find_test(std::string_view name);

// The filters, one function for each, by kind.
namespace filter {
Value default_value(FilterCall& c);
Value length(FilterCall& c);
Value string(FilterCall& c);
Value attr(FilterCall& c);
Value items(FilterCall& c);
Value tojson(FilterCall& c);
Value pprint(FilterCall& c);

Value trim(FilterCall& c);
Value upper(FilterCall& c);
Value lower(FilterCall& c);
Value capitalize(FilterCall& c);
Value title(FilterCall& c);
Value center(FilterCall& c);
Value replace(FilterCall& c);
Value format(FilterCall& c);
Value wordcount(FilterCall& c);
Value indent(FilterCall& c);
Value truncate(FilterCall& c);
Value wordwrap(FilterCall& c);

Value safe(FilterCall& c);
Value escape(FilterCall& c);
Value forceescape(FilterCall& c);
Value striptags(FilterCall& c);
Value urlencode(FilterCall& c);
Value urlize(FilterCall& c);
Value xmlattr(FilterCall& c);

Value abs(FilterCall& c);
Value to_int(FilterCall& c);
Value to_float(FilterCall& c);
Value round(FilterCall& c);
Value sum(FilterCall& c);
Value filesizeformat(FilterCall& c);

Value join(FilterCall& c);
Value list(FilterCall& c);
Value first(FilterCall& c);
Value last(FilterCall& c);
Value random(FilterCall& c);
Value reverse(FilterCall& c);
Value batch(FilterCall& c);
Value slice(FilterCall& c);
Value map(FilterCall& c);
Value select(FilterCall& c);

Value sort(FilterCall& c);
Value dictsort(FilterCall& c);
Value groupby(FilterCall& c);
Value unique(FilterCall& c);
Value min_or_max(FilterCall& c);
}  // namespace filter

}  // namespace gamut::jinja
