// Expressions of the interpreter.
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
    case NodeKind::kConditional:
      if (truth(eval(*node.items[0]))) return eval(*node.items[1]);
      if (node.items[2]) return eval(*node.items[2]);
      return undefined(fmt::format(
          "the inline if-expression on line {} evaluated to false and no else section was defined.", node.line));
    case NodeKind::kBinary: {
      const Value left = eval(*node.items[0]);
      return binary(heap_, node.op, left, eval(*node.items[1]));
    }
    case NodeKind::kUnary: return unary(node.op, eval(*node.items[0]));
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
    case NodeKind::kTest: {
      const Value operand = eval(*node.items[0]);
      return Value::boolean(call_test(text_of(node.value), operand, arguments(*node.arguments)));
    }
    default: raise(ExceptionType::kTemplateRuntimeError, "a statement where an expression belongs");
  }
}

Value Interpreter::name(const Node& node) {
  const Value* found = scope_.as<Activation>().find(node.value);
  if (found == nullptr) found = variables_.find(node.value);
  if (found != nullptr) return *found;
  for (std::string_view global :
       {"range", "dict", "lipsum", "cycler", "joiner", "namespace", "raise_exception", "strftime_now"}) {
    if (text_of(node.value) == global) return heap_.make_value<Function>(0, std::string(global));
  }
  return heap_.make_value<Undefined>(0, node.value);
}

Value Interpreter::dict(const Node& node) {
  const Value made = heap_.make_value<Dict>(0);
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
    append_text(text, eval(*part));
    heap_.budget().expect(text.size());
  }
  return heap_.string(std::move(text));
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
  return call_filter(text_of(node.value), operand, arguments(*node.arguments));
}

}  // namespace gamut::jinja
