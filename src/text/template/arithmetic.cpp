// + - * / // % ** over values.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "text/template/numbers.h"
#include "text/template/operators.h"
#include "text/template/repr.h"

namespace gamut::jinja {
namespace {

constexpr size_t kMostBits = 1 << 17;  // of an int

[[noreturn]] void divided_by_zero(const char* what) { raise(ExceptionType::kZeroDivisionError, "{}", what); }

void expect_bits(Heap& heap, size_t bits, size_t work) {
  if (bits > kMostBits)
    fail(ErrorCode::kResourceLimit, "chat template: an integer of {} bits, at most {} expected", bits, kMostBits);
  heap.budget().step(work / 16);
}

/// Small results, which nearly all are; nothing where they do not fit.
std::optional<int64_t> small_result(Operator op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool overflows = true;
  if (op == Operator::kAdd) overflows = __builtin_add_overflow(a, b, &result);
  if (op == Operator::kSubtract) overflows = __builtin_sub_overflow(a, b, &result);
  if (op == Operator::kMultiply) overflows = __builtin_mul_overflow(a, b, &result);
  if ((op == Operator::kFloorDivide || op == Operator::kModulo) && b != 0 && b != -1) {
    const int64_t remainder = a % b;
    const bool adjust = remainder != 0 && (remainder < 0) != (b < 0);
    result = op == Operator::kModulo ? remainder + (adjust ? b : 0) : a / b - (adjust ? 1 : 0);
    overflows = false;
  }
  return overflows ? std::nullopt : std::optional(result);
}

/// a / b, rounded once.
double true_quotient(Heap& heap, const BigInteger& a, const BigInteger& b) {
  if (b.is_zero()) divided_by_zero("division by zero");
  if (a.is_zero()) return 0;
  constexpr size_t kWanted = 66;
  const size_t shift = a.bits() >= b.bits() + kWanted ? 0 : kWanted + b.bits() - a.bits();
  BigInteger scaled = a.is_negative() ? -a : a, divisor = b.is_negative() ? -b : b;
  heap.budget().step((scaled.bits() + shift) * divisor.bits() / 512);
  for (size_t i = 0; i < shift; i += 32) scaled = scaled * BigInteger(int64_t{1} << std::min<size_t>(32, shift - i));
  auto [quotient, remainder] = BigInteger::divide(scaled, divisor);
  quotient = quotient + quotient + BigInteger(remainder.is_zero() ? 0 : 1);
  const double magnitude = std::ldexp(quotient.to_real(), -static_cast<int>(shift) - 1);
  if (std::isinf(magnitude)) raise(ExceptionType::kOverflowError, "integer division result too large for a float");
  return a.is_negative() != b.is_negative() ? -magnitude : magnitude;
}

Value real_power(double base, double exponent) {
  if (base == 0 && exponent < 0) divided_by_zero("0.0 cannot be raised to a negative power");
  if (base < 0 && std::isfinite(base) && std::isfinite(exponent) && exponent != std::floor(exponent))
    fail(ErrorCode::kUnsupported, "chat template: {} ** {} is a complex number", real_text(base), real_text(exponent));
  const double result = std::pow(base, exponent);
  if (std::isinf(result) && std::isfinite(base) && std::isfinite(exponent))
    raise(ExceptionType::kOverflowError, "(34, 'Numerical result out of range')");
  return Value::real(result);
}

Value integer_power(Heap& heap, const Value& base, const Value& exponent) {
  if (is_negative(exponent)) return real_power(real_of(base), real_of(exponent));
  const BigInteger of = big_of(base);
  const bool is_unit = of.bits() <= 1;
  BigInteger left = big_of(exponent), result(1), square = of;
  if (!is_unit && left.bits() > 20) expect_bits(heap, SIZE_MAX, 0);
  const int64_t times = is_unit ? BigInteger::divide(left, BigInteger(2)).second.to_int64() + 2 : left.to_int64();
  if (of.is_zero()) return Value::integer(left.is_zero() ? 1 : 0);
  expect_bits(heap, is_unit ? 1 : (of.bits() - 1) * static_cast<size_t>(times), 0);
  for (int64_t e = times; e > 0; e >>= 1) {
    if (e & 1) {
      heap.budget().step(result.bits() * square.bits() / 16384);
      result = result * square;
    }
    if (e > 1) square = square * square;
  }
  return integer_value(heap, result);
}

Value integers(Heap& heap, Operator op, const Value& x, const Value& y) {
  if (x.is_integral() && y.is_integral()) {
    if (const std::optional<int64_t> result = small_result(op, x.as_int(), y.as_int())) return Value::integer(*result);
    constexpr int64_t kExact = int64_t{1} << 53;
    auto is_exact = [](int64_t i) { return i >= -kExact && i <= kExact; };
    if (op == Operator::kDivide && y.as_int() != 0 && is_exact(x.as_int()) && is_exact(y.as_int()))
      return Value::real(static_cast<double>(x.as_int()) / static_cast<double>(y.as_int()));
  }
  if (op == Operator::kPower) return integer_power(heap, x, y);
  const BigInteger a = big_of(x), b = big_of(y);
  switch (op) {
    case Operator::kAdd: expect_bits(heap, std::max(a.bits(), b.bits()), 0); return integer_value(heap, a + b);
    case Operator::kSubtract: expect_bits(heap, std::max(a.bits(), b.bits()), 0); return integer_value(heap, a - b);
    case Operator::kMultiply:
      expect_bits(heap, a.bits() + b.bits(), a.bits() * b.bits() / 1024);
      return integer_value(heap, a * b);
    case Operator::kDivide: return Value::real(true_quotient(heap, a, b));
    default: break;
  }
  if (b.is_zero())
    divided_by_zero(op == Operator::kModulo ? "integer modulo by zero" : "integer division or modulo by zero");
  expect_bits(heap, 0, a.bits() * b.bits() / 32);
  const auto [quotient, remainder] = BigInteger::divide(a, b);
  return integer_value(heap, op == Operator::kModulo ? remainder : quotient);
}

Value real_floor_divide(double a, double b) {
  double remainder = std::fmod(a, b), quotient = (a - remainder) / b;
  if (remainder != 0 && (b < 0) != (remainder < 0)) quotient -= 1;
  if (quotient == 0) return Value::real(std::copysign(0.0, a / b));
  const double floored = std::floor(quotient);
  return Value::real(quotient - floored > 0.5 ? floored + 1 : floored);
}

Value reals(Operator op, double a, double b) {
  switch (op) {
    case Operator::kAdd: return Value::real(a + b);
    case Operator::kSubtract: return Value::real(a - b);
    case Operator::kMultiply: return Value::real(a * b);
    case Operator::kDivide:
      if (b == 0) divided_by_zero("float division by zero");
      return Value::real(a / b);
    case Operator::kPower: return real_power(a, b);
    default: break;
  }
  if (b == 0) divided_by_zero(op == Operator::kModulo ? "float modulo" : "float floor division by zero");
  if (op == Operator::kFloorDivide) return real_floor_divide(a, b);
  double remainder = std::fmod(a, b);
  if (remainder == 0) remainder = std::copysign(0.0, b);
  else if ((remainder < 0) != (b < 0)) remainder += b;
  return Value::real(remainder);
}

Value repeat(Heap& heap, const Value& v, int64_t count) {
  const auto times = static_cast<size_t>(std::max<int64_t>(count, 0));
  const size_t each = v.is_string() ? text_of(v).size() : items_of(v).size() * sizeof(Value);
  size_t total = 0;
  if (__builtin_mul_overflow(each, times, &total)) total = SIZE_MAX / 2;
  heap.budget().expect(total);
  heap.budget().touch(total);
  if (v.is_string()) {
    std::string out;
    if (each > 0) {
      out.reserve(total);
      for (size_t i = 0; i < times; ++i) out += text_of(v);
    }
    return v.as<String>().is_markup() ? heap.markup(std::move(out)) : heap.string(std::move(out));
  }
  std::vector<Value> items;
  if (each > 0) {
    for (size_t i = 0; i < times; ++i) items.insert(items.end(), items_of(v).begin(), items_of(v).end());
  }
  return v.is(Type::kList) ? heap.list(std::move(items)) : heap.tuple(std::move(items));
}

Value add_strings(Heap& heap, const Value& a, const Value& b) {
  const bool markup = a.as<String>().is_markup() || b.as<String>().is_markup();
  if (markup) return heap.markup(text_of(escape(heap, a)) + text_of(escape(heap, b)));
  heap.budget().expect(text_of(a).size() + text_of(b).size());
  std::string out;
  out.reserve(text_of(a).size() + text_of(b).size());
  out.append(text_of(a)).append(text_of(b));
  return heap.string(std::move(out));
}

Value add_arrays(Heap& heap, const Value& a, const Value& b) {
  heap.budget().expect((items_of(a).size() + items_of(b).size()) * sizeof(Value));
  heap.budget().step((items_of(a).size() + items_of(b).size()) / 8);
  std::vector<Value> items = items_of(a);
  items.insert(items.end(), items_of(b).begin(), items_of(b).end());
  return a.is(Type::kList) ? heap.list(std::move(items)) : heap.tuple(std::move(items));
}

[[noreturn]] void unsupported(Operator op, const Value& a, const Value& b) {
  if (op == Operator::kAdd && a.is_string() && !a.as<String>().is_markup())
    type_error("can only concatenate str (not \"{}\") to str", type_name(b));
  if (op == Operator::kAdd && a.is_array()) {
    type_error("can only concatenate {} (not \"{}\") to {}", type_name(a), type_name(b), type_name(a));
  }
  if (op == Operator::kMultiply && (a.is_string() || a.is_array())) {
    type_error("can't multiply sequence by non-int of type '{}'", type_name(b));
  }
  if (op == Operator::kMultiply && (b.is_string() || b.is_array())) {
    type_error("can't multiply sequence by non-int of type '{}'", type_name(a));
  }
  type_error("unsupported operand type(s) for {}: '{}' and '{}'", symbol(op), type_name(a), type_name(b));
}

/// A sequence times something; missing where neither is a sequence.
Value repeated(Heap& heap, const Value& a, const Value& b) {
  auto is_sequence = [](const Value& v) { return v.is_string() || v.is_array(); };
  auto check = [](const Value& count) {
    if (count.is(Type::kBigInt)) raise(ExceptionType::kOverflowError, "cannot fit 'int' into an index-sized integer");
  };
  for (const auto& [sequence, count] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    if (!is_sequence(*sequence)) continue;
    if (sequence->is_string() && sequence->as<String>().is_markup() && !count->is_integral() &&
        !count->is(Type::kBigInt))
      type_error("'{}' object cannot be interpreted as an integer", type_name(*count));
    if (count->is_string() && count->as<String>().is_markup())
      type_error("'{}' object cannot be interpreted as an integer", type_name(*sequence));
    check(*count);
    if (count->is_integral()) return repeat(heap, *sequence, count->as_int());
  }
  return Value();
}

}  // namespace

Value binary(Heap& heap, Operator op, const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (!a.is(Type::kFloat) && !b.is(Type::kFloat)) return integers(heap, op, a, b);
    return reals(op, real_of(a), real_of(b));
  }
  if (a.is_undefined()) a.as<Undefined>().fail();
  if (op == Operator::kModulo && a.is_string()) return format_percent(heap, a, b);
  if (op == Operator::kAdd && a.is_string() && b.is_string()) return add_strings(heap, a, b);
  if (op == Operator::kAdd && a.is_array() && a.type() == b.type()) return add_arrays(heap, a, b);
  if (op == Operator::kMultiply) {
    Value made = repeated(heap, a, b);
    if (!made.is_missing()) return made;
  }
  if (op == Operator::kSubtract && (a.is(Type::kDictView) || b.is(Type::kDictView)))
    fail(ErrorCode::kUnsupported, "chat template: differences of dict views are not supported");
  if (b.is_undefined()) b.as<Undefined>().fail();
  unsupported(op, a, b);
}

Value unary(Heap& heap, Operator op, const Value& a) {
  if (op == Operator::kNot) return Value::boolean(!truth(a));
  if (a.is_undefined()) a.as<Undefined>().fail();
  if (a.is(Type::kFloat)) return op == Operator::kPlus ? a : Value::real(-a.as_real());
  if (!a.is_number()) type_error("bad operand type for unary {}: '{}'", symbol(op), type_name(a));
  if (op == Operator::kPlus) return a.is(Type::kBool) ? Value::integer(a.as_int()) : a;
  return integers(heap, Operator::kSubtract, Value::integer(0), a);
}

}  // namespace gamut::jinja
