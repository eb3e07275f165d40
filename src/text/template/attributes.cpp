// Attributes and items: what Jinja's sandbox lets a template see of Python's objects.
#include <string_view>

#include "text/template/frames.h"
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

/// What Python's types have beside that, and hide as well.
bool is_hidden_of(Type type, std::string_view name) {
  switch (type) {
    case Type::kString:
      return has(" __add__ __contains__ __getitem__ __getnewargs__ __iter__ __len__ __mod__ __mul__ __rmod__ __rmul__ ",
                 name);
    case Type::kList:
      return has(
          " __add__ __class_getitem__ __contains__ __delitem__ __getitem__ __iadd__ __imul__ __iter__ __len__ "
          "__mul__ __reversed__ __rmul__ __setitem__ ",
          name);
    case Type::kTuple:
      return has(
          " __add__ __class_getitem__ __contains__ __getitem__ __getnewargs__ __iter__ __len__ __mul__ __rmul__ ",
          name);
    case Type::kDict:
      return has(
          " __class_getitem__ __contains__ __delitem__ __getitem__ __ior__ __iter__ __len__ __or__ __reversed__ "
          "__ror__ __setitem__ ",
          name);
    case Type::kFunction: return has(" __call__ ", name);
    default: return false;
  }
}

}  // namespace

bool Interpreter::find_attribute_of_macro(const Value& object, const std::string& name, Value& found) {
  const Parameters& parameters = *object.as<Macro>().node.parameters;
  auto give = [&](Value v) { return found = std::move(v), true; };
  if (name == "name") return give(object.as<Macro>().name);
  if (name == "arguments") return give(heap_.tuple(parameters.names));
  if (name == "caller") return give(Value::boolean(parameters.uses_caller));
  if (name == "catch_kwargs") return give(Value::boolean(parameters.kwargs >= 0));
  if (name == "catch_varargs") return give(Value::boolean(parameters.varargs >= 0));
  if (name == "explicit_caller") return give(Value::boolean(parameters.is_explicit_caller));
  return false;
}

bool Interpreter::find_attribute_of_loop(const Value& object, const std::string& name, Value& found) {
  auto give = [&](Value v) { return found = std::move(v), true; };

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
  return false;
}

bool Interpreter::find_part_of_number(const Value& object, const std::string& name, Value& found) {
  const bool is_real = object.is(Type::kFloat);
  if (is_real && name.ends_with("tor")) return false;  // a float has neither numerator nor denominator
  if (name == "imag") found = is_real ? Value::real(0) : Value::integer(0);
  else if (name == "denominator") found = Value::integer(1);
  else found = unary(heap_, Operator::kPlus, object);
  return true;
}

bool Interpreter::find_block(const Value& object, const std::string& name, Value& found) {
  if (object.is(Type::kBlockReference)) {
    if (name != "super") return false;
    const Node& node = object.as<BlockReference>().node;
    found = undefined("there is no parent block called " + quoted(text_of(node.value)) + ".");
    return true;
  }
  const auto block = template_->blocks.find(name);
  if (block == template_->blocks.end()) return false;
  found = heap_.make_value<BlockReference>(0, *block->second, object.as<TemplateReference>().context);
  return true;
}

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
  if (has(kHiddenAttributes, name) || (name.starts_with("__") && is_hidden_of(object.type(), name))) {
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
    case Type::kTemplateReference:
    case Type::kBlockReference: return find_block(object, name, found);
    case Type::kRange:
      if (name == "start") return give(Value::integer(object.as<Range>().start));
      if (name == "stop") return give(Value::integer(object.as<Range>().stop));
      if (name == "step") return give(Value::integer(object.as<Range>().step));
      return method(" count index ");
    case Type::kCycler:
      if (name == "current") return give(object.as<Cycler>().items[object.as<Cycler>().position]);
      return method(" next reset ");
    case Type::kNamespace: {
      const Value* value = object.as<Namespace>().attributes().find(name);
      return value != nullptr && give(*value);
    }
    case Type::kMacro: return find_attribute_of_macro(object, name, found);
    case Type::kLoop: return find_attribute_of_loop(object, name, found) || method(" cycle changed ");
    case Type::kInt:
    case Type::kBool:
    case Type::kBigInt:
    case Type::kFloat:
      if (name == "real" || name == "imag" || name == "numerator" || name == "denominator")
        return find_part_of_number(object, name, found);
      return method(object.is(Type::kFloat) ? " is_integer conjugate " : " bit_length bit_count conjugate ");
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

}  // namespace gamut::jinja
