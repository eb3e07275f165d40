// Going over the items of values, and parts of them.
#include <algorithm>

#include "text/template/operators.h"
#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut::jinja {

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

bool is_iterable(const Value& v) {
  return v.is_undefined() || v.is_string() || v.is_array() || v.is(Type::kDict) || v.is(Type::kDictView) ||
         v.is(Type::kRange) || v.is(Type::kIterator);
}

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

namespace {

class LazyItems : public Iterator {
 public:
  explicit LazyItems(NextItem next) : Iterator("generator"), next_(std::move(next)) {}
  bool next(Value& out) override { return !done_ && (next_(out) || (done_ = true, false)); }

 private:
  NextItem next_;
  bool done_ = false;
};

}  // namespace

Value lazy(Heap& heap, NextItem next) { return heap.make_value<LazyItems>(sizeof(Value) * 8, std::move(next)); }

}  // namespace gamut::jinja
