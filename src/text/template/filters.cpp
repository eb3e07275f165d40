// The table of filters, what all of them use, and those for values of any kind.
#include <algorithm>

#include "text/template/filter_call.h"
#include "text/template/frames.h"
#include "text/template/operators.h"
#include "text/template/repr.h"

namespace gamut::jinja {
namespace {

constexpr FilterEntry kFilters[] = {
    {"abs", filter::abs},
    {"attr", filter::attr},
    {"batch", filter::batch},
    {"capitalize", filter::capitalize},
    {"center", filter::center},
    {"count", filter::length},
    {"d", filter::default_value},
    {"default", filter::default_value},
    {"dictsort", filter::dictsort},
    {"e", filter::escape},
    {"escape", filter::escape},
    {"filesizeformat", filter::filesizeformat},
    {"first", filter::first},
    {"float", filter::to_float},
    {"forceescape", filter::forceescape},
    {"format", filter::format},
    {"groupby", filter::groupby},
    {"indent", filter::indent},
    {"int", filter::to_int},
    {"items", filter::items},
    {"join", filter::join},
    {"last", filter::last},
    {"length", filter::length},
    {"list", filter::list},
    {"lower", filter::lower},
    {"map", filter::map},
    {"max", filter::min_or_max},
    {"min", filter::min_or_max},
    {"pprint", filter::pprint},
    {"random", filter::random},
    {"reject", filter::select},
    {"rejectattr", filter::select},
    {"replace", filter::replace},
    {"reverse", filter::reverse},
    {"round", filter::round},
    {"safe", filter::safe},
    {"select", filter::select},
    {"selectattr", filter::select},
    {"slice", filter::slice},
    {"sort", filter::sort},
    {"string", filter::string},
    {"striptags", filter::striptags},
    {"sum", filter::sum},
    {"title", filter::title},
    {"tojson", filter::tojson},
    {"trim", filter::trim},
    {"truncate", filter::truncate},
    {"unique", filter::unique},
    {"upper", filter::upper},
    {"urlencode", filter::urlencode},
    {"urlize", filter::urlize},
    {"wordcount", filter::wordcount},
    {"wordwrap", filter::wordwrap},
    {"xmlattr", filter::xmlattr},
};
static_assert(std::ranges::is_sorted(kFilters, {}, &FilterEntry::name));

}  // namespace

FilterFunction find_filter(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kFilters, name, {}, &FilterEntry::name);
  return found != std::end(kFilters) && found->name == name ? found->function : nullptr;
}

void no_attribute(const Value& v, std::string_view name) {
  if (v.is_undefined()) v.as<Undefined>().fail();
  if (v.is(Type::kNamespace)) raise(ExceptionType::kAttributeError, "{}", name);
  raise(ExceptionType::kAttributeError, "'{}' object has no attribute '{}'", type_name(v), name);
}

std::vector<Value> FilterCall::bind(std::string_view function, Signature parameters, size_t hidden) const {
  Arguments all{{v}, given.named};
  all.positional.insert(all.positional.end(), given.positional.begin(), given.positional.end());
  return jinja::bind(function, parameters, all, hidden);
}

namespace {

/// Items that are worked out already, given once as a generator gives them.
class Generated : public Iterator {
 public:
  Generated(std::vector<Value> items, const char* name) : Iterator(name), items_(std::move(items)) {}
  bool next(Value& out) override { return at_ < items_.size() && (out = items_[at_++], true); }

 private:
  std::vector<Value> items_;
  size_t at_ = 0;
};

}  // namespace

Value FilterCall::generated(std::vector<Value> items, const char* type_name) const {
  const size_t bytes = items.capacity() * sizeof(Value);
  return heap.make_value<Generated>(bytes, std::move(items), type_name);
}

Arguments FilterCall::rest(size_t from) const {
  Arguments left{{}, given.named};
  if (from < given.positional.size())
    left.positional.assign(given.positional.begin() + static_cast<ptrdiff_t>(from), given.positional.end());
  return left;
}

Value FilterCall::attribute_of(const Value& item, const Value& path, const Value& otherwise) const {
  auto with_default = [&](const Value& found) {
    return found.is_undefined() && !otherwise.is_none() ? otherwise : found;
  };
  if (path.is_none()) return item;
  if (!path.is_string()) return with_default(in.item(item, path));
  Value at = item;
  std::string_view left = text_of(path);
  while (true) {
    const size_t dot = std::min(left.find('.'), left.size());
    const std::string part(left.substr(0, dot));
    const bool number = !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string::npos;
    at = with_default(in.item(at, number ? Value::integer(std::stol(part)) : heap.string(part)));
    if (dot == left.size()) return at;
    left.remove_prefix(dot + 1);
  }
}

Value FilterCall::text_method(const char* method, std::vector<Value> arguments) const {
  const Value text = v.is_string() ? v : heap.string(to_text(v));
  return in.call_method(text, method, {std::move(arguments), {}});
}

namespace filter {

Value default_value(FilterCall& c) {
  const auto p = c.bind("do_default",
                        {{"value", Value()}, {"default_value", c.heap.string("")}, {"boolean", Value::boolean(false)}});
  return p[0].is_undefined() || (truth(p[2]) && !truth(p[0])) ? p[1] : p[0];
}

Value length(FilterCall& c) {
  if (!c.given.named.empty()) type_error("len() takes no keyword arguments");
  if (!c.given.positional.empty())
    type_error("len() takes exactly one argument ({} given)", c.given.positional.size() + 1);
  return Value::integer(length_of(c.v));
}

Value string(FilterCall& c) {
  c.bind("soft_str", {{"s", Value()}});
  return c.v.is_string() ? c.v : c.heap.string(to_text(c.v));
}

Value attr(FilterCall& c) {
  const auto p = c.bind("do_attr", {{"obj", Value()}, {"name", Value()}}, 1);
  if (!p[1].is_string()) type_error("attribute name must be string, not '{}'", type_name(p[1]));
  Value found = c.in.attribute(p[0], p[1]);
  if (p[0].is(Type::kDict) && p[0].as<Dict>().find(p[1]) != nullptr && !found.is(Type::kMethod))
    return c.heap.make_value<Undefined>(0, p[0], p[1]);
  return found;
}

Value items(FilterCall& c) {
  c.bind("do_items", {{"value", Value()}});
  if (c.v.is_undefined()) return c.generated({});
  if (c.v.is(Type::kDict))
    return c.generated(to_vector(c.heap, c.heap.make_value<DictView>(0, c.v, DictView::Part::kItems)));
  return lazy(c.heap, [](Value&) -> bool { type_error("Can only get item pairs from a mapping."); });
}

namespace {

void set_indent(FilterCall& c, const Value& given, JsonStyle& style) {
  style.has_indent = true;
  style.item_separator = ",";
  if (given.is_string()) {
    style.indent = text_of(given);
  } else if (given.is_integral()) {
    const auto width = static_cast<size_t>(std::clamp<int64_t>(given.as_int(), 0, INT64_MAX / 2));
    c.heap.budget().expect(width);
    style.indent = std::string(width, ' ');
  } else {
    type_error("can't multiply sequence by non-int of type '{}'", type_name(given));
  }
}

void set_separators(FilterCall& c, const Value& given, JsonStyle& style) {
  if (!is_iterable(given)) type_error("cannot unpack non-iterable {} object", type_name(given));
  const std::vector<Value> both = to_vector(c.heap, given);
  if (both.size() < 2) value_error("not enough values to unpack (expected 2, got {})", both.size());
  if (both.size() > 2) value_error("too many values to unpack (expected 2)");
  style.item_separator = to_text(both[0]);
  style.key_separator = to_text(both[1]);
}

}  // namespace

Value tojson(FilterCall& c) {
  const auto p = c.bind("_cached_compile_jinja_template.<locals>.tojson", {{"x", Value()},
                                                                           {"ensure_ascii", Value::boolean(false)},
                                                                           {"indent", Value::none()},
                                                                           {"separators", Value::none()},
                                                                           {"sort_keys", Value::boolean(false)}});
  JsonStyle style;
  style.ensure_ascii = truth(p[1]);
  style.sort_keys = truth(p[4]);
  if (!p[2].is_none() && !p[0].is_string()) set_indent(c, p[2], style);
  if (!p[3].is_none()) set_separators(c, p[3], style);
  std::string out;
  append_json(out, p[0], style, &c.heap.budget());
  return c.heap.string(std::move(out));
}

}  // namespace filter
}  // namespace gamut::jinja
