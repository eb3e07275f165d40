// Attributes, items and calls by name: what Jinja's sandbox lets a template see of Python's objects.
#include <sys/time.h>
#include <algorithm>
#include <ctime>

#include "base/error.h"
#include "text/template/interpreter.h"
#include "text/template/operators.h"
#include "text/template/repr.h"

namespace gamut::jinja {
namespace {

constexpr std::string_view kStringMethods =
    " capitalize casefold center count encode endswith expandtabs find format format_map index isalnum isalpha isascii "
    "isdecimal "
    "isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip maketrans "
    "partition "
    "removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip "
    "swapcase "
    "title translate upper zfill ";
constexpr std::string_view kListMethods = " copy count index append clear extend insert pop remove reverse sort ";
constexpr std::string_view kDictMethods = " copy fromkeys get items keys values clear pop popitem setdefault update ";
constexpr std::string_view kChangingMethods =
    " append clear extend insert pop remove reverse sort popitem setdefault update ";
constexpr std::string_view kHiddenAttributes =
    " __class__ __delattr__ __dir__ __doc__ __eq__ __format__ __ge__ __getattribute__ __getstate__ __gt__ __hash__ "
    "__init__ "
    "__init_subclass__ __le__ __lt__ __ne__ __new__ __reduce__ __reduce_ex__ __repr__ __setattr__ __sizeof__ __str__ "
    "__subclasshook__ ";

bool has(std::string_view list, std::string_view name) {
  return list.find(" " + std::string(name) + " ") != std::string_view::npos;
}

}  // namespace

bool Interpreter::find_attribute(const Value& object, const std::string& name, Value& found) {
  auto method = [&](std::string_view list) {
    if (!has(list, name)) return false;
    if (has(kChangingMethods, name) && (object.is(Type::kList) || object.is(Type::kDict))) {
      found = heap_.make_value<Undefined>(
          0, fmt::format("access to attribute {} of {} object is unsafe.", quoted(name), quoted(type_name(object))),
          ExceptionType::kSecurityError);
    } else {
      found = heap_.make_value<Method>(0, object, name);
    }
    return true;
  };
  if (object.is_undefined() && !(name.starts_with("__") && name.ends_with("__"))) object.as<Undefined>().fail();
  if (has(kHiddenAttributes, name)) {
    found = heap_.make_value<Undefined>(
        0, fmt::format("access to attribute {} of {} object is unsafe.", quoted(name), quoted(type_name(object))),
        ExceptionType::kSecurityError);
    return true;
  }
  auto give = [&](Value v) { return found = std::move(v), true; };
  switch (object.type()) {
    case Type::kString: return method(kStringMethods);
    case Type::kList: return method(kListMethods);
    case Type::kTuple:
      if (object.as<Array>().is_group && (name == "grouper" || name == "list"))
        return give(items_of(object)[name == "list"]);
      return method(" count index ");
    case Type::kDict: return method(kDictMethods);
    case Type::kFunction: return object.as<Function>().name == "dict" && method(" fromkeys ");
    case Type::kCycler:
      if (name == "current") return give(object.as<Cycler>().items[object.as<Cycler>().position]);
      return method(" next reset ");
    case Type::kNamespace: {
      const Value* value = object.as<Namespace>().attributes().find(name);
      return value != nullptr && give(*value);
    }
    case Type::kMacro:
      if (name == "name") return give(object.as<Macro>().name);
      if (name == "arguments") return give(heap_.tuple(object.as<Macro>().node.parameters->names));
      if (name == "caller") return give(Value::boolean(object.as<Macro>().node.parameters->uses_caller));
      return false;
    case Type::kLoop: {
      auto& loop = object.as<Loop>();
      auto number = [&](int64_t n) { return give(Value::integer(n)); };
      if (name == "index") return number(loop.index0 + 1);
      if (name == "index0") return number(loop.index0);
      if (name == "first") return give(Value::boolean(loop.index0 == 0));
      if (name == "last") return give(Value::boolean(loop.is_last()));
      if (name == "length") return number(loop.length());
      if (name == "revindex") return number(loop.length() - loop.index0);
      if (name == "revindex0") return number(loop.length() - loop.index0 - 1);
      if (name == "depth") return number(loop.depth0 + 1);
      if (name == "depth0") return number(loop.depth0);
      if (name == "previtem") return give(loop.index0 == 0 ? undefined("there is no previous item") : loop.before);
      if (name == "nextitem") return give(loop.is_last() ? undefined("there is no next item") : loop.after);
      return method(" cycle changed ");
    }
    case Type::kInt:
    case Type::kBool:
      return method(" bit_length bit_count conjugate ") ||
             ((name == "real" || name == "numerator") && give(Value::integer(object.as_int())));
    case Type::kFloat: return method(" is_integer ") || (name == "real" && give(object));
    default: return false;
  }
}

bool Interpreter::find_item(const Value& object, const Value& index, Value& found) {
  if (object.is_undefined()) object.as<Undefined>().fail();
  if (object.is(Type::kDict)) {
    if (index.is(Type::kList) || index.is(Type::kDict)) return false;
    const Value* value = object.as<Dict>().find(index);
    return value != nullptr && (found = *value, true);
  }
  const bool is_sequence = object.is_string() || object.is_array() || object.is(Type::kRange);
  if (!is_sequence || !index.is_integral()) return false;
  const int64_t length = length_of(object);
  const int64_t at = index.as_int() < 0 ? index.as_int() + length : index.as_int();
  if (at < 0 || at >= length) return false;
  found = object.is_string()  ? character_at(heap_, object.as<String>(), at)
          : object.is_array() ? items_of(object)[static_cast<size_t>(at)]
                              : Value::integer(object.as<Range>().at(at));
  return true;
}

Value Interpreter::attribute(const Value& object, const Value& name) {
  Value found;
  if (object.is(Type::kDict) && !has(kDictMethods, text_of(name)) && find_item(object, name, found) &&
      !has(kHiddenAttributes, text_of(name)))
    return found;
  if (find_attribute(object, text_of(name), found) || find_item(object, name, found)) return found;
  return heap_.make_value<Undefined>(0, object, name);
}

Value Interpreter::item(const Value& object, const Value& index) {
  Value found;
  if (find_item(object, index, found)) return found;
  if (index.is_string() && find_attribute(object, text_of(index), found)) return found;
  return heap_.make_value<Undefined>(0, object, index);
}

std::vector<Value> bind(const char* function, std::initializer_list<std::pair<const char*, Value>> parameters,
                        const Arguments& given, size_t hidden) {
  std::vector<Value> bound(parameters.size());
  const auto* names = parameters.begin();
  if (given.positional.size() > parameters.size()) {
    size_t required = hidden;
    for (const auto& parameter : parameters) required += parameter.second.is_missing() ? 1 : 0;
    const size_t most = hidden + parameters.size(), got = hidden + given.positional.size();
    if (required == most)
      type_error("{}() takes {} positional argument{} but {} {} given", function, most, most == 1 ? "" : "s", got,
                 got == 1 ? "was" : "were");
    type_error("{}() takes from {} to {} positional arguments but {} were given", function, required, most, got);
  }
  std::copy(given.positional.begin(), given.positional.end(), bound.begin());
  for (const auto& [name, value] : given.named) {
    size_t at = 0;
    while (at < bound.size() && name != names[at].first) ++at;
    if (at == bound.size()) type_error("{}() got an unexpected keyword argument {}", function, quoted(name));
    if (!bound[at].is_missing()) type_error("{}() got multiple values for argument {}", function, quoted(name));
    bound[at] = value;
  }
  std::vector<std::string> lacking;
  for (size_t i = 0; i < bound.size(); ++i) {
    if (bound[i].is_missing()) bound[i] = names[i].second;
    if (bound[i].is_missing()) lacking.push_back(quoted(names[i].first));
  }
  if (lacking.empty()) return bound;
  std::string all;
  for (size_t i = 0; i < lacking.size(); ++i) {
    all += i == 0 ? "" : i + 1 < lacking.size() ? ", " : lacking.size() == 2 ? " and " : ", and ";
    all += lacking[i];
  }
  type_error("{}() missing {} required positional argument{}: {}", function, lacking.size(),
             lacking.size() == 1 ? "" : "s", all);
}

namespace {

Value make_dict(Heap& heap, const Arguments& given) {
  const Value made = heap.make_value<Dict>(0);
  auto& dict = made.as<Dict>();
  if (given.positional.size() > 1) type_error("dict expected at most 1 argument, got {}", given.positional.size());
  if (!given.positional.empty()) {
    const Value& from = given.positional[0];
    if (from.is(Type::kDict)) {
      for (const Dict::Entry& entry : from.as<Dict>().entries()) dict.set(entry.key, entry.value);
    } else {
      size_t position = 0;
      for (const Value& pair : to_vector(heap, from)) {
        const std::vector<Value> both = to_vector(heap, pair);
        if (both.size() != 2)
          value_error("dictionary update sequence element #{} has length {}; 2 is required", position, both.size());
        dict.set(both[0], both[1]);
        ++position;
      }
    }
  }
  for (const auto& [name, value] : given.named) dict.set(heap.string(name), value);
  return made;
}

Value make_range(Heap& heap, const Arguments& given) {
  const auto& p = given.positional;
  if (!given.named.empty()) type_error("range() takes no keyword arguments");
  if (p.empty()) type_error("range expected at least 1 argument, got 0");
  if (p.size() > 3) type_error("range expected at most 3 arguments, got {}", p.size());
  for (const Value& v : p) {
    if (!v.is_integral()) type_error("'{}' object cannot be interpreted as an integer", type_name(v));
  }
  const int64_t step = p.size() > 2 ? p[2].as_int() : 1;
  if (step == 0) value_error("range() arg 3 must not be zero");
  const Value made = p.size() == 1 ? heap.make_value<Range>(0, 0, p[0].as_int(), 1)
                                   : heap.make_value<Range>(0, p[0].as_int(), p[1].as_int(), step);
  if (made.as<Range>().length > 100000)
    raise(ExceptionType::kOverflowError, "Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
  return made;
}

/// datetime.now().strftime(format).
std::string formatted_now(const std::string& format) {
  timeval now{};
  gettimeofday(&now, nullptr);
  tm local{};
  localtime_r(&now.tv_sec, &local);
  std::string prepared;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      prepared += format[i];
      continue;
    }
    const char c = format[++i];
    if (c == 'f') prepared += fmt::format("{:06d}", now.tv_usec);
    else if (c != 'z' && c != 'Z') (prepared += '%') += c;
  }
  if (prepared.empty()) return "";
  std::string out(prepared.size() * 16 + 256, '\0');
  out.resize(std::strftime(out.data(), out.size(), prepared.c_str(), &local));
  return out;
}

}  // namespace

Value Interpreter::call_function(const std::string& name, Arguments& given) {
  if (name == "raise_exception") {
    const auto p = bind("_cached_compile_jinja_template.<locals>.raise_exception", {{"message", Value()}}, given);
    raise(ExceptionType::kTemplateError, "{}", p[0].is_undefined() ? std::string() : to_text(p[0]));
  }
  if (name == "strftime_now") {
    const auto p = bind("_cached_compile_jinja_template.<locals>.strftime_now", {{"format", Value()}}, given);
    if (!p[0].is_string()) type_error("strftime() argument 1 must be str, not {}", type_name(p[0]));
    heap_.budget().expect(text_of(p[0]).size() * 64);
    return heap_.string(formatted_now(text_of(p[0])));
  }
  if (name == "range") return make_range(heap_, given);
  if (name == "dict") return make_dict(heap_, given);
  if (name == "namespace") {
    const Value attributes = make_dict(heap_, given);
    for (const Dict::Entry& entry : attributes.as<Dict>().entries()) Namespace::check_name(entry.key);
    return heap_.make_value<Namespace>(0, heap_, attributes);
  }
  if (name == "joiner")
    return heap_.make_value<Joiner>(0, bind("Joiner.__init__", {{"sep", heap_.string(", ")}}, given, 1)[0]);
  if (name == "cycler") {
    if (given.positional.empty()) raise(ExceptionType::kRuntimeError, "at least one item has to be provided");
    return heap_.make_value<Cycler>(0, given.positional);
  }
  fail(ErrorCode::kUnsupported, "chat template: {}() is not supported", name);
}

}  // namespace gamut::jinja
