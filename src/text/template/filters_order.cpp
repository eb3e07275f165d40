// Filters that compare items with each other.
#include <algorithm>
#include <functional>

#include "text/template/filter_call.h"
#include "text/template/operators.h"
#include "text/template/python_unicode.h"
#include "text/template/repr.h"

namespace gamut::jinja::filter {
namespace {

using Keyed = std::vector<std::pair<Value, Value>>;  // key and item

Value folded(FilterCall& c, const Value& v, bool case_sensitive) {
  return v.is_string() && !case_sensitive ? c.heap.string(to_lower(text_of(v))) : v;
}

/// Python's sort of a short list, comparison by comparison: which one raises decides the text of the error.
void sort_short(Keyed& keyed, const std::function<bool(const Value&, const Value&)>& less) {
  const size_t count = keyed.size();
  if (count < 2) return;
  size_t run = 2;
  auto falls = [&](size_t at) { return less(keyed[at].first, keyed[at - 1].first); };
  const bool descending = falls(1);
  while (run < count && falls(run) == descending) ++run;
  if (descending) std::reverse(keyed.begin(), keyed.begin() + static_cast<ptrdiff_t>(run));
  for (size_t next = run; next < count; ++next) {
    size_t low = 0, high = next;
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      if (less(keyed[next].first, keyed[middle].first)) high = middle;
      else low = middle + 1;
    }
    const auto begin = keyed.begin();
    std::rotate(begin + static_cast<ptrdiff_t>(low), begin + static_cast<ptrdiff_t>(next),
                begin + static_cast<ptrdiff_t>(next) + 1);
  }
}

/// Python's sorted(): stable, also in reverse.
void sort_keyed(FilterCall& c, Keyed& keyed, bool reverse) {
  constexpr size_t kShort = 64;
  auto less = [&](const Value& a, const Value& b) {
    c.heap.budget().step();
    return ordered(Operator::kLess, a, b);
  };
  if (reverse) std::reverse(keyed.begin(), keyed.end());
  if (keyed.size() < kShort) sort_short(keyed, less);
  else std::ranges::stable_sort(keyed, less, &std::pair<Value, Value>::first);
  if (reverse) std::reverse(keyed.begin(), keyed.end());
}

Value seconds(FilterCall& c, const Keyed& keyed) {
  std::vector<Value> values;
  values.reserve(keyed.size());
  for (const auto& entry : keyed) values.push_back(entry.second);
  return c.heap.list(std::move(values));
}

}  // namespace

Value dictsort(FilterCall& c) {
  const auto p = c.bind("do_dictsort", {{"value", Value()},
                                        {"case_sensitive", Value::boolean(false)},
                                        {"by", c.heap.string("key")},
                                        {"reverse", Value::boolean(false)}});
  const std::string by = p[2].is_string() ? text_of(p[2]) : "";
  if (by != "key" && by != "value")
    raise(ExceptionType::kFilterArgumentError, "You can only sort by either \"key\" or \"value\"");
  if (p[0].is_undefined()) p[0].as<Undefined>().fail();
  if (!p[0].is(Type::kDict)) no_attribute(p[0], "items");
  Keyed keyed;
  for (const Dict::Entry& entry : p[0].as<Dict>().entries())
    keyed.emplace_back(folded(c, by == "key" ? entry.key : entry.value, truth(p[1])),
                       c.heap.tuple({entry.key, entry.value}));
  sort_keyed(c, keyed, truth(p[3]));
  return seconds(c, keyed);
}

Value sort(FilterCall& c) {
  const auto p = c.bind("do_sort",
                        {{"value", Value()},
                         {"reverse", Value::boolean(false)},
                         {"case_sensitive", Value::boolean(false)},
                         {"attribute", Value::none()}},
                        1);
  std::vector<Value> paths = {p[3]};
  if (p[3].is_string()) {
    paths.clear();
    std::string_view left = text_of(p[3]);
    for (size_t comma; (comma = left.find(',')) != std::string_view::npos; left.remove_prefix(comma + 1))
      paths.push_back(c.heap.string(left.substr(0, comma)));
    paths.push_back(c.heap.string(left));
  }
  Keyed keyed;
  for (const Value& item : to_vector(c.heap, p[0])) {
    std::vector<Value> keys;
    for (const Value& path : paths) keys.push_back(folded(c, c.attribute_of(item, path), truth(p[2])));
    keyed.emplace_back(c.heap.list(std::move(keys)), item);
  }
  sort_keyed(c, keyed, truth(p[1]));
  return seconds(c, keyed);
}

Value groupby(FilterCall& c) {
  const auto p = c.bind("sync_do_groupby",
                        {{"value", Value()},
                         {"attribute", Value()},
                         {"default", Value::none()},
                         {"case_sensitive", Value::boolean(false)}},
                        1);
  Keyed keyed;
  for (const Value& item : to_vector(c.heap, p[0]))
    keyed.emplace_back(folded(c, c.attribute_of(item, p[1], p[2]), truth(p[3])), item);
  sort_keyed(c, keyed, false);
  std::vector<Value> groups;
  for (size_t i = 0; i < keyed.size();) {
    std::vector<Value> members;
    const size_t first = i;
    while (i < keyed.size() && equals(keyed[i].first, keyed[first].first)) members.push_back(keyed[i++].second);
    if (members.empty()) members.push_back(keyed[i++].second);  // a key that differs from itself
    const Value key = c.attribute_of(members[0], p[1], p[2]);
    const Value group = c.heap.tuple({key, c.heap.list(std::move(members))});
    group.as<Array>().is_group = true;
    groups.push_back(group);
  }
  return c.heap.list(std::move(groups));
}

Value unique(FilterCall& c) {
  const auto p =
      c.bind("sync_do_unique",
             {{"value", Value()}, {"case_sensitive", Value::boolean(false)}, {"attribute", Value::none()}}, 1);
  const Value seen = c.heap.make_value<Dict>(0);
  Value source;
  return lazy(c.heap, [=, over = c.v, name = c.name, given = c.given, &in = c.in, &heap = c.heap](Value& out) mutable {
    if (source.is_missing()) source = Value::adopt(iterate(heap, p[0]));
    FilterCall step{in, heap, name, over, given};
    for (Value item; source.as<Iterator>().next(item);) {
      heap.budget().step();
      const Value key = folded(step, step.attribute_of(item, p[2]), truth(p[1]));
      if (seen.as<Dict>().find(key) != nullptr) continue;
      seen.as<Dict>().set(key, Value::none());
      out = item;
      return true;
    }
    return false;
  });
}

Value min_or_max(FilterCall& c) {
  const bool is_min = c.name == "min";
  const auto p =
      c.bind(is_min ? "do_min" : "do_max",
             {{"value", Value()}, {"case_sensitive", Value::boolean(false)}, {"attribute", Value::none()}}, 1);
  const std::vector<Value> items = to_vector(c.heap, p[0]);
  if (items.empty()) return c.in.undefined("No aggregated item, sequence was empty.");
  auto key = [&](const Value& item) { return folded(c, c.attribute_of(item, p[2]), truth(p[1])); };
  Value best = items[0], best_key = key(items[0]);
  for (size_t i = 1; i < items.size(); ++i) {
    Value other = key(items[i]);
    if (!ordered(is_min ? Operator::kLess : Operator::kGreater, other, best_key)) continue;
    best = items[i];
    best_key = std::move(other);
  }
  return best;
}

}  // namespace gamut::jinja::filter
