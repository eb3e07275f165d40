#include "text/template/interpreter.h"

#include <algorithm>

#include "text/template/operators.h"
#include "text/template/repr.h"

namespace gamut::jinja {

Activation::Activation(Heap& heap, Value outer) : Object(Type::kActivation), outer_(std::move(outer)) {
  heap.track(this);
}
Activation::~Activation() {
  if (heap() != nullptr) heap()->untrack(this);
}
void Activation::clear() noexcept {
  variables_.clear();
  outer_ = Value();
}
const Value* Activation::find(const Value& name) const {
  for (const Activation* scope = this; scope != nullptr;
       scope = scope->outer_.is_object() ? &scope->outer_.as<Activation>() : nullptr) {
    for (const auto& [key, value] : scope->variables_) {
      if (key.as<String>().hash() == name.as<String>().hash() && text_of(key) == text_of(name)) return &value;
    }
  }
  return nullptr;
}
void Activation::set(const Value& name, Value value) {
  for (auto& [key, old] : variables_) {
    if (text_of(key) == text_of(name)) {
      old = std::move(value);
      return;
    }
  }
  charge_more(sizeof(variables_[0]));
  variables_.emplace_back(name, std::move(value));
}

Loop::Loop(Heap& of, const Value& over, int depth) : Object(Type::kLoop), heap(of), iterable(over), depth0(depth) {
  iterator = Value::adopt(iterate(heap, iterable));
}
bool Loop::peek() {
  if (!after.is_missing()) return true;
  return iterator.as<Iterator>().next(after) || (after = Value(), false);
}
bool Loop::next(Value& item) {
  heap.budget().step();
  if (!peek()) return false;
  item = std::move(after);
  after = Value();
  ++index0;
  before = std::move(current);
  current = item;
  return true;
}
int64_t Loop::length() {
  if (known_length >= 0) return known_length;
  if (!iterable.is(Type::kIterator) && !iterable.is(Type::kLoop)) return known_length = length_of(iterable);
  std::vector<Value> rest = to_vector(heap, iterator);
  known_length = static_cast<int64_t>(rest.size()) + index0 + 1 + (after.is_missing() ? 0 : 1);
  iterator = Value::adopt(iterate(heap, heap.list(std::move(rest))));
  return known_length;
}

/// A scope and, where asked for, an output of its own, until the end of a block.
struct Interpreter::ScopeGuard {
  ScopeGuard(Interpreter& of, Value scope, std::string* out = nullptr)
      : interpreter(of), old_scope(of.scope_), old_out(of.out_) {
    of.scope_ = std::move(scope);
    if (out != nullptr) of.out_ = out;
  }
  ~ScopeGuard() {
    interpreter.scope_ = std::move(old_scope);
    interpreter.out_ = old_out;
  }
  Interpreter& interpreter;
  Value old_scope;
  std::string* old_out;
};

std::string Interpreter::run(const Template& source) {
  scope_ = new_scope(Value());
  try {
    run_all(source.body);
  } catch (Exception& exception) {
    if (exception.line == 0) exception.line = line_;
    throw;
  }
  scope_ = Value();
  return std::move(root_out_);
}

Interpreter::Flow Interpreter::run_all(const Nodes& nodes) {
  for (const NodePtr& node : nodes) {
    const Flow flow = run_one(*node);
    if (flow != Flow::kNormal) return flow;
  }
  return Flow::kNormal;
}

void Interpreter::output(const Node& node) {
  for (const NodePtr& item : node.items) {
    line_ = item->line;
    if (item->kind == NodeKind::kData) {
      heap_.budget().touch(text_of(item->value).size());
      *out_ += text_of(item->value);
    } else {
      const Value value = eval(*item);
      append_text(*out_, autoescape_ ? escape(heap_, value) : value);
    }
    check_output();
  }
}

Value Interpreter::capture(const Nodes& body, const Value& outer) {
  std::string text;
  const ScopeGuard guard(*this, new_scope(outer), &text);
  run_all(body);
  return autoescape_ ? heap_.markup(std::move(text)) : heap_.string(std::move(text));
}

Interpreter::Flow Interpreter::run_one(const Node& node) {
  heap_.budget().step();
  const DepthGuard depth(depth_);
  heap_.budget().check_depth(depth_);
  line_ = node.line;
  switch (node.kind) {
    case NodeKind::kOutput: output(node); return Flow::kNormal;
    case NodeKind::kFor: return run_for(node);
    case NodeKind::kIf: return run_all(truth(eval(*node.items[0])) ? node.body : node.orelse);
    case NodeKind::kMacro:
      scope_.as<Activation>().set(node.value, heap_.make_value<Macro>(0, node, scope_, node.value));
      return Flow::kNormal;
    case NodeKind::kCallBlock: {
      const Value caller = heap_.make_value<Macro>(0, node, scope_, Value::none());
      const Node& call_node = *node.items[0];
      const Value callee = eval(*call_node.items[0]);
      Arguments given = arguments(*call_node.arguments);
      given.named.emplace_back("caller", caller);
      append_text(*out_, call(callee, std::move(given)));
      check_output();
      return Flow::kNormal;
    }
    case NodeKind::kGeneration: {
      const Value text = capture(node.body, scope_);
      generations_.push_back({root_out_.size(), root_out_.size() + text_of(text).size()});
      *out_ += text_of(text);
      check_output();
      return Flow::kNormal;
    }
    case NodeKind::kFilterBlock: {
      const Value text = capture(node.body, scope_);
      const Node* innermost = node.items[0].get();
      std::vector<const Node*> chain;
      for (; innermost != nullptr; innermost = innermost->items[0].get()) chain.push_back(innermost);
      Value value = text;
      for (auto it = chain.rbegin(); it != chain.rend(); ++it) value = filter(**it, value);
      append_text(*out_, value);
      check_output();
      return Flow::kNormal;
    }
    case NodeKind::kWith: run_with(node); return Flow::kNormal;
    case NodeKind::kAssign: assign(*node.items[0], eval(*node.items[1])); return Flow::kNormal;
    case NodeKind::kAssignBlock: {
      Value value = capture(node.body, scope_);
      std::vector<const Node*> chain;
      for (const Node* at = node.items[1].get(); at != nullptr; at = at->items[0].get()) chain.push_back(at);
      for (auto it = chain.rbegin(); it != chain.rend(); ++it) value = filter(**it, value);
      assign(*node.items[0], value);
      return Flow::kNormal;
    }
    case NodeKind::kBlock: {
      if (node.flag)
        raise(ExceptionType::kTemplateRuntimeError, "Required block {} not found", quoted(text_of(node.value)));
      const ScopeGuard guard(*this, new_scope(scope_));
      return run_all(node.body);
    }
    case NodeKind::kLoader: {
      const Value which = eval(*node.items[0]);
      if (which.is_undefined()) which.as<Undefined>().fail();
      raise(ExceptionType::kTypeError, "no loader for this environment specified");
    }
    case NodeKind::kAutoescape: {
      const bool old = autoescape_;
      autoescape_ = truth(eval(*node.items[0]));
      const ScopeGuard guard(*this, new_scope(scope_));
      const Flow flow = run_all(node.body);
      autoescape_ = old;
      return flow;
    }
    case NodeKind::kBreak: return Flow::kBreak;
    case NodeKind::kContinue: return Flow::kContinue;
    default: eval(node); return Flow::kNormal;
  }
}

void Interpreter::run_with(const Node& node) {
  const Value outer = scope_, inner = new_scope(scope_);
  for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const Value value = eval(*node.items[i + 1]);
    const ScopeGuard guard(*this, inner);
    assign(*node.items[i], value);
  }
  const ScopeGuard guard(*this, inner);
  run_all(node.body);
}

void Interpreter::assign(const Node& target, const Value& value) {
  if (target.kind == NodeKind::kName) return scope_.as<Activation>().set(target.value, value);
  if (target.kind == NodeKind::kAttributeTarget) {
    const Value* found = scope_.as<Activation>().find(target.value);
    if (found == nullptr || !found->is(Type::kNamespace)) {
      raise(ExceptionType::kTemplateRuntimeError, "cannot assign attribute on non-namespace object");
    }
    return found->as<Namespace>().set(target.second, value);
  }
  if (!value.is_array() && !value.is_string() && !value.is(Type::kDict) && !value.is(Type::kDictView) &&
      !value.is(Type::kIterator) && !value.is(Type::kRange) && !value.is_undefined()) {
    type_error("cannot unpack non-iterable {} object", type_name(value));
  }
  const std::vector<Value> items = to_vector(heap_, value);
  const size_t wanted = target.items.size();
  if (items.size() < wanted) value_error("not enough values to unpack (expected {}, got {})", wanted, items.size());
  if (items.size() > wanted) value_error("too many values to unpack (expected {})", wanted);
  for (size_t i = 0; i < wanted; ++i) assign(*target.items[i], items[i]);
}

Interpreter::Flow Interpreter::run_for(const Node& node) {
  Flow flow = Flow::kNormal;
  const Value iterable = eval(*node.items[1]);
  const Value text = loop_over(node, iterable, 0, node.flag, &flow);
  if (node.flag) append_text(*out_, text);
  check_output();
  return flow;
}

namespace {
const Value& loop_name() {
  static ConstantPool pool;
  static const Value name = pool.string("loop");
  return name;
}
}  // namespace

/// Runs a loop; its output is returned when it is captured, which a recursive loop's is.
Value Interpreter::loop_over(const Node& node, const Value& iterable, int depth, bool captured, Flow* flow) {
  std::string text;
  Value over = iterable;
  const Value scope = new_scope(scope_);
  const ScopeGuard guard(*this, scope, captured ? &text : nullptr);
  if (node.items[2]) {
    std::vector<Value> kept;
    const Value source = Value::adopt(iterate(heap_, over));
    for (Value item; source.as<Iterator>().next(item);) {
      heap_.budget().step();
      scope.as<Activation>().forget();
      assign(*node.items[0], item);
      if (truth(eval(*node.items[2]))) kept.push_back(item);
    }
    over = Value::adopt(iterate(heap_, heap_.list(std::move(kept))));
  }
  const Value loop_value = heap_.make_value<Loop>(0, heap_, over, depth);
  auto& loop = loop_value.as<Loop>();
  if (node.flag) loop.recursive = &node;
  if (node.flag) loop.scope = scope;
  for (Value item; loop.next(item);) {
    scope.as<Activation>().forget();
    scope.as<Activation>().set(loop_name(), loop_value);
    assign(*node.items[0], item);
    const Flow inner = run_all(node.body);
    if (inner == Flow::kBreak) break;
  }
  loop.scope = Value();
  scope.as<Activation>().forget();
  if (loop.index0 < 0 && !node.orelse.empty()) *flow = run_all(node.orelse);
  return captured ? heap_.string(std::move(text)) : Value::none();
}

void Interpreter::bind_parameters(const Macro& macro, Arguments& given, Activation& scope) {
  const Parameters& parameters = *macro.node.parameters;
  const size_t count = parameters.names.size();
  const std::string shown = macro.name.is_none() ? "None" : quoted(text_of(macro.name));
  auto take = [&](std::string_view name) {
    for (auto it = given.named.begin(); it != given.named.end(); ++it) {
      if (it->first != name) continue;
      Value value = it->second;
      given.named.erase(it);
      return value;
    }
    return Value();
  };
  bool found_caller = false;
  for (size_t i = 0; i < count; ++i) {
    Value value = i < given.positional.size() ? given.positional[i] : take(text_of(parameters.names[i]));
    found_caller = found_caller || text_of(parameters.names[i]) == "caller";
    if (value.is_missing()) {
      const size_t first_default = count - parameters.defaults.size();
      value = i >= first_default ? eval(*parameters.defaults[i - first_default])
                                 : undefined("parameter " + quoted(text_of(parameters.names[i])) + " was not provided");
    }
    scope.set(parameters.names[i], value);
  }
  if (parameters.uses_caller && !found_caller) {
    Value caller = take("caller");
    scope.set(heap_.string("caller"),
              caller.is_missing() || caller.is_none() ? undefined("No caller defined") : caller);
  }
  if (parameters.uses_kwargs) {
    const Value kwargs = heap_.make_value<Dict>(0);
    for (auto& [key, value] : given.named) kwargs.as<Dict>().set(heap_.string(key), value);
    scope.set(heap_.string("kwargs"), kwargs);
  } else if (!given.named.empty()) {
    for (const auto& [key, value] : given.named) {
      if (key == "caller")
        type_error("macro {} was invoked with two values for the special caller argument. This is most likely a bug.",
                   shown);
    }
    type_error("macro {} takes no keyword argument {}", shown, quoted(given.named[0].first));
  }
  std::vector<Value> more(given.positional.begin() + static_cast<ptrdiff_t>(std::min(count, given.positional.size())),
                          given.positional.end());
  if (parameters.uses_varargs) {
    scope.set(heap_.string("varargs"), heap_.tuple(std::move(more)));
  } else if (!more.empty()) {
    type_error("macro {} takes not more than {} argument(s)", shown, count);
  }
}

Value Interpreter::call_macro(const Macro& macro, Arguments given) {
  const DepthGuard depth(call_depth_);
  heap_.budget().check_call_depth(call_depth_);
  std::string text;
  const ScopeGuard guard(*this, new_scope(macro.scope), &text);
  bind_parameters(macro, given, scope_.as<Activation>());
  run_all(macro.node.body);
  return autoescape_ ? heap_.markup(std::move(text)) : heap_.string(std::move(text));
}

Value Interpreter::call(const Value& callee, Arguments given) {
  heap_.budget().step();
  switch (callee.type()) {
    case Type::kMacro: {
      const Value keep = callee;
      return call_macro(keep.as<Macro>(), std::move(given));
    }
    case Type::kFunction: return call_function(callee.as<Function>().name, given);
    case Type::kMethod: return call_method(callee.as<Method>().self, callee.as<Method>().name, std::move(given));
    case Type::kUndefined: callee.as<Undefined>().fail();
    case Type::kJoiner: {
      auto& joiner = callee.as<Joiner>();
      if (std::exchange(joiner.used, true)) return joiner.separator;
      return heap_.string("");
    }
    case Type::kLoop: {
      auto& loop = callee.as<Loop>();
      if (loop.recursive == nullptr) {
        type_error("The loop must have the 'recursive' marker to be called recursively.");
      }
      if (given.positional.size() != 1)
        type_error("LoopContext.__call__() missing 1 required positional argument: 'iterable'");
      const DepthGuard depth(call_depth_);
      heap_.budget().check_call_depth(call_depth_);
      Flow flow = Flow::kNormal;
      return loop_over(*loop.recursive, given.positional[0], loop.depth0 + 1, true, &flow);
    }
    default: type_error("'{}' object is not callable", type_name(callee));
  }
}

}  // namespace gamut::jinja
