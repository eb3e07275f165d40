// Statements.
#include "text/template/interpreter.h"

#include "text/template/frames.h"
#include "text/template/operators.h"
#include "text/template/repr.h"
#include "text/template/scope_guard.h"
#include "text/utf8.h"

namespace gamut::jinja {

std::string Interpreter::run(const Template& source) {
  template_ = &source;
  const Value context = heap_.make_value<Context>(0, heap_, heap_.make_value<Dict>(0), variables_);
  scope_ = new_activation(source.scope, Value(), context);
  try {
    enter(source.scope);
    run_all(source.body);
  } catch (Exception& exception) {
    if (exception.line == 0) exception.line = line_;
    throw;
  }
  scope_ = Value();
  return std::move(root_out_);
}

Value Interpreter::new_activation(const Scope& scope, Value outer, const Value& context) {
  const size_t bytes = static_cast<size_t>(scope.activation) * sizeof(Value);
  Value made = heap_.make_value<Activation>(bytes, heap_, scope, std::move(outer), context);
  if (scope.self >= 0)
    made.as<Activation>().variables[static_cast<size_t>(scope.self)] = heap_.make_value<TemplateReference>(0, context);
  return made;
}

Value& Interpreter::variable(Slot slot) {
  auto* at = &scope_.as<Activation>();
  for (int i = 0; i < slot.hops; ++i) at = &at->outer.as<Activation>();
  return at->variables[static_cast<size_t>(slot.index)];
}

void Interpreter::enter(const Scope& scope) {
  for (const Load& load : scope.loads) {
    Value value = load.kind == Load::Kind::kAlias     ? variable(load.from)
                  : load.kind == Load::Kind::kResolve ? resolve(load.name)
                                                      : Value();
    variable({0, load.index}) = std::move(value);
  }
}

void Interpreter::leave(const Scope& scope) {
  for (int index : scope.ends) variable({0, index}) = Value();
}

Value Interpreter::resolve(const Value& name) {
  const auto& context = scope_.as<Activation>().context.as<Context>();
  const Value* found = context.variables.as<Dict>().find(name);
  if (found == nullptr) found = context.parent.as<Dict>().find(name);
  if (found != nullptr) return *found;
  for (std::string_view global :
       {"range", "dict", "lipsum", "cycler", "joiner", "namespace", "raise_exception", "strftime_now"}) {
    if (text_of(name) == global) return heap_.make_value<Function>(0, std::string(global));
  }
  return Value();
}

Interpreter::Flow Interpreter::run_all(const Nodes& nodes) {
  for (const NodePtr& node : nodes) {
    const Flow flow = run_one(*node);
    if (flow != Flow::kNormal) return flow;
  }
  return Flow::kNormal;
}

void Interpreter::write(const Value& value) {
  append_text(*out_, autoescape_ ? escape(heap_, value) : value);
  check_output();
}

void Interpreter::output(const Node& node) {
  for (const NodePtr& item : node.items) {
    line_ = item->line;
    if (item->kind == NodeKind::kData) {
      heap_.budget().touch(text_of(item->value).size());
      *out_ += text_of(item->value);
      check_output();
    } else {
      write(eval(*item));
    }
  }
}

Interpreter::Flow Interpreter::run_one(const Node& node) {
  heap_.budget().step();
  const DepthGuard depth(depth_);
  heap_.budget().check_depth(depth_);
  line_ = node.line;
  switch (node.kind) {
    case NodeKind::kOutput: output(node); break;
    case NodeKind::kFor: return run_for(node);
    case NodeKind::kIf: return run_all(truth(eval(*node.items[0])) ? node.body : node.orelse);
    case NodeKind::kMacro:
      variable(node.slot) = heap_.make_value<Macro>(0, node, scope_, node.value);
      if (node.flag) {
        auto& variables = scope_.as<Activation>().context.as<Context>().variables;
        variables.as<Dict>().set(node.value, variable(node.slot));
      }
      break;
    case NodeKind::kCallBlock: run_call_block(node); break;
    case NodeKind::kGeneration: run_generation(node); break;
    case NodeKind::kFilterBlock: return run_filter_block(node);
    case NodeKind::kWith: {
      run_with(node);
      const Flow flow = run_all(node.body);
      leave(*node.scope);
      return flow;
    }
    case NodeKind::kAssign: {
      check_namespaces(*node.items[0]);
      assign(*node.items[0], eval(*node.items[1]));
      if (node.flag) export_names(*node.items[0]);
      break;
    }
    case NodeKind::kAssignBlock: return run_assign_block(node);
    case NodeKind::kBlock: run_block(node); break;
    case NodeKind::kInclude:
    case NodeKind::kImport:
    case NodeKind::kExtends: {
      eval(*node.items[0]);
      type_error("no loader for this environment specified");
    }
    case NodeKind::kAutoescape: return run_autoescape(node);
    case NodeKind::kBreak: return Flow::kBreak;
    case NodeKind::kContinue: return Flow::kContinue;
    default: eval(node);
  }
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::run_autoescape(const Node& node) {
  enter(*node.scope);
  const bool old = autoescape_;
  autoescape_ = truth(eval(*node.items[0]));
  const Flow flow = run_all(node.body);
  autoescape_ = old;
  leave(*node.scope);
  return flow;
}

Value Interpreter::filter_chain(const Node* outermost, Value value) {
  std::vector<const Node*> chain;
  for (const Node* at = outermost; at != nullptr; at = at->items[0].get()) chain.push_back(at);
  for (auto it = chain.rbegin(); it != chain.rend(); ++it) value = filter(**it, value);
  return value;
}

Interpreter::Flow Interpreter::run_filter_block(const Node& node) {
  enter(*node.scope);
  std::string text;
  {
    const ScopeGuard guard(*this, scope_, &text);
    const Flow flow = run_all(node.body);
    if (flow != Flow::kNormal) return flow;
  }
  write(filter_chain(node.items[0].get(), text_value(std::move(text))));
  leave(*node.scope);
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::run_assign_block(const Node& node) {
  enter(*node.scope);
  std::string text;
  {
    const ScopeGuard guard(*this, scope_, &text);
    const Flow flow = run_all(node.body);
    if (flow != Flow::kNormal) return flow;
  }
  Value value = filter_chain(node.items[1].get(), text_value(std::move(text)));
  if (autoescape_ && value.is_string()) value = heap_.markup(text_of(value));
  assign(*node.items[0], value);
  if (node.flag) export_names(*node.items[0]);
  leave(*node.scope);
  return Flow::kNormal;
}

/// object[name] = value, as a block that sets a dotted name does it.
void Interpreter::set_item(const Value& held, const Value& name, const Value& value) {
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): a variable may hold the last reference
  const Value object = held;
  if (object.is(Type::kNamespace)) return object.as<Namespace>().set(name, value);
  if (object.is(Type::kDict) && value.is_string()) return object.as<Dict>().set(name, value);
  if (object.is(Type::kList)) type_error("list indices must be integers or slices, not str");
  type_error("'{}' object does not support item assignment", object.is_missing() ? "_MissingType" : type_name(object));
}

void Interpreter::run_with(const Node& node) {
  enter(*node.scope);
  for (size_t i = 0; i + 1 < node.items.size(); i += 2) assign(*node.items[i], eval(*node.items[i + 1]));
}

void Interpreter::run_call_block(const Node& node) {
  const Value caller = heap_.make_value<Macro>(0, node, scope_, Value::none());
  const Node& call_node = *node.items[0];
  const Value callee = eval(*call_node.items[0]);
  Arguments given = arguments(*call_node.arguments);
  given.named.emplace_back("caller", caller);
  write(call(callee, std::move(given)));
}

void Interpreter::run_generation(const Node& node) {
  const Value caller = heap_.make_value<Macro>(0, node, scope_, Value::none());
  const Value said = call(caller, {});
  counted_characters_ += text::count_characters(std::string_view(root_out_).substr(counted_bytes_));
  counted_bytes_ = root_out_.size();
  generations_.push_back({counted_characters_, counted_characters_ + said.as<String>().length()});
  write(said);
}

void Interpreter::run_block(const Node& node) {
  if (!node.second.is_missing())
    raise(ExceptionType::kTemplateRuntimeError, "Required block {} not found", quoted(text_of(node.value)));
  Value context = scope_.as<Activation>().context;
  if (node.flag) {  // a scoped block sees what is around it
    const auto& around = context.as<Context>();
    const Value seen = heap_.make_value<Dict>(0);
    for (const Value& part : {around.parent, around.variables}) {
      for (const Dict::Entry& entry : part.as<Dict>().entries()) seen.as<Dict>().set(entry.key, entry.value);
    }
    for (const Load& local : node.scope->locals) {
      const Value& value = variable(local.from);
      if (!value.is_missing()) seen.as<Dict>().set(local.name, value);
    }
    context = heap_.make_value<Context>(0, heap_, heap_.make_value<Dict>(0), seen);
  }
  run_block_in(node, context);
}

void Interpreter::run_block_in(const Node& node, const Value& context) {
  const DepthGuard depth(call_depth_);
  heap_.budget().check_call_depth(call_depth_);
  const Value activation = new_activation(*node.scope, Value(), context);
  if (node.scope->super >= 0) {
    activation.as<Activation>().variables[static_cast<size_t>(node.scope->super)] =
        undefined("there is no parent block called " + quoted(text_of(node.value)) + ".");
  }
  const ScopeGuard guard(*this, activation);
  enter(*node.scope);
  run_all(node.body);
}

Value Interpreter::call_block(const Node& node, const Value& context) {
  std::string text;
  const ScopeGuard guard(*this, scope_, &text);
  run_block_in(node, context);
  return text_value(std::move(text));
}

void Interpreter::check_namespaces(const Node& target) {
  if (target.kind == NodeKind::kAttributeTarget && !variable(target.slot).is(Type::kNamespace))
    raise(ExceptionType::kTemplateRuntimeError, "cannot assign attribute on non-namespace object");
  for (const NodePtr& item : target.items) check_namespaces(*item);
}

void Interpreter::export_names(const Node& target) {
  if (target.kind == NodeKind::kName) {
    const Value context = scope_.as<Activation>().context;
    context.as<Context>().variables.as<Dict>().set(target.value, variable(target.slot));
  }
  for (const NodePtr& item : target.items) export_names(*item);
}

void Interpreter::assign(const Node& target, const Value& value) {
  if (target.kind == NodeKind::kName) {
    variable(target.slot) = value;
  } else if (target.kind == NodeKind::kAttributeTarget) {
    set_item(variable(target.slot), target.second, value);
  } else {
    unpack(target, value);
  }
}

void Interpreter::unpack(const Node& target, const Value& value) {
  if (!is_iterable(value)) type_error("cannot unpack non-iterable {} object", type_name(value));
  const std::vector<Value> items = to_vector(heap_, value);
  const size_t wanted = target.items.size();
  if (items.size() < wanted) value_error("not enough values to unpack (expected {}, got {})", wanted, items.size());
  if (items.size() > wanted) value_error("too many values to unpack (expected {})", wanted);
  for (size_t i = 0; i < wanted; ++i) assign(*target.items[i], items[i]);
}

}  // namespace gamut::jinja
