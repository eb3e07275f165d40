// printf-style formatting, as Python's str % does it.
#include <cmath>

#include "text/template/arguments.h"
#include "text/template/number_format.h"
#include "text/template/numbers.h"
#include "text/template/operators.h"
#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut::jinja {
namespace {

/// One "%…" of a format.
struct Conversion {
  bool left = false, plus = false, space = false, alternate = false, zero = false;
  int64_t width = 0, precision = -1;
  char32_t kind = 0;
  size_t at = 0;  ///< of the kind, in characters
};

class PercentFormat {
 public:
  PercentFormat(Heap& heap, const Value& format, const Value& arguments)
      : heap_(heap), text_(text_of(format)), is_markup_(format.as<String>().is_markup()), arguments_(arguments) {}

  std::string run() {
    std::string out;
    while (at_ < text_.size()) {
      if (text_[at_] != '%') {
        out += text_[at_++];
        continue;
      }
      ++at_;
      one(out);
      heap_.budget().expect(out.size());
    }
    const bool is_mapping = arguments_.is(Type::kDict) || arguments_.is(Type::kList) || arguments_.is_undefined() ||
                            arguments_.is(Type::kRange);
    if (arguments_.is(Type::kTuple) ? used_ < items_of(arguments_).size() && !by_name_
                                    : used_ == 0 && !by_name_ && !is_mapping)
      type_error("not all arguments converted during string formatting");
    return out;
  }

 private:
  char peek() const {
    if (at_ >= text_.size()) value_error("incomplete format");
    return text_[at_];
  }
  Value next() {
    const bool is_tuple = arguments_.is(Type::kTuple);
    if (by_name_ || used_ >= (is_tuple ? items_of(arguments_).size() : 1))
      type_error("not enough arguments for format string");
    ++used_;
    return is_tuple ? items_of(arguments_)[used_ - 1] : arguments_;
  }
  Value named() {
    size_t depth = 1;
    const size_t start = ++at_;
    for (; at_ < text_.size() && depth > 0; ++at_) depth += text_[at_] == '(' ? 1 : text_[at_] == ')' ? -1 : 0;
    if (depth > 0) value_error("incomplete format key");
    if (arguments_.is_undefined()) arguments_.as<Undefined>().fail();
    if (arguments_.is(Type::kList)) type_error("list indices must be integers or slices, not str");
    if (!arguments_.is(Type::kDict)) type_error("format requires a mapping");
    const std::string key = text_.substr(start, at_ - 1 - start);
    const Value* found = arguments_.as<Dict>().find(key);
    if (found == nullptr) throw Exception{ExceptionType::kKeyError, quoted(key)};
    by_name_ = true;
    return *found;
  }
  int64_t count(const char* too_big) {
    int64_t n = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      if ((n = n * 10 + (text_[at_] - '0')) > INT32_MAX) value_error("{} too big", too_big);
    }
    return n;
  }
  int64_t starred() {
    ++at_;
    const Value v = next();
    if (!v.is_integral() && !v.is(Type::kBigInt)) type_error("* wants int");
    return index_of(v);
  }
  void flags(Conversion& c) {
    for (; at_ < text_.size(); ++at_) {
      switch (text_[at_]) {
        case '-': c.left = true; break;
        case '+': c.plus = true; break;
        case ' ': c.space = true; break;
        case '#': c.alternate = true; break;
        case '0': c.zero = true; break;
        default: return;
      }
    }
  }

  void one(std::string& out) {
    Value value;
    if (peek() == '(') value = named();
    Conversion c;
    flags(c);
    if (at_ < text_.size() && text_[at_] == '*') {
      c.width = starred();
      c.left = c.left || c.width < 0;
      c.width = std::abs(std::max<int64_t>(c.width, -INT32_MAX));
    } else {
      c.width = count("width");
    }
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      c.precision = at_ < text_.size() && text_[at_] == '*' ? std::max<int64_t>(starred(), 0) : count("precision");
    }
    while (at_ < text_.size() && std::string_view("hlL").find(text_[at_]) != std::string_view::npos) ++at_;
    peek();
    const char* p = text_.data() + at_;
    c.at = text::count_characters(std::string_view(text_).substr(0, at_));
    c.kind = text::decode_utf8(p);
    at_ = static_cast<size_t>(p - text_.data());
    if (c.kind == '%') {
      out += '%';
      return;
    }
    heap_.budget().expect(static_cast<size_t>(c.width) + static_cast<size_t>(std::max<int64_t>(c.precision, 0)));
    convert(out, c, value.is_missing() ? next() : value);
  }

  void convert(std::string& out, const Conversion& c, const Value& value) {
    if (c.kind < 0x80 && std::string_view("dixXou").find(static_cast<char>(c.kind)) != std::string_view::npos)
      return pad(out, c, integer(c, value));
    if (c.kind < 0x80 && std::string_view("eEfFgG").find(static_cast<char>(c.kind)) != std::string_view::npos)
      return pad(out, c, real(c, value));
    if (c.kind == 'c') return pad(out, c, {"", "", character(value)});
    if (c.kind != 's' && c.kind != 'r' && c.kind != 'a') {
      value_error("unsupported format character '{}' (0x{:x}) at index {}",
                  c.kind >= 0x20 && c.kind < 0x7F ? std::string(1, static_cast<char>(c.kind)) : "?",
                  static_cast<uint32_t>(c.kind), c.at);
    }
    std::string shown = c.kind == 's' ? to_text(value) : c.kind == 'r' ? repr(value) : ascii_repr(value);
    if (is_markup_ && c.kind != 'a' && !(value.is_string() && value.as<String>().is_markup()))
      shown = text_of(escape(heap_, heap_.string(std::move(shown))));
    if (c.precision >= 0) shown = std::string(first_characters(shown, static_cast<size_t>(c.precision)));
    pad(out, {.left = c.left, .width = c.width}, {"", "", std::move(shown)});
  }
  NumberText integer(const Conversion& c, const Value& value) const {
    const bool decimal = c.kind == 'd' || c.kind == 'i' || c.kind == 'u';
    if (value.is_undefined() && decimal) value.as<Undefined>().fail();
    if (!value.is_number()) {
      if (decimal)
        type_error("%{} format: a real number is required, not {}", static_cast<char>(c.kind), type_name(value));
      type_error("%{} format: an integer is required, not {}", static_cast<char>(c.kind), type_name(value));
    }
    Value whole = value;
    if (value.is(Type::kFloat)) {
      if (!decimal) type_error("%{} format: an integer is required, not float", static_cast<char>(c.kind));
      if (std::isinf(value.as_real())) raise(ExceptionType::kOverflowError, "cannot convert float infinity to integer");
      if (std::isnan(value.as_real())) value_error("cannot convert float NaN to integer");
      whole = integer_value(heap_, BigInteger::from_real(value.as_real()));
    }
    NumberText made = integer_parts(whole, {.type = decimal ? 'd' : static_cast<char>(c.kind),
                                            .sign = c.plus    ? '+'
                                                    : c.space ? ' '
                                                              : '-',
                                            .alternate = c.alternate});
    if (static_cast<int64_t>(made.digits.size()) < c.precision)
      made.digits.insert(0, static_cast<size_t>(c.precision) - made.digits.size(), '0');
    return made;
  }
  NumberText real(const Conversion& c, const Value& value) const {
    if (value.is_undefined()) value.as<Undefined>().fail();
    if (!value.is_number()) type_error("must be real number, not {}", type_name(value));
    return real_parts(real_of(value), {.type = static_cast<char>(c.kind),
                                       .sign = c.plus    ? '+'
                                               : c.space ? ' '
                                                         : '-',
                                       .alternate = c.alternate,
                                       .precision = c.precision});
  }
  static std::string character(const Value& value) {
    if (value.is_string() && value.as<String>().length() == 1) return text_of(value);
    if (!value.is_integral() && !value.is(Type::kBigInt)) type_error("%c requires int or char");
    const int64_t code = value.is(Type::kBigInt) ? -1 : value.as_int();
    if (code < 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
      raise(ExceptionType::kOverflowError, "%c arg not in range(0x110000)");
    char bytes[4];
    return {bytes, static_cast<size_t>(text::encode_utf8(static_cast<char32_t>(code), bytes))};
  }
  static void pad(std::string& out, const Conversion& c, const NumberText& number) {
    const auto width = static_cast<size_t>(c.width);
    const size_t has = text::count_characters(number.whole());
    const size_t missing = width > has ? width - has : 0;
    if (c.left) {
      out += number.whole();
      out.append(missing, ' ');
    } else if (c.zero && c.kind != 'c') {
      out += number.sign + number.prefix + std::string(missing, '0') + number.digits;
    } else {
      out.append(missing, ' ');
      out += number.whole();
    }
  }

  Heap& heap_;
  const std::string& text_;
  bool is_markup_;
  const Value& arguments_;
  size_t at_ = 0, used_ = 0;
  bool by_name_ = false;
};

}  // namespace

Value format_percent(Heap& heap, const Value& format, const Value& arguments) {
  std::string made = PercentFormat(heap, format, arguments).run();
  return format.as<String>().is_markup() ? heap.markup(std::move(made)) : heap.string(std::move(made));
}

}  // namespace gamut::jinja
