// Operators with the semantics and messages of Python's.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "text/template/ast.h"
#include "text/template/objects.h"

namespace gamut::jinja {

bool truth(const Value& v);
bool equals(const Value& a, const Value& b);
/// a < b, a <= b and so on. Raises TypeError for types without an order.
bool ordered(Operator op, const Value& a, const Value& b);
bool contains(const Value& container, const Value& item);
bool compare(Operator op, const Value& a, const Value& b);
Value binary(Heap& heap, Operator op, const Value& a, const Value& b);
Value unary(Heap& heap, Operator op, const Value& a);
/// How the operator is written in messages.
const char* symbol(Operator op);
/// len(). Raises TypeError.
int64_t length_of(const Value& v);
bool is_iterable(const Value& v);
/// iter(). Raises TypeError.
Iterator* iterate(Heap& heap, const Value& v);
std::vector<Value> to_vector(Heap& heap, const Value& v);
/// Gives the next item; false at the end.
using NextItem = std::function<bool(Value& out)>;
/// A generator.
Value lazy(Heap& heap, NextItem next);
/// v[start:stop:step]; missing ones are none.
Value slice(Heap& heap, const Value& v, const Value bounds[3]);
/// The character at an index that is in range.
Value character_at(Heap& heap, const String& text, int64_t index);
/// printf-style formatting: format % arguments.
Value format_percent(Heap& heap, const Value& format, const Value& arguments);
double to_real(const Value& number);
/// Escaped for HTML; markup stays as it is.
Value escape(Heap& heap, const Value& v);

}  // namespace gamut::jinja
