#include "text/template/numbers.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "text/template/operators.h"
#include "text/template/python_unicode.h"
#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut::jinja {
namespace {

constexpr size_t kMostDigits = 4300;  // that Python converts

/// White space around taken away, digits of all scripts as ASCII.
std::string plain_digits(std::string_view text) {
  std::string out;
  text = strip(text, kStripBoth);
  for (const char* p = text.data(); p != text.data() + text.size();) {
    const char* start = p;
    const int digit = decimal_value(text::decode_utf8(p));
    if (digit >= 0) out += static_cast<char>('0' + digit);
    else out.append(start, p);
  }
  return out;
}

/// Takes away the underscores that stand between digits; false where one stands elsewhere.
bool take_underscores(std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    auto is_digit = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
    if (i == 0 || i + 1 == text.size() || !is_digit(text[i - 1]) || !is_digit(text[i + 1])) return false;
  }
  text = std::move(out);
  return true;
}

}  // namespace

Value integer_value(Heap& heap, const BigInteger& value) {
  if (value.fits_int64()) return Value::integer(value.to_int64());
  return heap.make_value<BigInt>(value.bits() / 8, value);
}

BigInteger big_of(const Value& v) { return v.is(Type::kBigInt) ? v.as<BigInt>().value() : BigInteger(v.as_int()); }

double real_of(const Value& v) {
  const double d = to_real(v);
  if (v.is(Type::kBigInt) && std::isinf(d)) raise(ExceptionType::kOverflowError, "int too large to convert to float");
  return d;
}

double as_float(const Value& v) {
  if (v.is_undefined()) v.as<Undefined>().fail();
  if (v.is_number()) return real_of(v);
  if (!v.is_string()) type_error("float() argument must be a string or a real number, not '{}'", type_name(v));
  const std::optional<double> parsed = parse_real(text_of(v));
  if (!parsed) value_error("could not convert string to float: {}", repr(v));
  return *parsed;
}

bool is_negative(const Value& v) {
  if (v.is(Type::kFloat)) return v.as_real() < 0;
  return v.is(Type::kBigInt) ? v.as<BigInt>().value().is_negative() : v.as_int() < 0;
}

std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) return a.as_int() <=> b.as_int();
  if (a.is(Type::kFloat) && b.is(Type::kFloat)) return a.as_real() <=> b.as_real();
  if (b.is(Type::kFloat)) {
    const double d = b.as_real();
    constexpr int64_t kExact = int64_t{1} << std::numeric_limits<double>::digits;
    if (!std::isfinite(d) || (a.is_integral() && a.as_int() > -kExact && a.as_int() < kExact)) {
      if (std::isinf(d)) return d > 0 ? std::partial_ordering::less : std::partial_ordering::greater;
      return to_real(a) <=> d;
    }
    const std::strong_ordering whole = big_of(a) <=> BigInteger::from_real(d);
    return whole != 0 ? whole : 0.0 <=> d - std::trunc(d);
  }
  if (a.is(Type::kFloat)) return 0 <=> compare_numbers(b, a);
  return big_of(a) <=> big_of(b);
}

std::optional<BigInteger> parse_integer(std::string_view text, int base) {
  std::string digits = plain_digits(text);
  bool negative = false;
  if (digits.starts_with('+') || digits.starts_with('-')) {
    negative = digits[0] == '-';
    digits.erase(0, 1);
  }
  const char kind = digits.size() > 1 && digits[0] == '0' ? static_cast<char>(digits[1] | 0x20) : ' ';
  const int prefixed = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 0;
  if (prefixed > 0 && (base == 0 || base == prefixed)) {
    base = prefixed;
    digits.erase(0, digits.size() > 2 && digits[2] == '_' ? 3 : 2);
  } else if (base == 0) {
    base = 10;
    if (digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of("0_") != std::string::npos)
      return std::nullopt;
  }
  if (!take_underscores(digits)) return std::nullopt;
  if (digits.size() > kMostDigits && (base & (base - 1)) != 0) return std::nullopt;
  const std::optional<BigInteger> parsed = BigInteger::parse(digits, base);
  return parsed && negative ? -*parsed : parsed;
}

std::optional<double> parse_real(std::string_view text) {
  std::string digits = plain_digits(text);
  if (!take_underscores(digits)) return std::nullopt;
  std::string_view body = digits;
  bool negative = false;
  if (body.starts_with('+') || body.starts_with('-')) {
    negative = body[0] == '-';
    body.remove_prefix(1);
  }
  if (body.empty() || body[0] == '+' || body[0] == '-' || body.find('(') != std::string_view::npos) return std::nullopt;
  double d = 0;
  const auto result = std::from_chars(body.data(), body.data() + body.size(), d);
  if (result.ptr != body.data() + body.size() || result.ec == std::errc::invalid_argument) return std::nullopt;
  if (result.ec == std::errc::result_out_of_range) d = std::strtod(std::string(body).c_str(), nullptr);
  return negative ? -d : d;
}

}  // namespace gamut::jinja
