// Jinja's tests: what stands behind `is`.
#include <algorithm>

#include "text/template/filter_call.h"
#include "text/template/operators.h"
#include "text/template/python_unicode.h"
#include "text/template/repr.h"

namespace gamut::jinja {
namespace {

/// The operand and one argument, by the signature of a Python function.
Value other(TestCall& c, const char* function, const char* first, const char* second) {
  Arguments all{{c.v}, c.given.named};
  all.positional.insert(all.positional.end(), c.given.positional.begin(), c.given.positional.end());
  return bind(function, {{first, Value()}, {second, Value()}}, all)[1];
}

/// For tests without arguments, which Jinja's functions take none of.
void alone(TestCall& c, const char* function) {
  Arguments all{{c.v}, c.given.named};
  all.positional.insert(all.positional.end(), c.given.positional.begin(), c.given.positional.end());
  bind(function, {{"value", Value()}}, all);
}

template <Operator kOp>
bool comparison(TestCall& c) {
  static constexpr const char* kNames[] = {"eq", "ne", "lt", "le", "gt", "ge"};
  const char* name = kNames[static_cast<int>(kOp) - static_cast<int>(Operator::kEqual)];
  if (!c.given.named.empty()) type_error("_operator.{}() takes no keyword arguments", name);
  if (c.given.positional.size() != 1)
    type_error("{} expected 2 arguments, got {}", name, c.given.positional.size() + 1);
  return compare(kOp, c.v, c.given.positional[0]);
}

template <int kRemainder>
bool parity(TestCall& c) {
  alone(c, kRemainder == 1 ? "test_odd" : "test_even");
  const Value remainder = binary(c.heap, Operator::kModulo, c.v, Value::integer(2));
  return equals(remainder, Value::integer(kRemainder));
}

bool divisible_by(TestCall& c) {
  const Value by = other(c, "test_divisibleby", "value", "num");
  return equals(binary(c.heap, Operator::kModulo, c.v, by), Value::integer(0));
}

bool is_callable(const Value& v) {
  switch (v.type()) {
    case Type::kFunction:
    case Type::kMethod:
    case Type::kMacro:
    case Type::kJoiner:
    case Type::kLoop:
    case Type::kBlockReference:
    case Type::kUndefined: return true;
    default: return false;
  }
}

bool is_sequence(const Value& v) {
  return v.is_string() || v.is_array() || v.is(Type::kDict) || v.is(Type::kRange) || v.is_undefined();
}

bool is_one(const Value& v, const Value& o) { return v.is(Type::kFloat) ? &v == &o : v.same_as(o); }

bool has_case(TestCall& c, uint16_t wanted, uint16_t refused) {
  const std::string text = to_text(c.v);
  return is_cased(text, wanted, refused);
}

bool names_a_filter(TestCall& c) {
  hash_of(c.v);
  return c.v.is_string() && find_filter(text_of(c.v)) != nullptr;
}

bool names_a_test(TestCall& c) {
  hash_of(c.v);
  return c.v.is_string() && find_test(text_of(c.v)) != nullptr;
}

bool is_integer(const Value& v) { return v.is(Type::kInt) || v.is(Type::kBigInt); }
bool is_boolean(const Value& v) { return v.is(Type::kBool); }

constexpr TestEntry kTests[] = {
    {"!=", comparison<Operator::kNotEqual>},
    {"<", comparison<Operator::kLess>},
    {"<=", comparison<Operator::kLessEqual>},
    {"==", comparison<Operator::kEqual>},
    {">", comparison<Operator::kGreater>},
    {">=", comparison<Operator::kGreaterEqual>},
    {"boolean", [](TestCall& c) { return alone(c, "test_boolean"), is_boolean(c.v); }},
    {"callable", [](TestCall& c) { return is_callable(c.v); }},
    {"defined", [](TestCall& c) { return alone(c, "test_defined"), !c.v.is_undefined(); }},
    {"divisibleby", divisible_by},
    {"eq", comparison<Operator::kEqual>},
    {"equalto", comparison<Operator::kEqual>},
    {"escaped", [](TestCall& c) { return alone(c, "test_escaped"), c.v.is_string() && c.v.as<String>().is_markup(); }},
    {"even", parity<0>},
    {"false", [](TestCall& c) { return alone(c, "test_false"), is_boolean(c.v) && !c.v.as_bool(); }},
    {"filter", names_a_filter},
    {"float", [](TestCall& c) { return alone(c, "test_float"), c.v.is(Type::kFloat); }},
    {"ge", comparison<Operator::kGreaterEqual>},
    {"greaterthan", comparison<Operator::kGreater>},
    {"gt", comparison<Operator::kGreater>},
    {"in", [](TestCall& c) { return contains(other(c, "test_in", "value", "seq"), c.v); }},
    {"integer", [](TestCall& c) { return alone(c, "test_integer"), is_integer(c.v); }},
    {"iterable", [](TestCall& c) { return alone(c, "test_iterable"), is_iterable(c.v) || c.v.is(Type::kLoop); }},
    {"le", comparison<Operator::kLessEqual>},
    {"lessthan", comparison<Operator::kLess>},
    {"lower", [](TestCall& c) { return alone(c, "test_lower"), has_case(c, kLower, kUpper | kTitleCase); }},
    {"lt", comparison<Operator::kLess>},
    {"mapping", [](TestCall& c) { return alone(c, "test_mapping"), c.v.is(Type::kDict); }},
    {"ne", comparison<Operator::kNotEqual>},
    {"none", [](TestCall& c) { return alone(c, "test_none"), c.v.is_none(); }},
    {"number", [](TestCall& c) { return alone(c, "test_number"), c.v.is_number(); }},
    {"odd", parity<1>},
    {"sameas", [](TestCall& c) { return is_one(c.v, other(c, "test_sameas", "value", "other")); }},
    {"sequence", [](TestCall& c) { return alone(c, "test_sequence"), is_sequence(c.v); }},
    {"string", [](TestCall& c) { return alone(c, "test_string"), c.v.is_string(); }},
    {"test", names_a_test},
    {"true", [](TestCall& c) { return alone(c, "test_true"), is_boolean(c.v) && c.v.as_bool(); }},
    {"undefined", [](TestCall& c) { return alone(c, "test_undefined"), c.v.is_undefined(); }},
    {"upper", [](TestCall& c) { return alone(c, "test_upper"), has_case(c, kUpper, kLower | kTitleCase); }},
};
static_assert(std::ranges::is_sorted(kTests, {}, &TestEntry::name));

}  // namespace

TestFunction find_test(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kTests, name, {}, &TestEntry::name);
  return found != std::end(kTests) && found->name == name ? found->function : nullptr;
}

}  // namespace gamut::jinja
