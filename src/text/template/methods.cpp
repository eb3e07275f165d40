// Methods of list, tuple, dict and Jinja's own objects.
#include "text/template/methods.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"
#include "text/template/frames.h"
#include "text/template/numbers.h"
#include "text/template/operators.h"
#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut::jinja {
namespace {

void no_keywords(const std::string& type, const std::string& name, const Arguments& given) {
  if (!given.named.empty()) type_error("{}.{}() takes no keyword arguments", type, name);
}

Value dict_method(Heap& heap, const Value& self, const std::string& name, const Arguments& given) {
  const auto& dict = self.as<Dict>();
  const auto& p = given.positional;
  no_keywords("dict", name, given);
  if (name == "get") {
    if (p.empty()) type_error("get expected at least 1 argument, got 0");
    if (p.size() > 2) type_error("get expected at most 2 arguments, got {}", p.size());
    const Value* found = dict.find(p[0]);
    return found != nullptr ? *found : p.size() > 1 ? p[1] : Value::none();
  }
  if (name == "fromkeys") return keys_with_value(heap, given);
  if (!p.empty()) type_error("dict.{}() takes no arguments ({} given)", name, p.size());
  if (name == "items") return heap.make_value<DictView>(0, self, DictView::Part::kItems);
  if (name == "keys") return heap.make_value<DictView>(0, self, DictView::Part::kKeys);
  if (name == "values") return heap.make_value<DictView>(0, self, DictView::Part::kValues);
  Value copy = heap.make_value<Dict>(0);
  for (const Dict::Entry& entry : dict.entries()) copy.as<Dict>().set(entry.key, entry.value);
  return copy;
}

/// list.count, index and copy, and those of tuple and range.
Value sequence_method(Heap& heap, const Value& self, const std::string& name, const Arguments& given) {
  const std::string type = type_name(self);
  const auto& p = given.positional;
  no_keywords(type, name, given);
  if (name == "copy") {
    if (!p.empty()) type_error("{}.copy() takes no arguments ({} given)", type, p.size());
    return heap.list(items_of(self));
  }
  if (name == "count" && p.size() != 1) type_error("{}.count() takes exactly one argument ({} given)", type, p.size());
  if (p.empty()) type_error("index expected at least 1 argument, got 0");
  if (p.size() > 3) type_error("index expected at most 3 arguments, got {}", p.size());
  const std::vector<Value> items = to_vector(heap, self);
  heap.budget().step(items.size() / 8);
  auto same = [&](const Value& v) { return v.same_as(p[0]) || equals(v, p[0]); };
  if (name == "count") return Value::integer(std::ranges::count_if(items, same));
  const auto size = static_cast<int64_t>(items.size());
  auto bound = [&](size_t at, int64_t otherwise) {
    if (at >= p.size()) return otherwise;
    if (!p[at].is_integral()) type_error("slice indices must be integers or have an __index__ method");
    return std::clamp<int64_t>(p[at].as_int() < 0 ? p[at].as_int() + size : p[at].as_int(), 0, size);
  };
  for (int64_t i = bound(1, 0); i < bound(2, size); ++i) {
    if (same(items[static_cast<size_t>(i)])) return Value::integer(i);
  }
  if (self.is(Type::kTuple)) value_error("tuple.index(x): x not in tuple");
  value_error("{} is not in {}", repr(p[0]), type);
}

Value loop_method(Heap& heap, const Value& self, const std::string& name, const Arguments& given) {
  auto& loop = self.as<Loop>();
  const auto& p = given.positional;
  if (!given.named.empty())
    type_error("LoopContext.{}() got an unexpected keyword argument {}", name, quoted(given.named[0].first));
  if (name == "cycle") {
    if (p.empty()) type_error("no items for cycling given");
    return p[static_cast<size_t>(std::max<int64_t>(loop.index0, 0)) % p.size()];
  }
  const Value now = heap.tuple(p);
  const bool changed = loop.last_changed.is_missing() || !equals(loop.last_changed, now);
  if (changed) loop.last_changed = now;
  return Value::boolean(changed);
}

Value cycler_method(const Value& self, const std::string& name, const Arguments& given) {
  bind("Cycler." + name, {}, given, 1);
  auto& cycler = self.as<Cycler>();
  const Value current = cycler.items[cycler.position];
  cycler.position = name == "reset" ? 0 : (cycler.position + 1) % cycler.items.size();
  return name == "reset" ? Value::none() : current;
}

Value number_method(Heap& heap, const Value& self, const std::string& name, const Arguments& given) {
  no_keywords(type_name(self), name, given);
  if (!given.positional.empty())
    type_error("{}.{}() takes no arguments ({} given)", type_name(self), name, given.positional.size());
  if (name == "conjugate") return self.is(Type::kFloat) ? self : unary(heap, Operator::kPlus, self);
  if (name == "is_integer") return Value::boolean(self.as_real() == std::floor(self.as_real()));
  const BigInteger value = big_of(self);
  if (name == "bit_length") return Value::integer(static_cast<int64_t>(value.bits()));
  const std::string bits = value.text(2);
  return Value::integer(std::ranges::count(bits, '1'));
}

}  // namespace

Value keys_with_value(Heap& heap, const Arguments& given) {
  const auto& p = given.positional;
  if (!given.named.empty()) type_error("dict.fromkeys() takes no keyword arguments");
  if (p.empty()) type_error("fromkeys expected at least 1 argument, got 0");
  if (p.size() > 2) type_error("fromkeys expected at most 2 arguments, got {}", p.size());
  Value made = heap.make_value<Dict>(0);
  for (const Value& key : to_vector(heap, p[0])) made.as<Dict>().set(key, p.size() > 1 ? p[1] : Value::none());
  return made;
}

Value translated(Interpreter& in, const Value& table, char32_t c) {
  if (table.is_undefined()) table.as<Undefined>().fail();
  const Value code = Value::integer(static_cast<int64_t>(c));
  Value found;
  if (table.is(Type::kDict)) {
    const Value* entry = table.as<Dict>().find(code);
    if (entry != nullptr) found = *entry;
  } else if (table.is_string() || table.is_array() || table.is(Type::kRange)) {
    if (static_cast<int64_t>(c) < length_of(table)) found = in.item(table, code);
  } else {
    type_error("'{}' object is not subscriptable", type_name(table));
  }
  if (!found.is_integral()) {
    if (!found.is_missing() && !found.is_none() && !found.is_string())
      type_error("character mapping must return integer, None or str");
    return found;
  }
  if (found.as_int() < 0 || found.as_int() > 0x10FFFF || (found.as_int() >= 0xD800 && found.as_int() < 0xE000))
    value_error("character mapping must be in range(0x110000)");
  char bytes[4];
  const int size = text::encode_utf8(static_cast<char32_t>(found.as_int()), bytes);
  return in.heap().string(std::string(bytes, static_cast<size_t>(size)));
}

namespace {

std::vector<int64_t> codes_of(const std::string& text) {
  std::vector<int64_t> codes;
  for (const char* p = text.data(); p != text.data() + text.size();)
    codes.push_back(static_cast<int64_t>(text::decode_utf8(p)));
  return codes;
}

}  // namespace

Value translation_table(Heap& heap, const Arguments& given) {
  const auto& p = given.positional;
  if (p.empty()) type_error("maketrans expected at least 1 argument, got 0");
  if (p.size() > 3) type_error("maketrans expected at most 3 arguments, got {}", p.size());
  Value made = heap.make_value<Dict>(0);
  auto& table = made.as<Dict>();
  if (p.size() == 1) {
    if (!p[0].is(Type::kDict)) type_error("if you give only one argument to maketrans it must be a dict");
    for (const Dict::Entry& entry : p[0].as<Dict>().entries()) {
      if (!entry.key.is_string() && !entry.key.is_integral())
        type_error("keys in translate table must be strings or integers");
      if (entry.key.is_string() && entry.key.as<String>().length() != 1)
        value_error("string keys in translate table must be of length 1");
      table.set(entry.key.is_string() ? Value::integer(codes_of(text_of(entry.key))[0]) : entry.key, entry.value);
    }
    return made;
  }
  for (size_t i = 1; i < p.size(); ++i) {
    if (!p[i].is_string()) type_error("maketrans() argument {} must be str, not {}", i + 1, type_name(p[i]));
  }
  if (!p[0].is_string()) type_error("first maketrans argument must be a string if there is a second argument");
  const std::vector<int64_t> from = codes_of(text_of(p[0])), to = codes_of(text_of(p[1]));
  if (from.size() != to.size()) value_error("the first two maketrans arguments must have equal length");
  for (size_t i = 0; i < from.size(); ++i) table.set(Value::integer(from[i]), Value::integer(to[i]));
  if (p.size() > 2) {
    for (int64_t code : codes_of(text_of(p[2]))) table.set(Value::integer(code), Value::none());
  }
  return made;
}

Value Interpreter::call_method(const Value& self, const std::string& name, const Arguments& given) {
  switch (self.type()) {
    case Type::kString: return call_string_method(*this, self, name, given);
    case Type::kDict: return dict_method(heap_, self, name, given);
    case Type::kList:
    case Type::kTuple:
    case Type::kRange: return sequence_method(heap_, self, name, given);
    case Type::kFunction: return keys_with_value(heap_, given);
    case Type::kCycler: return cycler_method(self, name, given);
    case Type::kLoop: return loop_method(heap_, self, name, given);
    case Type::kBool:
    case Type::kInt:
    case Type::kBigInt:
    case Type::kFloat: return number_method(heap_, self, name, given);
    default: fail(ErrorCode::kUnsupported, "chat template: {}.{} is not supported", type_name(self), name);
  }
}

}  // namespace gamut::jinja
