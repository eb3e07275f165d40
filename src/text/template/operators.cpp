#include "text/template/operators.h"

#include <algorithm>
#include <cmath>
#include <compare>

#include "text/template/numbers.h"
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
  return v.is(Type::kBigInt) ? v.as<BigInt>().value().to_real() : static_cast<double>(v.as_int());
}

/// Of dict.keys() and dict.items(), which are like sets: whether all of one are in the other.
static bool is_subset(const Value& a, const Value& b) {
  const auto& part = a.as<DictView>();
  return std::ranges::all_of(part.dict.as<Dict>().entries(), [&](const Dict::Entry& entry) {
    const auto& whole = b.as<DictView>();
    if (whole.part != part.part) return false;
    const Value* found = whole.dict.as<Dict>().find(entry.key);
    return found != nullptr && (part.part == DictView::Part::kKeys || equals(entry.value, *found));
  });
}

static bool is_set(const Value& v) { return v.is(Type::kDictView) && v.as<DictView>().part != DictView::Part::kValues; }

bool equals(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
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
    default: return is_set(a) && is_set(b) ? length_of(a) == length_of(b) && is_subset(a, b) : a.same_as(b);
  }
}

const char* symbol(Operator op) {
  static constexpr const char* kSymbols[] = {"+",   "-",  "*",  "/", "//", "%", "** or pow()", "-",  "+",
                                             "not", "==", "!=", "<", "<=", ">", ">=",          "in", "not in"};
  return kSymbols[static_cast<int>(op)];
}

static bool holds(Operator op, std::partial_ordering order) {
  switch (op) {
    case Operator::kLess: return order < 0;
    case Operator::kLessEqual: return order <= 0;
    case Operator::kGreater: return order > 0;
    default: return order >= 0;
  }
}

bool ordered(Operator op, const Value& a, const Value& b) {
  if (a.is_undefined()) a.as<Undefined>().fail();
  if (a.is_number() && b.is_number()) return holds(op, compare_numbers(a, b));
  if (a.is_string() && b.is_string()) return holds(op, text_of(a) <=> text_of(b));  // UTF-8 sorts as its code points
  if (a.is_array() && a.type() == b.type()) {
    const auto &x = items_of(a), &y = items_of(b);
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      if (!equals(x[i], y[i])) return ordered(op, x[i], y[i]);
    }
    return holds(op, x.size() <=> y.size());
  }
  if (is_set(a) && is_set(b)) {
    const bool rises = op == Operator::kLess || op == Operator::kLessEqual;
    const bool strict = op == Operator::kLess || op == Operator::kGreater;
    return (rises ? is_subset(a, b) : is_subset(b, a)) && !(strict && length_of(a) == length_of(b));
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

}  // namespace gamut::jinja
