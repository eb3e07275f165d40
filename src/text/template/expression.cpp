// Expressions of the interpreter.
#include "text/template/filter_call.h"
#include "text/template/frames.h"
#include "text/template/interpreter.h"
#include "text/template/operators.h"
#include "text/template/repr.h"

namespace gamut::jinja {

Value Interpreter::eval(const Node& node) {
  heap_.budget().step();
  const DepthGuard depth(depth_);
  heap_.budget().check_depth(depth_);
  return eval_inner(node);
}

std::vector<Value> Interpreter::all(const Nodes& nodes) {
  std::vector<Value> values;
  values.reserve(nodes.size());
  for (const NodePtr& node : nodes) values.push_back(eval(*node));
  return values;
}

Value Interpreter::eval_inner(const Node& node) {
  switch (node.kind) {
    case NodeKind::kConstant:
    case NodeKind::kData: return node.value;
    case NodeKind::kName: return name(node);
    case NodeKind::kTuple: return heap_.tuple(all(node.items));
    case NodeKind::kList: return heap_.list(all(node.items));
    case NodeKind::kDict: return dict(node);
    case NodeKind::kConditional: return conditional(node);
    case NodeKind::kBinary: {
      const Value left = eval(*node.items[0]);
      return binary(heap_, node.op, left, eval(*node.items[1]));
    }
    case NodeKind::kUnary: return unary(heap_, node.op, eval(*node.items[0]));
    case NodeKind::kAnd: {
      Value left = eval(*node.items[0]);
      return truth(left) ? eval(*node.items[1]) : left;
    }
    case NodeKind::kOr: {
      Value left = eval(*node.items[0]);
      return truth(left) ? left : eval(*node.items[1]);
    }
    case NodeKind::kCompare: return comparison(node);
    case NodeKind::kConcat: return concatenation(node);
    case NodeKind::kAttribute: return attribute(eval(*node.items[0]), node.value);
    case NodeKind::kItem: {
      const Value object = eval(*node.items[0]);
      return item(object, eval(*node.items[1]));
    }
    case NodeKind::kSlice: {
      const Value object = eval(*node.items[0]);
      Value bounds[3];
      for (size_t i = 0; i < 3; ++i) bounds[i] = node.items[i + 1] ? eval(*node.items[i + 1]) : Value::none();
      return slice(heap_, object, bounds);
    }
    case NodeKind::kCall: {
      const Value callee = eval(*node.items[0]);
      return call(callee, arguments(*node.arguments));
    }
    case NodeKind::kFilter: return filter(node, eval(*node.items[0]));
    case NodeKind::kTest: return Value::boolean(test(node, eval(*node.items[0])));
    default: raise(ExceptionType::kTemplateRuntimeError, "a statement where an expression belongs");
  }
}

Value Interpreter::name(const Node& node) {
  const Value& value = variable(node.slot);
  return value.is_missing() ? heap_.make_value<Undefined>(0, node.value) : value;
}

Value Interpreter::conditional(const Node& node) {
  if (truth(eval(*node.items[0]))) return eval(*node.items[1]);
  if (node.items[2]) return eval(*node.items[2]);
  return undefined(fmt::format(
      "the inline if-expression on line {} evaluated to false and no else section was defined.", node.line));
}

Value Interpreter::dict(const Node& node) {
  Value made = heap_.make_value<Dict>(0);
  for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const Value key = eval(*node.items[i]);
    made.as<Dict>().set(key, eval(*node.items[i + 1]));
  }
  return made;
}

Value Interpreter::comparison(const Node& node) {
  Value left = eval(*node.items[0]);
  for (size_t i = 0; i < node.ops.size(); ++i) {
    Value right = eval(*node.items[i + 1]);
    if (left.is_string()) heap_.budget().touch(text_of(left).size());
    if (right.is_object())
      heap_.budget().touch(right.is_string()  ? text_of(right).size()
                           : right.is_array() ? items_of(right).size() * 32
                                              : 0);
    if (!compare(node.ops[i], left, right)) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Value Interpreter::concatenation(const Node& node) {
  std::string text;
  for (const NodePtr& part : node.items) {
    append_text(text, autoescape_ ? escape(heap_, eval(*part)) : eval(*part));
    heap_.budget().expect(text.size());
  }
  return text_value(std::move(text));
}

Arguments Interpreter::arguments(const CallArguments& from) {
  Arguments made;
  made.positional = all(from.positional);
  for (const KeywordArgument& argument : from.named) made.named.emplace_back(argument.name, eval(*argument.value));
  if (from.more_positional) {
    for (Value& value : to_vector(heap_, eval(*from.more_positional))) made.positional.push_back(std::move(value));
  }
  if (from.more_named) {
    const Value more = eval(*from.more_named);
    if (!more.is(Type::kDict)) type_error("argument after ** must be a mapping, not {}", type_name(more));
    for (const Dict::Entry& entry : more.as<Dict>().entries()) {
      if (!entry.key.is_string()) type_error("keywords must be strings");
      made.named.emplace_back(text_of(entry.key), entry.value);
    }
  }
  return made;
}

Value Interpreter::filter(const Node& node, const Value& operand) {
  Arguments given = arguments(*node.arguments);
  if (node.filter == nullptr)
    raise(ExceptionType::kTemplateRuntimeError, "No filter named {} found.", quoted(text_of(node.value)));
  if (operand.is_string()) heap_.budget().touch(text_of(operand).size());
  FilterCall call{*this, heap_, text_of(node.value), operand, given};
  return node.filter(call);
}

bool Interpreter::test(const Node& node, const Value& operand) {
  Arguments given = arguments(*node.arguments);
  if (node.test == nullptr)
    raise(ExceptionType::kTemplateRuntimeError, "No test named {} found.", quoted(text_of(node.value)));
  TestCall call{*this, heap_, text_of(node.value), operand, given};
  return node.test(call);
}

Value Interpreter::call_filter(const std::string& name, const Value& operand, Arguments given) {
  const FilterFunction found = find_filter(name);
  if (found == nullptr) raise(ExceptionType::kTemplateRuntimeError, "No filter named {}.", quoted(name));
  if (operand.is_string()) heap_.budget().touch(text_of(operand).size());
  FilterCall call{*this, heap_, name, operand, given};
  return found(call);
}

bool Interpreter::call_test(const std::string& name, const Value& operand, Arguments given) {
  const TestFunction found = find_test(name);
  if (found == nullptr) raise(ExceptionType::kTemplateRuntimeError, "No test named {}.", quoted(name));
  TestCall call{*this, heap_, name, operand, given};
  return found(call);
}

}  // namespace gamut::jinja
