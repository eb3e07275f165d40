// Filters over the items of a value, in their order.
#include <algorithm>
#include <random>

#include "text/template/filter_call.h"
#include "text/template/operators.h"
#include "text/template/repr.h"

namespace gamut::jinja::filter {

Value join(FilterCall& c) {
  const auto p =
      c.bind("sync_do_join", {{"value", Value()}, {"d", c.heap.string("")}, {"attribute", Value::none()}}, 1);
  std::vector<Value> items = to_vector(c.heap, p[0]);
  for (Value& item : items) item = c.attribute_of(item, p[2]);
  auto is_markup = [](const Value& v) { return v.is_string() && v.as<String>().is_markup(); };
  const bool escapes = c.in.autoescapes() && (is_markup(p[1]) || std::ranges::any_of(items, is_markup));
  const std::string between = escapes ? text_of(jinja::escape(c.heap, p[1])) : to_text(p[1]);
  std::string out;
  for (const Value& item : items) {
    if (&item != items.data()) out += between;
    append_text(out, escapes ? jinja::escape(c.heap, item) : item);
    c.heap.budget().expect(out.size());
  }
  return escapes ? c.heap.markup(std::move(out)) : c.heap.string(std::move(out));
}

Value list(FilterCall& c) {
  c.bind("sync_do_list", {{"value", Value()}});
  return c.heap.list(to_vector(c.heap, c.v));
}

Value first(FilterCall& c) {
  c.bind("sync_do_first", {{"seq", Value()}}, 1);
  Value item;
  const Value iterator = Value::adopt(iterate(c.heap, c.v));
  return iterator.as<Iterator>().next(item) ? item : c.in.undefined("No first item, sequence was empty.");
}

namespace {

bool is_reversible(const Value& v) {
  return v.is_undefined() || v.is_string() || v.is_array() || v.is(Type::kDict) || v.is(Type::kDictView) ||
         v.is(Type::kRange);
}

const char* reversed_name(const Value& v) {
  switch (v.type()) {
    case Type::kList: return "list_reverseiterator";
    case Type::kRange: return "range_iterator";
    case Type::kDict: return "dict_reversekeyiterator";
    case Type::kDictView: {
      const auto part = v.as<DictView>().part;
      return part == DictView::Part::kKeys     ? "dict_reversekeyiterator"
             : part == DictView::Part::kValues ? "dict_reversevalueiterator"
                                               : "dict_reverseitemiterator";
    }
    default: return "reversed";
  }
}

}  // namespace

Value last(FilterCall& c) {
  c.bind("do_last", {{"seq", Value()}}, 1);
  if (!is_reversible(c.v)) type_error("'{}' object is not reversible", type_name(c.v));
  if (c.v.is_array() && !items_of(c.v).empty()) return items_of(c.v).back();
  const std::vector<Value> items = to_vector(c.heap, c.v);
  return items.empty() ? c.in.undefined("No last item, sequence was empty.") : items.back();
}

Value random(FilterCall& c) {
  c.bind("do_random", {{"seq", Value()}}, 1);
  const int64_t length = length_of(c.v);
  if (length == 0) return c.in.undefined("No random item, sequence was empty.");
  if (c.v.is(Type::kDictView)) type_error("'{}' object is not subscriptable", type_name(c.v));
  static thread_local std::minstd_rand generator{std::random_device{}()};
  const Value at = Value::integer(std::uniform_int_distribution<int64_t>(0, length - 1)(generator));
  if (c.v.is(Type::kDict) && c.v.as<Dict>().find(at) == nullptr) raise(ExceptionType::kKeyError, "{}", at.as_int());
  return c.in.item(c.v, at);
}

Value reverse(FilterCall& c) {
  c.bind("do_reverse", {{"value", Value()}});
  if (c.v.is_string()) {
    const Value bounds[3] = {Value::none(), Value::none(), Value::integer(-1)};
    return jinja::slice(c.heap, c.v, bounds);
  }
  if (!is_reversible(c.v) && !is_iterable(c.v)) raise(ExceptionType::kFilterArgumentError, "argument must be iterable");
  std::vector<Value> items = to_vector(c.heap, c.v);
  std::reverse(items.begin(), items.end());
  return is_reversible(c.v) ? c.generated(std::move(items), reversed_name(c.v)) : c.heap.list(std::move(items));
}

Value batch(FilterCall& c) {
  const auto p = c.bind("do_batch", {{"value", Value()}, {"linecount", Value()}, {"fill_with", Value::none()}});
  std::vector<Value> made, part;
  auto size = [&] { return Value::integer(static_cast<int64_t>(part.size())); };
  for (const Value& item : to_vector(c.heap, p[0])) {
    if (equals(size(), p[1])) made.push_back(c.heap.list(std::exchange(part, {})));
    part.push_back(item);
  }
  if (!part.empty()) {
    if (!p[2].is_none() && ordered(Operator::kLess, size(), p[1])) {
      const Value missing = binary(c.heap, Operator::kSubtract, p[1], size());
      const Value filling = binary(c.heap, Operator::kMultiply, c.heap.list({p[2]}), missing);
      part.insert(part.end(), items_of(filling).begin(), items_of(filling).end());
    }
    made.push_back(c.heap.list(std::move(part)));
  }
  return c.generated(std::move(made));
}

Value slice(FilterCall& c) {
  const auto p = c.bind("sync_do_slice", {{"value", Value()}, {"slices", Value()}, {"fill_with", Value::none()}});
  const std::vector<Value> items = to_vector(c.heap, p[0]);
  const int64_t length = static_cast<int64_t>(items.size());
  const Value each = binary(c.heap, Operator::kFloorDivide, Value::integer(length), p[1]);
  const int64_t count = index_of(p[1]), extra = count > 0 ? length % count : 0;
  std::vector<Value> made;
  for (int64_t i = 0, at = 0; i < count; ++i) {
    c.heap.budget().step();
    c.heap.budget().expect(made.size() * sizeof(Value));
    const int64_t size = each.as_int() + (i < extra ? 1 : 0);
    std::vector<Value> part(items.begin() + at, items.begin() + at + size);
    at += size;
    if (!p[2].is_none() && i >= extra) part.push_back(p[2]);
    made.push_back(c.heap.list(std::move(part)));
  }
  return c.generated(std::move(made));
}

namespace {

/// The name of a filter or a test that `map` or `select` was given.
const std::string& given_name(const Value& name, const char* kind) {
  if (name.is_string()) return text_of(name);
  hash_of(name);
  std::string message = fmt::format("No {} named {}.", kind, repr(name));
  if (name.is_undefined())
    message += " (" + name.as<Undefined>().message() + "; did you forget to quote the callable name?)";
  throw Exception{ExceptionType::kTemplateRuntimeError, message};
}

/// What `map` does to an item: a filter, or the look-up of an attribute.
struct Mapping {
  Arguments given;
  Value attribute, otherwise = Value::none();

  void prepare() {
    if (!given.positional.empty()) return;
    attribute = given.take("attribute");
    if (attribute.is_missing()) raise(ExceptionType::kFilterArgumentError, "map requires a filter argument");
    const Value found = given.take("default");
    if (!found.is_missing()) otherwise = found;
    if (!given.named.empty())
      raise(ExceptionType::kFilterArgumentError, "Unexpected keyword argument {}", quoted(given.named[0].first));
  }
};

}  // namespace

Value map(FilterCall& c) {
  Mapping mapping{.given = c.given, .attribute = {}};
  Value source;
  return lazy(c.heap, [=, over = c.v, name = c.name, &in = c.in, &heap = c.heap](Value& out) mutable {
    if (!truth(over)) return false;
    if (source.is_missing()) {
      mapping.prepare();
      source = Value::adopt(iterate(heap, over));
    }
    Value item;
    if (!source.as<Iterator>().next(item)) return false;
    heap.budget().step();
    const FilterCall step{in, heap, name, over, mapping.given};
    out = mapping.attribute.is_missing()
              ? in.call_filter(given_name(mapping.given.positional[0], "filter"), item, step.rest(1))
              : step.attribute_of(item, mapping.attribute, mapping.otherwise);
    return true;
  });
}

Value select(FilterCall& c) {
  const bool by_attribute = c.name.ends_with("attr"), wanted = c.name.starts_with("select");
  const size_t offset = by_attribute ? 1 : 0;
  Arguments given = c.given;
  const Value over = c.v;
  const std::string name = c.name;
  Value source;
  return lazy(c.heap, [=, &in = c.in, &heap = c.heap](Value& out) mutable {
    if (!truth(over)) return false;
    if (source.is_missing()) {
      if (by_attribute && given.positional.empty())
        raise(ExceptionType::kFilterArgumentError, "Missing parameter for attribute name");
      source = Value::adopt(iterate(heap, over));
    }
    FilterCall step{in, heap, name, over, given};
    for (Value item; source.as<Iterator>().next(item);) {
      heap.budget().step();
      const Value key = by_attribute ? step.attribute_of(item, given.positional[0]) : item;
      const bool holds = given.positional.size() > offset
                             ? in.call_test(given_name(given.positional[offset], "test"), key, step.rest(offset + 1))
                             : truth(key);
      if (holds != wanted) continue;
      out = item;
      return true;
    }
    return false;
  });
}

}  // namespace gamut::jinja::filter
