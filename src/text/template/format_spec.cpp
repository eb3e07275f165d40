// Formatting by a specification: [[fill]align][sign][#][0][width][grouping][.precision][type].
#include <cmath>

#include "text/template/format.h"
#include "text/template/number_format.h"
#include "text/template/numbers.h"
#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut::jinja {
namespace {

struct Specification {
  std::string fill = " ";
  char align = 0, sign = 0, grouping = 0, type = 0;
  bool alternate = false, zero = false;
  int64_t width = -1, precision = -1;
};

bool is_align(std::string_view text, size_t at) {
  return at < text.size() && std::string_view("<>=^").find(text[at]) != std::string_view::npos;
}

int64_t count(std::string_view text, size_t& at) {
  int64_t n = -1;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    n = std::max<int64_t>(n, 0) * 10 + (text[at] - '0');
    if (n > INT32_MAX) value_error("Too many decimal digits in format string");
  }
  return n;
}

Specification parse(std::string_view text) {
  Specification s;
  size_t at = 0;
  bool has_fill = false;
  const char* p = text.data();
  if (!text.empty()) text::decode_utf8(p);
  const auto first = static_cast<size_t>(p - text.data());
  if (!text.empty() && is_align(text, first)) {
    s.fill = text.substr(0, first);
    s.align = text[first];
    at = first + 1;
    has_fill = true;
  } else if (is_align(text, 0)) {
    s.align = text[at++];
  }
  auto next_is = [&](std::string_view which) {
    return at < text.size() && which.find(text[at]) != std::string_view::npos;
  };
  if (next_is("+- ")) s.sign = text[at++];
  if (next_is("z")) ++at;
  if (next_is("#")) s.alternate = true, ++at;
  if (next_is("0")) {
    if (!has_fill) s.fill = "0";
    s.zero = !has_fill && s.align == 0;
    ++at;
  }
  s.width = count(text, at);
  for (int i = 0; i < 2 && next_is(",_"); ++i) {
    if (s.grouping != 0) value_error("Cannot specify both ',' and '_'.");
    s.grouping = text[at++];
  }
  if (next_is(".")) {
    ++at;
    s.precision = count(text, at);
    if (s.precision < 0) value_error("Format specifier missing precision");
  }
  s.zero = s.zero || (s.fill == "0" && s.align == '=');
  if (at < text.size()) s.type = text[at++];
  if (at < text.size()) value_error("Invalid format specifier");
  return s;
}

std::string padded(Heap& heap, const Specification& s, const std::string& left, const std::string& right,
                   char otherwise) {
  const size_t has = text::count_characters(left) + text::count_characters(right);
  const size_t missing = s.width > 0 && static_cast<size_t>(s.width) > has ? static_cast<size_t>(s.width) - has : 0;
  heap.budget().expect(missing * s.fill.size());
  auto fill = [&](size_t times) {
    std::string out;
    for (size_t i = 0; i < times; ++i) out += s.fill;
    return out;
  };
  switch (s.align != 0 ? s.align : otherwise) {
    case '<': return left + right + fill(missing);
    case '=': return left + fill(missing) + right;
    case '^': return fill(missing / 2) + left + right + fill(missing - missing / 2);
    default: return fill(missing) + left + right;
  }
}

/// Digits with a separator between groups, and zeros in front up to a width of all of them.
std::string grouped(std::string_view digits, char separator, size_t size, size_t width) {
  std::string out;
  const size_t whole = std::min(digits.find_first_of(".eE%"), digits.size());
  size_t in_group = 0;
  auto put = [&](char c) {
    if (in_group == size) {
      out.insert(out.begin(), separator);
      in_group = 0;
    }
    out.insert(out.begin(), c);
    ++in_group;
  };
  for (size_t i = whole; i-- > 0;) put(digits[i]);
  const std::string_view rest = digits.substr(whole);
  while (out.size() + rest.size() < width) put('0');
  return out + std::string(rest);
}

std::string number_text(Heap& heap, const Specification& s, NumberText number, bool groups_of_four) {
  if (s.grouping != 0) {
    const size_t before = number.sign.size() + number.prefix.size();
    const size_t width = s.zero && s.width > static_cast<int64_t>(before) ? static_cast<size_t>(s.width) - before : 0;
    heap.budget().expect(width);
    heap.budget().step(number.digits.size() + width);
    number.digits = grouped(number.digits, s.grouping, groups_of_four ? 4 : 3, width);
  }
  return padded(heap, s, number.sign + number.prefix, number.digits, s.zero ? '=' : '>');
}

[[noreturn]] void unknown_type(const Specification& s, const Value& v) {
  value_error("Unknown format code '{}' for object of type '{}'", s.type, type_name(v));
}

std::string real_text_of(Heap& heap, const Specification& s, const Value& v) {
  double d = real_of(v);
  NumberStyle style{
      .type = s.type, .sign = s.sign == 0 ? '-' : s.sign, .alternate = s.alternate, .precision = s.precision};
  std::string percent;
  if (s.type == '%') {
    d *= 100;
    percent = "%";
    style.type = 'f';
  }
  if (s.type == 'n') style.type = 'g';
  NumberText made;
  if (s.type == 0 && s.precision < 0) {
    made = real_parts(d, {.type = 'f', .sign = style.sign});
    if (std::isfinite(d)) made.digits = real_text(std::abs(d));
  } else if (s.type == 0) {  // like g, but with a digit behind the point, and an exponent one digit sooner
    style.type = 'g';
    style.precision = std::max<int64_t>(s.precision, 1);
    made = real_parts(d, style);
    const bool has_exponent = made.digits.find('e') != std::string::npos;
    if (!has_exponent && std::isfinite(d) && made.digits.find('.') == std::string::npos) {
      const bool too_long = static_cast<int64_t>(made.digits.size()) >= style.precision && made.digits != "0";
      if (too_long)
        made.digits = real_parts(d, {.type = 'e', .sign = style.sign, .precision = style.precision - 1}).digits;
      if (!too_long) made.digits += ".0";
      const size_t e = made.digits.find('e');
      size_t kept = e == std::string::npos ? made.digits.size() : e;
      while (too_long && kept > 0 && made.digits.find('.') < kept && made.digits[kept - 1] == '0') --kept;
      if (too_long && kept > 0 && made.digits[kept - 1] == '.') --kept;
      if (e != std::string::npos) made.digits = made.digits.substr(0, kept) + made.digits.substr(e);
    }
  } else {
    made = real_parts(d, style);
  }
  const bool has_point = made.digits.find('.') != std::string::npos;
  if (s.alternate && !has_point && std::isfinite(d))
    made.digits.insert(std::min(made.digits.find('e'), made.digits.size()), ".");
  made.digits += percent;
  return number_text(heap, s, std::move(made), false);
}

std::string integer_text_of(Heap& heap, const Specification& s, const Value& v) {
  if (s.precision >= 0) value_error("Precision not allowed in integer format specifier");
  if (s.type == 'c') {
    if (s.sign != 0) value_error("Sign not allowed with integer format specifier 'c'");
    if (s.alternate) value_error("Alternate form (#) not allowed with integer format specifier 'c'");
    if (v.is(Type::kBigInt)) raise(ExceptionType::kOverflowError, "Python int too large to convert to C long");
    if (v.as_int() < 0 || v.as_int() > 0x10FFFF || (v.as_int() >= 0xD800 && v.as_int() < 0xE000))
      raise(ExceptionType::kOverflowError, "%c arg not in range(0x110000)");
    char bytes[4];
    const auto size = static_cast<size_t>(text::encode_utf8(static_cast<char32_t>(v.as_int()), bytes));
    return padded(heap, s, "", std::string(bytes, size), s.zero ? '=' : '>');
  }
  const char type = s.type == 0 || s.type == 'n' ? 'd' : s.type;
  return number_text(heap, s,
                     integer_parts(v, {.type = type, .sign = s.sign == 0 ? '-' : s.sign, .alternate = s.alternate}),
                     type != 'd');
}

std::string text_text_of(Heap& heap, const Specification& s, const Value& v) {
  if (s.type != 0 && s.type != 's') unknown_type(s, v);
  if (s.sign == ' ') value_error("Space not allowed in string format specifier");
  if (s.sign != 0) value_error("Sign not allowed in string format specifier");
  if (s.alternate) value_error("Alternate form (#) not allowed in string format specifier");
  if (s.align == '=') value_error("'=' alignment not allowed in string format specifier");
  std::string text = text_of(v);
  if (s.precision >= 0) text = first_characters(text, static_cast<size_t>(s.precision));
  return padded(heap, s, "", text, '<');
}

}  // namespace

std::string formatted(Heap& heap, const Value& v, std::string_view specification) {
  if (specification.empty()) return to_text(v);
  if (!v.is_number() && !v.is_string()) type_error("unsupported format string passed to {}.__format__", type_name(v));
  const Specification s = parse(specification);
  if (s.grouping != 0 && std::string_view("defgEG%F").find(s.type == 0 ? 'd' : s.type) == std::string_view::npos &&
      !(s.grouping == '_' && std::string_view("boxX").find(s.type) != std::string_view::npos))
    value_error("Cannot specify '{}' with '{}'.", s.grouping, s.type);
  if (v.is_string()) {
    if (s.grouping != 0 && (s.type == 0 || s.type == 's')) value_error("Cannot specify '{}' with 's'.", s.grouping);
    return text_text_of(heap, s, v);
  }
  heap.budget().expect(static_cast<size_t>(std::max<int64_t>(s.precision, 0)));
  const bool as_real = s.type != 0 && std::string_view("eEfFgG%").find(s.type) != std::string_view::npos;
  if (v.is(Type::kFloat) || as_real) {
    if (!as_real && s.type != 0 && s.type != 'n') unknown_type(s, v);
    return real_text_of(heap, s, v);
  }
  if (s.type != 0 && std::string_view("bcdoxXn").find(s.type) == std::string_view::npos) unknown_type(s, v);
  return integer_text_of(heap, s, v);
}

}  // namespace gamut::jinja
