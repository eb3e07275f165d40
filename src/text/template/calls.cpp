// Loops, macros and other calls.
#include <algorithm>

#include "text/template/frames.h"
#include "text/template/interpreter.h"
#include "text/template/operators.h"
#include "text/template/repr.h"
#include "text/template/scope_guard.h"

namespace gamut::jinja {

bool FilteredItems::next(Value& out) {
  const Interpreter::ScopeGuard guard(interpreter_, activation_);
  if (!std::exchange(started_, true)) interpreter_.enter(loop_.loop->test);
  const DepthGuard depth(interpreter_.depth_);
  interpreter_.heap_.budget().check_depth(interpreter_.depth_);
  for (Value item; source_.as<Iterator>().next(item);) {
    interpreter_.heap_.budget().step();
    interpreter_.assign(*loop_.items[3], item);
    if (!truth(interpreter_.eval(*loop_.items[2]))) continue;
    out = interpreter_.eval(*loop_.items[3]);
    return true;
  }
  return false;
}

Interpreter::Flow Interpreter::run_for(const Node& node) {
  const Value iterable = eval(*node.items[1]);
  if (!node.flag) return loop_over(node, iterable, 0);
  const Value loop = heap_.make_value<Loop>(0, heap_, heap_.tuple({}), 0);
  loop.as<Loop>().recursive = &node;
  loop.as<Loop>().scope = scope_;
  write(recurse(loop.as<Loop>(), iterable, 0));
  return Flow::kNormal;
}

/// Runs a recursive loop as the function that it is.
Value Interpreter::recurse(const Loop& loop, const Value& iterable, int depth) {
  const DepthGuard call_depth(call_depth_);
  heap_.budget().check_call_depth(call_depth_);
  const Node& node = *loop.recursive;
  std::string text;
  const Value around = loop.scope;
  const ScopeGuard guard(*this, new_activation(*node.scope, around, around.as<Activation>().context), &text);
  loop_over(node, iterable, depth);
  return text_value(std::move(text));
}

Interpreter::Flow Interpreter::loop_over(const Node& node, const Value& iterable, int depth) {
  const LoopScopes& scopes = *node.loop;
  const Value around = node.flag ? scope_.as<Activation>().outer : scope_;
  Value over = iterable;
  if (node.items[2]) {
    const Value source = Value::adopt(iterate(heap_, iterable));
    const Value tested_in = new_activation(scopes.test, around, around.as<Activation>().context);
    over = heap_.make_value<FilteredItems>(0, *this, node, source, tested_in);
  }
  Value loop, iterator;
  if (scopes.loop >= 0) {
    loop = heap_.make_value<Loop>(0, heap_, over, depth);
    if (node.flag) loop.as<Loop>().recursive = &node;
    loop.as<Loop>().scope = around;
  } else {
    iterator = Value::adopt(iterate(heap_, over));
  }
  bool ran = false;
  for (Value item; loop.is_missing() ? iterator.as<Iterator>().next(item) : loop.as<Loop>().next(item);) {
    heap_.budget().step();
    if (scopes.loop >= 0) variable({0, scopes.loop}) = loop;
    assign(*node.items[0], item);
    enter(*node.scope);
    const Flow inner = run_all(node.body);
    if (inner == Flow::kBreak) break;
    ran = ran || inner == Flow::kNormal;  // as in Jinja, where an iteration that was cut short does not count
  }
  leave(*node.scope);
  if (ran || node.orelse.empty()) return Flow::kNormal;
  enter(scopes.orelse);
  const Flow flow = run_all(node.orelse);
  leave(scopes.orelse);
  return flow;
}

namespace {

std::string shown_name(const Macro& macro) { return macro.name.is_none() ? "None" : quoted(text_of(macro.name)); }

}  // namespace

void Interpreter::bind_parameters(const Macro& macro, Arguments& given, Activation& scope) {
  const Parameters& parameters = *macro.node.parameters;
  const size_t count = parameters.names.size();
  auto set = [&](int index, Value value) { scope.variables[static_cast<size_t>(index)] = std::move(value); };
  bool found_caller = count <= given.positional.size() && parameters.is_explicit_caller;
  for (size_t i = 0; i < count; ++i) {
    const std::string& name = text_of(parameters.names[i]);
    if (i < given.positional.size()) {
      set(parameters.slots[i], given.positional[i]);
      continue;
    }
    found_caller = found_caller || name == "caller";
    set(parameters.slots[i], given.take(name));
  }
  if (parameters.uses_caller && !found_caller) {
    const Value caller = given.take("caller");
    if (parameters.caller >= 0)
      set(parameters.caller, caller.is_missing() || caller.is_none() ? undefined("No caller defined") : caller);
  }
  if (parameters.kwargs >= 0) {
    const Value kwargs = heap_.make_value<Dict>(0);
    for (auto& [key, value] : given.named) kwargs.as<Dict>().set(heap_.string(key), value);
    set(parameters.kwargs, kwargs);
  } else if (!given.named.empty()) {
    for (const auto& [key, value] : given.named) {
      if (key == "caller")
        type_error("macro {} was invoked with two values for the special caller argument. This is most likely a bug.",
                   shown_name(macro));
    }
    type_error("macro {} takes no keyword argument {}", shown_name(macro), quoted(given.named[0].first));
  }
  const size_t taken = std::min(count, given.positional.size());
  std::vector<Value> more(given.positional.begin() + static_cast<ptrdiff_t>(taken), given.positional.end());
  if (parameters.varargs >= 0) {
    set(parameters.varargs, heap_.tuple(std::move(more)));
  } else if (!more.empty()) {
    type_error("macro {} takes not more than {} argument(s)", shown_name(macro), count);
  }
}

Value Interpreter::call_macro(const Macro& macro, Arguments given) {
  const DepthGuard depth(call_depth_);
  heap_.budget().check_call_depth(call_depth_);
  const Parameters& parameters = *macro.node.parameters;
  std::string text;
  const Value around = macro.scope;
  const Value activation = new_activation(*macro.node.scope, around, around.as<Activation>().context);
  auto& scope = activation.as<Activation>();
  bind_parameters(macro, given, scope);
  const ScopeGuard guard(*this, activation, &text);
  enter(*macro.node.scope);
  const size_t count = parameters.names.size(), first_default = count - parameters.defaults.size();
  for (size_t i = 0; i < count; ++i) {
    const auto slot = static_cast<size_t>(parameters.slots[i]);
    if (!scope.variables[slot].is_missing()) continue;
    scope.variables[slot] = i >= first_default
                                ? eval(*parameters.defaults[i - first_default])
                                : undefined("parameter " + quoted(text_of(parameters.names[i])) + " was not provided");
  }
  run_all(macro.node.body);
  return text_value(std::move(text));
}

Value Interpreter::call(const Value& callee, Arguments given) {
  heap_.budget().step();
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): the call may overwrite the variable
  const Value keep = callee;
  switch (callee.type()) {
    case Type::kMacro: return call_macro(keep.as<Macro>(), std::move(given));
    case Type::kFunction: return call_function(keep.as<Function>().name, given);
    case Type::kMethod: return call_method(keep.as<Method>().self, keep.as<Method>().name, given);
    case Type::kUndefined: callee.as<Undefined>().fail();
    case Type::kJoiner: {
      bind("Joiner.__call__", {}, given, 1);
      auto& joiner = callee.as<Joiner>();
      if (std::exchange(joiner.used, true)) return joiner.separator;
      return heap_.string("");
    }
    case Type::kBlockReference:
      bind("BlockReference.__call__", {}, given, 1);
      return call_block(keep.as<BlockReference>().node, keep.as<BlockReference>().context);
    case Type::kLoop: {
      const std::vector<Value> p = bind("LoopContext.__call__", {{"iterable", Value()}}, given, 1);
      const auto& loop = keep.as<Loop>();
      if (loop.recursive == nullptr) type_error("The loop must have the 'recursive' marker to be called recursively.");
      return recurse(loop, p[0], loop.depth0 + 1);
    }
    default: type_error("'{}' object is not callable", type_name(callee));
  }
}

}  // namespace gamut::jinja
