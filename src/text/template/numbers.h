// Conversions between numbers, and between numbers and texts, as Python's int() and float() do them.
#pragma once

#include <optional>
#include <string_view>

#include "text/template/big_integer.h"
#include "text/template/objects.h"

namespace gamut::jinja {

/// An int in its smallest form.
Value integer_value(Heap& heap, const BigInteger& value);
/// The value of an int of any size.
BigInteger big_of(const Value& v);
/// Of a number. Raises OverflowError for an int beyond all doubles.
double real_of(const Value& number);
/// float(). Raises TypeError and ValueError.
double as_float(const Value& v);
bool is_negative(const Value& number);
/// Of numbers; unordered with nan.
std::partial_ordering compare_numbers(const Value& a, const Value& b);

/// int(text, base) with a base of 0 for a prefix that tells it; nothing where Python raises ValueError.
std::optional<BigInteger> parse_integer(std::string_view text, int base);
/// float(text).
std::optional<double> parse_real(std::string_view text);

}  // namespace gamut::jinja
