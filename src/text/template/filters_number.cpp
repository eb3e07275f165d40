// Filters that make and change numbers.
#include <cmath>
#include <cstdlib>

#include "text/template/filter_call.h"
#include "text/template/numbers.h"
#include "text/template/operators.h"
#include "text/template/repr.h"

namespace gamut::jinja::filter {

Value abs(FilterCall& c) {
  if (!c.given.named.empty()) type_error("abs() takes no keyword arguments");
  if (!c.given.positional.empty())
    type_error("abs() takes exactly one argument ({} given)", c.given.positional.size() + 1);
  if (!c.v.is_number()) type_error("bad operand type for abs(): '{}'", type_name(c.v));
  if (c.v.is(Type::kFloat)) return Value::real(std::abs(c.v.as_real()));
  return unary(c.heap, is_negative(c.v) ? Operator::kNegate : Operator::kPlus, c.v);
}

Value sum(FilterCall& c) {
  const auto p =
      c.bind("sync_do_sum", {{"iterable", Value()}, {"attribute", Value::none()}, {"start", Value::integer(0)}}, 1);
  const std::vector<Value> items = to_vector(c.heap, p[0]);
  Value total = p[2];
  if (total.is_string()) type_error("sum() can't sum strings [use ''.join(seq) instead]");
  for (const Value& item : items) {
    c.heap.budget().step();
    total = binary(c.heap, Operator::kAdd, total, c.attribute_of(item, p[1]));
  }
  return total;
}

Value to_float(FilterCall& c) {
  const auto p = c.bind("do_float", {{"value", Value()}, {"default", Value::real(0)}});
  if (p[0].is_undefined()) p[0].as<Undefined>().fail();
  if (p[0].is_number()) return Value::real(real_of(p[0]));
  if (!p[0].is_string()) return p[1];
  const std::optional<double> parsed = parse_real(text_of(p[0]));
  return parsed ? Value::real(*parsed) : p[1];
}

Value to_int(FilterCall& c) {
  const auto p = c.bind("do_int", {{"value", Value()}, {"default", Value::integer(0)}, {"base", Value::integer(10)}});
  const Value& v = p[0];
  if (v.is_undefined()) v.as<Undefined>().fail();
  if (v.is_integral()) return Value::integer(v.as_int());
  if (v.is(Type::kBigInt)) return v;
  if (v.is(Type::kFloat)) {
    if (std::isinf(v.as_real())) raise(ExceptionType::kOverflowError, "cannot convert float infinity to integer");
    return std::isnan(v.as_real()) ? p[1] : integer_value(c.heap, BigInteger::from_real(v.as_real()));
  }
  if (!v.is_string()) return p[1];
  const int64_t base = p[2].is_integral() ? p[2].as_int() : -1;
  if (base == 0 || (base >= 2 && base <= 36)) {
    if (const std::optional<BigInteger> whole = parse_integer(text_of(v), static_cast<int>(base)))
      return integer_value(c.heap, *whole);
  }
  const std::optional<double> real = parse_real(text_of(v));
  if (!real || std::isnan(*real) || std::isinf(*real)) return p[1];
  return integer_value(c.heap, BigInteger::from_real(*real));
}

namespace {

/// A number rounded to a multiple of 10 ** power, half to even; `more` says that there is a fraction as well.
BigInteger rounded(const BigInteger& value, int64_t power, bool more) {
  BigInteger unit(1);
  for (int64_t i = 0; i < power; ++i) unit = unit * BigInteger(10);
  const auto [quotient, remainder] = BigInteger::divide(value, unit);
  const BigInteger twice = remainder + remainder;
  const bool is_odd = !BigInteger::divide(quotient, BigInteger(2)).second.is_zero();
  const bool up = twice > unit || (twice == unit && (more || is_odd));
  return (up ? quotient + BigInteger(1) : quotient) * unit;
}

Value round_real(double value, int64_t precision) {
  if (!std::isfinite(value) || precision > 323) return Value::real(value);
  if (precision < -308) return Value::real(std::copysign(0.0, value));
  if (precision >= 0) {
    const std::string text = fmt::format("{:.{}f}", value, precision);
    return Value::real(std::strtod(text.c_str(), nullptr));
  }
  const double whole = std::trunc(std::abs(value));
  const BigInteger magnitude = rounded(BigInteger::from_real(whole), -precision, whole != std::abs(value));
  return Value::real(std::copysign(magnitude.to_real(), value));
}

}  // namespace

Value round(FilterCall& c) {
  const auto p =
      c.bind("do_round", {{"value", Value()}, {"precision", Value::integer(0)}, {"method", c.heap.string("common")}});
  const std::string method = p[2].is_string() ? text_of(p[2]) : "";
  if (method != "common" && method != "ceil" && method != "floor")
    raise(ExceptionType::kFilterArgumentError, "method must be common, ceil or floor");
  if (method == "common") {
    if (!p[0].is_number()) type_error("type {} doesn't define __round__ method", type_name(p[0]));
    const int64_t precision = index_of(p[1]);
    if (p[0].is(Type::kFloat)) return round_real(p[0].as_real(), precision);
    if (precision >= 0) return unary(c.heap, Operator::kPlus, p[0]);
    const BigInteger value = big_of(p[0]);
    if (-precision > static_cast<int64_t>(value.bits())) return Value::integer(0);
    return integer_value(c.heap, rounded(value, -precision, false));
  }
  const Value scale = binary(c.heap, Operator::kPower, Value::integer(10), p[1]);
  Value scaled = binary(c.heap, Operator::kMultiply, p[0], scale);
  if (!scaled.is_number()) type_error("must be real number, not {}", type_name(scaled));
  if (scaled.is(Type::kFloat)) {
    if (std::isinf(scaled.as_real())) raise(ExceptionType::kOverflowError, "cannot convert float infinity to integer");
    if (std::isnan(scaled.as_real())) value_error("cannot convert float NaN to integer");
    const double whole = method == "ceil" ? std::ceil(scaled.as_real()) : std::floor(scaled.as_real());
    scaled = integer_value(c.heap, BigInteger::from_real(whole));
  }
  return binary(c.heap, Operator::kDivide, scaled, scale);
}

Value filesizeformat(FilterCall& c) {
  const auto p = c.bind("do_filesizeformat", {{"value", Value()}, {"binary", Value::boolean(false)}});
  const double bytes = as_float(p[0]), base = truth(p[1]) ? 1024 : 1000;
  static constexpr const char* kPrefixes[] = {"kB",  "MB",  "GB",  "TB",  "PB",  "EB",  "ZB",  "YB",
                                              "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
  if (bytes == 1) return c.heap.string("1 Byte");
  if (bytes < base) return c.heap.string(BigInteger::from_real(bytes).text() + " Bytes");
  if (std::isnan(bytes) || std::isinf(bytes)) return c.heap.string(real_text(bytes) + (truth(p[1]) ? " YiB" : " YB"));
  double unit = base;
  int prefix = -1;
  do {
    unit *= base;
    ++prefix;
  } while (bytes >= unit && prefix < 7);
  return c.heap.string(fmt::format("{:.1f} {}", base * bytes / unit, kPrefixes[prefix + (truth(p[1]) ? 8 : 0)]));
}

}  // namespace gamut::jinja::filter
