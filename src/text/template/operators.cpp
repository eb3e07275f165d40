#include "text/template/operators.h"

#include <algorithm>
#include <cmath>

#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut::jinja {

bool truth(const Value& v) {
  switch (v.type()) {
    case Type::kMissing:
    case Type::kNone:
    case Type::kUndefined: return false;
    case Type::kBool:
    case Type::kInt: return v.as_int() != 0;
    case Type::kFloat: return v.as_real() != 0;
    case Type::kString: return !text_of(v).empty();
    case Type::kList:
    case Type::kTuple: return !items_of(v).empty();
    case Type::kDict: return v.as<Dict>().size() > 0;
    case Type::kDictView: return v.as<DictView>().dict.as<Dict>().size() > 0;
    case Type::kRange: return v.as<Range>().length > 0;
    default: return true;
  }
}

double to_real(const Value& v) {
  if (v.is(Type::kFloat)) return v.as_real();
  return v.is(Type::kBigInt) ? v.as<BigInt>().to_double() : static_cast<double>(v.as_int());
}

bool equals(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (a.is(Type::kBigInt) && b.is(Type::kBigInt)) return a.as<BigInt>().digits() == b.as<BigInt>().digits();
    if (a.is_integral() && b.is_integral()) return a.as_int() == b.as_int();
    return to_real(a) == to_real(b);
  }
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case Type::kNone:
    case Type::kUndefined: return true;
    case Type::kString: return text_of(a) == text_of(b);
    case Type::kList:
    case Type::kTuple:
      return std::equal(items_of(a).begin(), items_of(a).end(), items_of(b).begin(), items_of(b).end(), equals);
    case Type::kDict: {
      if (a.as<Dict>().size() != b.as<Dict>().size()) return false;
      return std::ranges::all_of(a.as<Dict>().entries(), [&](const Dict::Entry& entry) {
        const Value* other = b.as<Dict>().find(entry.key);
        return other != nullptr && equals(entry.value, *other);
      });
    }
    case Type::kRange: {
      const Range &x = a.as<Range>(), &y = b.as<Range>();
      return x.length == y.length && (x.length == 0 || (x.start == y.start && (x.length == 1 || x.step == y.step)));
    }
    default: return a.same_as(b);
  }
}

static const char* symbol(Operator op) {
  static constexpr const char* kSymbols[] = {"+",   "-",  "*",  "/", "//", "%", "** or pow()", "-",  "+",
                                             "not", "==", "!=", "<", "<=", ">", ">=",          "in", "not in"};
  return kSymbols[static_cast<int>(op)];
}

template <typename T>
static bool holds(Operator op, const T& a, const T& b) {
  switch (op) {
    case Operator::kLess: return a < b;
    case Operator::kLessEqual: return a <= b;
    case Operator::kGreater: return a > b;
    default: return a >= b;
  }
}

bool ordered(Operator op, const Value& a, const Value& b) {
  if (a.is_undefined()) a.as<Undefined>().fail();
  if (a.is_integral() && b.is_integral()) return holds(op, a.as_int(), b.as_int());
  if (a.is_number() && b.is_number()) return holds(op, to_real(a), to_real(b));
  if (a.is_string() && b.is_string()) return holds(op, text_of(a), text_of(b));  // UTF-8 sorts as its code points
  if (a.is_array() && a.type() == b.type()) {
    const auto &x = items_of(a), &y = items_of(b);
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      if (!equals(x[i], y[i])) return ordered(op, x[i], y[i]);
    }
    return holds(op, x.size(), y.size());
  }
  if (b.is_undefined()) b.as<Undefined>().fail();
  type_error("'{}' not supported between instances of '{}' and '{}'", symbol(op), type_name(a), type_name(b));
}

bool contains(const Value& container, const Value& item) {
  switch (container.type()) {
    case Type::kUndefined: return false;
    case Type::kString:
      if (!item.is_string()) type_error("'in <string>' requires string as left operand, not {}", type_name(item));
      return text_of(container).find(text_of(item)) != std::string::npos;
    case Type::kList:
    case Type::kTuple:
      return std::ranges::any_of(items_of(container),
                                 [&](const Value& v) { return v.same_as(item) || equals(v, item); });
    case Type::kDict: return container.as<Dict>().find(item) != nullptr;
    case Type::kDictView:
      for (const Dict::Entry& entry : container.as<DictView>().dict.as<Dict>().entries()) {
        const auto part = container.as<DictView>().part;
        if (part == DictView::Part::kKeys ? equals(entry.key, item)
                                          : part == DictView::Part::kValues && equals(entry.value, item))
          return true;
        if (part == DictView::Part::kItems && item.is(Type::kTuple) && items_of(item).size() == 2 &&
            equals(items_of(item)[0], entry.key) && equals(items_of(item)[1], entry.value))
          return true;
      }
      return false;
    case Type::kRange: {
      const auto& range = container.as<Range>();
      if (!item.is_number() || to_real(item) != std::floor(to_real(item)) || item.is(Type::kBigInt)) return false;
      const int64_t value = item.is_integral() ? item.as_int() : static_cast<int64_t>(item.as_real());
      if (range.length == 0) return false;
      const int64_t low = std::min(range.start, range.at(range.length - 1)),
                    high = std::max(range.start, range.at(range.length - 1));
      return value >= low && value <= high && (value - range.start) % range.step == 0;
    }
    case Type::kIterator: {
      for (Value next; container.as<Iterator>().next(next);) {
        if (equals(next, item)) return true;
      }
      return false;
    }
    default: type_error("argument of type '{}' is not iterable", type_name(container));
  }
}

bool compare(Operator op, const Value& a, const Value& b) {
  switch (op) {
    case Operator::kEqual: return equals(a, b);
    case Operator::kNotEqual: return !equals(a, b);
    case Operator::kIn: return contains(b, a);
    case Operator::kNotIn: return !contains(b, a);
    default: return ordered(op, a, b);
  }
}

int64_t length_of(const Value& v) {
  switch (v.type()) {
    case Type::kUndefined: return 0;
    case Type::kString: return static_cast<int64_t>(v.as<String>().length());
    case Type::kList:
    case Type::kTuple: return static_cast<int64_t>(items_of(v).size());
    case Type::kDict: return static_cast<int64_t>(v.as<Dict>().size());
    case Type::kDictView: return static_cast<int64_t>(v.as<DictView>().dict.as<Dict>().size());
    case Type::kRange: return v.as<Range>().length;
    default: type_error("object of type '{}' has no len()", type_name(v));
  }
}

namespace {

[[noreturn]] void overflow() { raise(ExceptionType::kOverflowError, "integer result does not fit into 64 bits"); }
[[noreturn]] void divided_by_zero(const char* what) { raise(ExceptionType::kZeroDivisionError, "{}", what); }

Value power(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) divided_by_zero("0.0 cannot be raised to a negative power");
    return Value::real(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  int64_t result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) && __builtin_mul_overflow(result, base, &result)) overflow();
    if (exponent > 1 && __builtin_mul_overflow(base, base, &base)) overflow();
  }
  return Value::integer(result);
}

Value integers(Operator op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
    case Operator::kAdd:
      if (__builtin_add_overflow(a, b, &result)) overflow();
      return Value::integer(result);
    case Operator::kSubtract:
      if (__builtin_sub_overflow(a, b, &result)) overflow();
      return Value::integer(result);
    case Operator::kMultiply:
      if (__builtin_mul_overflow(a, b, &result)) overflow();
      return Value::integer(result);
    case Operator::kDivide:
      if (b == 0) divided_by_zero("division by zero");
      return Value::real(static_cast<double>(a) / static_cast<double>(b));
    case Operator::kPower: return power(a, b);
    default: break;
  }
  if (b == 0)
    divided_by_zero(op == Operator::kModulo ? "integer modulo by zero" : "integer division or modulo by zero");
  if (b == -1) return op == Operator::kModulo ? Value::integer(0) : integers(Operator::kSubtract, 0, a);
  const int64_t remainder = a % b;
  const bool adjust = remainder != 0 && (remainder < 0) != (b < 0);
  return Value::integer(op == Operator::kModulo ? remainder + (adjust ? b : 0) : a / b - (adjust ? 1 : 0));
}

Value reals(Operator op, double a, double b) {
  switch (op) {
    case Operator::kAdd: return Value::real(a + b);
    case Operator::kSubtract: return Value::real(a - b);
    case Operator::kMultiply: return Value::real(a * b);
    case Operator::kDivide:
      if (b == 0) divided_by_zero("float division by zero");
      return Value::real(a / b);
    case Operator::kPower:
      if (a == 0 && b < 0) divided_by_zero("0.0 cannot be raised to a negative power");
      return Value::real(std::pow(a, b));
    default: break;
  }
  if (b == 0) divided_by_zero(op == Operator::kModulo ? "float modulo" : "float floor division by zero");
  double remainder = std::fmod(a, b);
  if (remainder != 0 && (remainder < 0) != (b < 0)) remainder += b;
  return Value::real(op == Operator::kModulo ? remainder : std::floor((a - remainder) / b + 0.5));
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
    return heap.string(std::move(out));
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
  std::vector<Value> items = items_of(a);
  items.insert(items.end(), items_of(b).begin(), items_of(b).end());
  return a.is(Type::kList) ? heap.list(std::move(items)) : heap.tuple(std::move(items));
}

[[noreturn]] void unsupported(Operator op, const Value& a, const Value& b) {
  if (op == Operator::kAdd && a.is_string()) type_error("can only concatenate str (not \"{}\") to str", type_name(b));
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

}  // namespace

Value binary(Heap& heap, Operator op, const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) return integers(op, a.as_int(), b.as_int());
  if (a.is_number() && b.is_number()) {
    if ((a.is(Type::kBigInt) || b.is(Type::kBigInt)) && !a.is(Type::kFloat) && !b.is(Type::kFloat)) overflow();
    return reals(op, to_real(a), to_real(b));
  }
  if (a.is_undefined()) a.as<Undefined>().fail();
  if (op == Operator::kModulo && a.is_string()) return format_percent(heap, a, b);
  if (op == Operator::kAdd && a.is_string() && b.is_string()) return add_strings(heap, a, b);
  if (op == Operator::kAdd && a.is_array() && a.type() == b.type()) return add_arrays(heap, a, b);
  if (op == Operator::kMultiply && (a.is_string() || a.is_array()) && b.is_integral())
    return repeat(heap, a, b.as_int());
  if (op == Operator::kMultiply && (b.is_string() || b.is_array()) && a.is_integral())
    return repeat(heap, b, a.as_int());
  if (b.is_undefined() && !(op == Operator::kMultiply && (a.is_string() || a.is_array()))) b.as<Undefined>().fail();
  if (b.is_undefined()) b.as<Undefined>().fail();
  unsupported(op, a, b);
}

Value unary(Operator op, const Value& a) {
  if (op == Operator::kNot) return Value::boolean(!truth(a));
  if (a.is_undefined()) a.as<Undefined>().fail();
  if (a.is(Type::kFloat)) return op == Operator::kPlus ? a : Value::real(-a.as_real());
  if (a.is(Type::kBigInt)) overflow();
  if (!a.is_integral()) type_error("bad operand type for unary {}: '{}'", symbol(op), type_name(a));
  return op == Operator::kPlus ? Value::integer(a.as_int()) : integers(Operator::kSubtract, 0, a.as_int());
}

Value character_at(Heap& heap, const String& text, int64_t index) {
  if (text.is_ascii()) return heap.string(text.text().substr(static_cast<size_t>(index), 1));
  heap.budget().touch(text.text().size());
  const char* p = text.text().data();
  for (int64_t i = 0; i < index; ++i) text::decode_utf8(p);
  const char* end = p;
  text::decode_utf8(end);
  return heap.string(std::string(p, end));
}

namespace {

class ArrayIterator : public Iterator {
 public:
  ArrayIterator(Value array, const char* name) : Iterator(name), array_(std::move(array)) {}
  bool next(Value& out) override {
    if (at_ >= items_of(array_).size()) return false;
    out = items_of(array_)[at_++];
    return true;
  }

 private:
  Value array_;
  size_t at_ = 0;
};

class StringIterator : public Iterator {
 public:
  StringIterator(Heap& heap, Value text)
      : Iterator("str_iterator"), heap_(heap), text_(std::move(text)), at_(text_of(text_).data()) {}
  bool next(Value& out) override {
    if (at_ == text_of(text_).data() + text_of(text_).size()) return false;
    const char* start = at_;
    text::decode_utf8(at_);
    out = heap_.string(std::string(start, at_));
    return true;
  }

 private:
  Heap& heap_;
  Value text_;
  const char* at_;
};

class DictIterator : public Iterator {
 public:
  DictIterator(Heap& heap, Value dict, DictView::Part part)
      : Iterator("dict_keyiterator"), heap_(heap), dict_(std::move(dict)), part_(part) {}
  bool next(Value& out) override {
    if (at_ >= dict_.as<Dict>().size()) return false;
    const Dict::Entry& entry = dict_.as<Dict>().entries()[at_++];
    out = part_ == DictView::Part::kKeys     ? entry.key
          : part_ == DictView::Part::kValues ? entry.value
                                             : heap_.tuple({entry.key, entry.value});
    return true;
  }

 private:
  Heap& heap_;
  Value dict_;
  DictView::Part part_;
  size_t at_ = 0;
};

class RangeIterator : public Iterator {
 public:
  explicit RangeIterator(Value range) : Iterator("range_iterator"), range_(std::move(range)) {}
  bool next(Value& out) override {
    if (at_ >= range_.as<Range>().length) return false;
    out = Value::integer(range_.as<Range>().at(at_++));
    return true;
  }

 private:
  Value range_;
  int64_t at_ = 0;
};

class NoItems : public Iterator {
 public:
  NoItems() : Iterator("generator") {}
  bool next(Value&) override { return false; }
};

}  // namespace

Iterator* iterate(Heap& heap, const Value& v) {
  switch (v.type()) {
    case Type::kUndefined: return heap.make<NoItems>(0);
    case Type::kString: return heap.make<StringIterator>(0, heap, v);
    case Type::kList: return heap.make<ArrayIterator>(0, v, "list_iterator");
    case Type::kTuple: return heap.make<ArrayIterator>(0, v, "tuple_iterator");
    case Type::kDict: return heap.make<DictIterator>(0, heap, v, DictView::Part::kKeys);
    case Type::kDictView: return heap.make<DictIterator>(0, heap, v.as<DictView>().dict, v.as<DictView>().part);
    case Type::kRange: return heap.make<RangeIterator>(0, v);
    case Type::kIterator: v.object()->retain(); return &v.as<Iterator>();
    default: type_error("'{}' object is not iterable", type_name(v));
  }
}

std::vector<Value> to_vector(Heap& heap, const Value& v) {
  if (v.is_array()) return items_of(v);
  const Value iterator = Value::adopt(iterate(heap, v));
  std::vector<Value> items;
  for (Value item; iterator.as<Iterator>().next(item); items.push_back(item)) {
    heap.budget().step();
    if ((items.size() & 1023) == 1023) heap.budget().expect(items.size() * 2 * sizeof(Value));
  }
  return items;
}

Value slice(Heap& heap, const Value& v, const Value bounds[3]) {
  if (v.is_undefined()) v.as<Undefined>().fail();
  if (!v.is_string() && !v.is_array() && !v.is(Type::kRange)) {
    if (v.is(Type::kDict)) type_error("unhashable type: 'slice'");
    type_error("'{}' object is not subscriptable", type_name(v));
  }
  for (int i = 0; i < 3; ++i) {
    if (!bounds[i].is_none() && !bounds[i].is_integral())
      type_error("slice indices must be integers or None or have an __index__ method");
  }
  const int64_t length = length_of(v), step = bounds[2].is_none() ? 1 : bounds[2].as_int();
  if (step == 0) value_error("slice step cannot be zero");
  auto bound = [&](const Value& given, int64_t otherwise) {
    if (given.is_none()) return otherwise;
    int64_t at = given.as_int();
    if (at < 0) at = at < -length ? -1 : at + length;
    if (given.as_int() < -length) return step > 0 ? int64_t{0} : int64_t{-1};
    return std::min(at, step > 0 ? length : length - 1);
  };
  const int64_t start = bound(bounds[0], step > 0 ? 0 : length - 1), stop = bound(bounds[1], step > 0 ? length : -1);
  const Value picked = heap.make_value<Range>(0, start, stop, step == INT64_MIN ? -INT64_MAX : step);
  const Range& range = picked.as<Range>();
  heap.budget().step(1 + static_cast<size_t>(range.length) / 16);
  if (v.is_string()) {
    const auto& text = v.as<String>();
    if (text.is_ascii() && step == 1)
      return heap.string(text.text().substr(static_cast<size_t>(start), static_cast<size_t>(range.length)));
    std::vector<const char*> starts;
    const char *p = text.text().data(), *end = p + text.text().size();
    heap.budget().expect(text.length() * sizeof(char*));
    while (p != end) {
      starts.push_back(p);
      text::decode_utf8(p);
    }
    starts.push_back(end);
    std::string out;
    for (int64_t i = 0; i < range.length; ++i)
      out.append(starts[static_cast<size_t>(range.at(i))], starts[static_cast<size_t>(range.at(i)) + 1]);
    return heap.string(std::move(out));
  }
  if (v.is(Type::kRange)) {
    const auto& from = v.as<Range>();
    return heap.make_value<Range>(0, from.start + start * from.step, from.start + stop * from.step, from.step * step);
  }
  std::vector<Value> items;
  for (int64_t i = 0; i < range.length; ++i) items.push_back(items_of(v)[static_cast<size_t>(range.at(i))]);
  return v.is(Type::kList) ? heap.list(std::move(items)) : heap.tuple(std::move(items));
}

Value escape(Heap& heap, const Value& v) {
  if (v.is_string() && v.as<String>().is_markup()) return v;
  std::string out;
  for (char c : to_text(v)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\'': out += "&#39;"; break;
      case '"': out += "&#34;"; break;
      default: out += c;
    }
  }
  return heap.markup(std::move(out));
}

Value format_percent(Heap& heap, const Value& format, const Value& arguments) {
  const std::string& text = text_of(format);
  std::string out;
  size_t used = 0;
  const bool is_tuple = arguments.is(Type::kTuple);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (++i >= text.size()) value_error("incomplete format");
    if (text[i] == '%') {
      out += '%';
      continue;
    }
    Value value;
    if (text[i] == '(') {
      const size_t close = text.find(')', i);
      if (close == std::string::npos) value_error("incomplete format key");
      if (!arguments.is(Type::kDict)) type_error("format requires a mapping");
      const std::string key = text.substr(i + 1, close - i - 1);
      const Value* found = arguments.as<Dict>().find(key);
      if (found == nullptr) throw Exception{ExceptionType::kKeyError, quoted(key)};
      value = *found;
      used = SIZE_MAX;
      i = close + 1;
    }
    std::string spec = "{:";
    std::string flags;
    while (i < text.size() && std::string_view("-+ #0").find(text[i]) != std::string_view::npos) flags += text[i++];
    std::string width, precision;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') width += text[i++];
    if (i < text.size() && text[i] == '.') {
      ++i;
      precision = ".";
      while (i < text.size() && text[i] >= '0' && text[i] <= '9') precision += text[i++];
      if (precision == ".") precision = ".0";
    }
    if (i >= text.size()) value_error("incomplete format");
    if (width.size() > 6 || precision.size() > 4) value_error("width or precision too big");
    if (value.is_missing()) {
      if (used == SIZE_MAX || (is_tuple ? used >= items_of(arguments).size() : used > 0))
        type_error("not enough arguments for format string");
      value = is_tuple ? items_of(arguments)[used] : arguments;
      ++used;
    }
    heap.budget().expect(width.empty() ? 0 : std::stoul(width));
    const char kind = text[i];
    const bool left = flags.find('-') != std::string::npos;
    std::string shown;
    if (kind == 's' || kind == 'r' || kind == 'a') {
      shown = kind == 's' ? to_text(value) : repr(value);
      if (!precision.empty()) shown = fmt::format(fmt::runtime("{:" + precision + "}"), shown);
    } else if (std::string_view("dixXoeEfFgGu").find(kind) != std::string_view::npos) {
      if (value.is_undefined()) value.as<Undefined>().fail();
      if (!value.is_number() || value.is(Type::kBigInt)) {
        if (kind == 'd' || kind == 'i' || kind == 'u')
          type_error("%{} format: a real number is required, not {}", kind, type_name(value));
        if (kind == 'x' || kind == 'X' || kind == 'o')
          type_error("%{} format: an integer is required, not {}", kind, type_name(value));
        type_error("must be real number, not {}", type_name(value));
      }
      const std::string sign = flags.find('+') != std::string::npos   ? "+"
                               : flags.find(' ') != std::string::npos ? " "
                                                                      : "";
      const bool integer = std::string_view("dixXou").find(kind) != std::string_view::npos;
      const std::string zero = !left && flags.find('0') != std::string::npos ? "0" + width : "";
      if (integer) {
        const std::string type(1, kind == 'i' || kind == 'u' ? 'd' : kind);
        const int64_t whole = value.is_integral() ? value.as_int() : static_cast<int64_t>(std::trunc(value.as_real()));
        shown = fmt::format(
            fmt::runtime("{:" + sign + (flags.find('#') != std::string::npos ? "#" : "") + zero + type + "}"), whole);
      } else {
        shown = fmt::format(
            fmt::runtime("{:" + sign + zero + (precision.empty() ? ".6" : precision) + std::string(1, kind) + "}"),
            to_real(value));
      }
    } else if (kind == 'c') {
      shown = to_text(value);
    } else {
      value_error("unsupported format character '{}' (0x{:x}) at index {}", kind,
                  static_cast<int>(static_cast<unsigned char>(kind)), i);
    }
    const size_t wanted = width.empty() ? 0 : std::stoul(width), has = text::count_characters(shown);
    if (has < wanted && !left) shown.insert(0, wanted - has, ' ');
    else if (has < wanted) shown.append(wanted - has, ' ');
    out += shown;
  }
  if (is_tuple && used != SIZE_MAX && used < items_of(arguments).size())
    type_error("not all arguments converted during string formatting");
  if (!is_tuple && used == 0 && !arguments.is(Type::kDict) && !arguments.is(Type::kList))
    type_error("not all arguments converted during string formatting");
  return heap.string(std::move(out));
}

}  // namespace gamut::jinja
