#include "text/template/scopes.h"

#include <algorithm>
#include <optional>
#include <set>

#include "text/template/exception.h"
#include "text/template/filter_call.h"
#include "text/template/objects.h"
#include "text/template/repr.h"
#include "text/template/symbols.h"

namespace gamut::jinja {
namespace {

[[noreturn]] void assertion_error(std::string message, int line) {
  throw Exception{ExceptionType::kTemplateAssertionError, std::move(message), line};
}

/// Calls visit(node) for what is directly inside of a node.
template <typename Visit>
void each_child(const Node& node, Visit visit) {
  auto all = [&](const Nodes& nodes) {
    for (const NodePtr& child : nodes) {
      if (child) visit(*child);
    }
  };
  all(node.items);
  if (node.parameters) all(node.parameters->defaults);
  if (node.arguments) {
    all(node.arguments->positional);
    for (const KeywordArgument& argument : node.arguments->named) visit(*argument.value);
    if (node.arguments->more_positional) visit(*node.arguments->more_positional);
    if (node.arguments->more_named) visit(*node.arguments->more_named);
  }
  if (node.kind != NodeKind::kImport) all(node.body);
  all(node.orelse);
}

/// Calls each(name) for the names that a target sets.
template <typename Each>
void each_target(const Node& target, Each each) {
  if (target.kind == NodeKind::kName) each(text_of(target.value));
  for (const NodePtr& item : target.items) each_target(*item, each);
}

bool has_targets(const Node& node) {
  return node.kind == NodeKind::kFor || node.kind == NodeKind::kAssign || node.kind == NodeKind::kAssignBlock;
}

/// Which of some names are used before something else takes the name.
class UsedNames {
 public:
  UsedNames(const Nodes& body, std::set<std::string, std::less<>> names) : names_(std::move(names)) {
    for (const NodePtr& node : body) visit(*node);
  }
  bool operator()(std::string_view name) const { return used_.contains(name); }

 private:
  void visit(const Node& node) {
    if (node.kind == NodeKind::kBlock) return;
    if (node.kind == NodeKind::kName) {
      const std::string& name = text_of(node.value);
      if (names_.contains(name)) used_.insert(name);
      return;
    }
    const Node* target = has_targets(node) ? node.items[0].get() : nullptr;
    if (target != nullptr) each_target(*target, [&](const std::string& name) { names_.erase(name); });
    if (node.parameters) {
      for (const Value& name : node.parameters->names) names_.erase(text_of(name));
    }
    for (size_t i = 0; node.kind == NodeKind::kWith && i < node.items.size(); i += 2) {
      each_target(*node.items[i], [&](const std::string& name) { names_.erase(name); });
    }
    each_child(node, [&](const Node& child) {
      const bool is_with_target =
          node.kind == NodeKind::kWith && std::ranges::any_of(node.items, [&, i = 0](const NodePtr& item) mutable {
            return i++ % 2 == 0 && item.get() == &child;
          });
      if (&child != target && !is_with_target) visit(child);
    });
  }
  std::set<std::string, std::less<>> names_, used_;
};

void analyze_target(const Node& target, Symbols& symbols) {
  if (target.kind == NodeKind::kName) symbols.store(text_of(target.value));
  if (target.kind == NodeKind::kAttributeTarget) symbols.load(text_of(target.value));
  for (const NodePtr& item : target.items) analyze_target(*item, symbols);
}

/// Tells a scope what a statement or an expression directly inside of it loads and sets.
void analyze(const Node& node, Symbols& symbols) {
  auto all = [&](const Nodes& nodes, Symbols& into) {
    for (const NodePtr& child : nodes) analyze(*child, into);
  };
  switch (node.kind) {
    case NodeKind::kName:
    case NodeKind::kAttributeTarget: return symbols.load(text_of(node.value));
    case NodeKind::kIf: {
      analyze(*node.items[0], symbols);
      std::vector<Symbols> branches(2, symbols);
      all(node.body, branches[0]);
      all(node.orelse, branches[1]);
      return symbols.merge(branches);
    }
    case NodeKind::kMacro: return symbols.store(text_of(node.value));
    case NodeKind::kImport:
      analyze(*node.items[0], symbols);
      for (const NodePtr& name : node.body) symbols.store(text_of(name->value));
      return;
    case NodeKind::kAssign: analyze(*node.items[1], symbols); return analyze_target(*node.items[0], symbols);
    case NodeKind::kAssignBlock: return analyze_target(*node.items[0], symbols);
    case NodeKind::kFor: return analyze(*node.items[1], symbols);
    case NodeKind::kCallBlock:
    case NodeKind::kFilterBlock: return analyze(*node.items[0], symbols);
    case NodeKind::kWith:
      for (size_t i = 1; i < node.items.size(); i += 2) analyze(*node.items[i], symbols);
      return;
    case NodeKind::kGeneration:
    case NodeKind::kAutoescape:
    case NodeKind::kBlock: return;
    default: each_child(node, [&](const Node& child) { analyze(child, symbols); });
  }
}

void analyze_all(const Nodes& nodes, Symbols& symbols) {
  for (const NodePtr& node : nodes) analyze(*node, symbols);
}

NodePtr copy_of_target(const Node& target) {
  NodePtr copy = std::make_unique<Node>(target.kind, target.line);
  copy->value = target.value;
  for (const NodePtr& item : target.items) copy->items.push_back(copy_of_target(*item));
  return copy;
}

/// Goes through the template once more and says at each name which variable it is.
class Resolver {
 public:
  explicit Resolver(Template& source) : out_(source) {}

  void run() {
    for (const NodePtr& node : out_.body) find_blocks(*node);
    ScopeFunction function(nullptr);
    Symbols symbols(function, nullptr);
    const UsedNames used(out_.body, {"self"});
    const int self = used("self") ? symbols.declare_parameter("self") : -1;
    analyze_all(out_.body, symbols);
    statements(out_.body, {.symbols = symbols, .is_top_level = true});
    out_.scope = called(symbols);
    out_.scope.self = self;
    for (Node* node : blocks_) block(*node);
    if (misplaced_) throw *misplaced_;
  }

 private:
  struct Frame {
    Symbols& symbols;
    bool is_top_level = false, is_soft = false, is_in_loop = false;
  };

  Scope inner(const Symbols& symbols) { return symbols.scope(out_.constants); }
  Scope called(const Symbols& symbols) {
    Scope scope = inner(symbols);
    scope.activation = static_cast<int>(symbols.function().variables.size());
    return scope;
  }

  void find_blocks(const Node& node) {
    if (node.kind == NodeKind::kBlock) {
      if (!out_.blocks.try_emplace(text_of(node.value), &node).second)
        assertion_error("block " + quoted(text_of(node.value)) + " defined twice", node.line);
      blocks_.push_back(const_cast<Node*>(&node));
    }
    each_child(node, [&](const Node& child) { find_blocks(child); });
  }

  void statements(const Nodes& nodes, const Frame& frame) {
    for (const NodePtr& node : nodes) statement(*node, frame);
  }

  void statement(Node& node, const Frame& frame) {
    switch (node.kind) {
      case NodeKind::kFor: return for_loop(node, frame);
      case NodeKind::kIf: {
        Frame soft = frame;
        soft.is_soft = true;
        expression(*node.items[0], soft);
        statements(node.body, soft);
        return statements(node.orelse, soft);
      }
      case NodeKind::kMacro:
        macro(node, frame);
        node.slot = frame.symbols.slot(text_of(node.value));
        node.flag = frame.is_top_level;
        return;
      case NodeKind::kCallBlock: macro(node, frame); return expression(*node.items[0], frame);
      case NodeKind::kGeneration: node.parameters = std::make_unique<Parameters>(); return macro(node, frame);
      case NodeKind::kFilterBlock:
      case NodeKind::kAutoescape:
      case NodeKind::kAssignBlock: return scope_statement(node, frame);
      case NodeKind::kWith: return with(node, frame);
      case NodeKind::kAssign:
        node.flag = frame.is_top_level;
        expression(*node.items[0], frame);
        return expression(*node.items[1], frame);
      case NodeKind::kBlock:
        node.scope = std::make_unique<Scope>();
        if (node.flag) node.scope->locals = frame.symbols.locals(out_.constants);
        return;
      case NodeKind::kImport: {
        expression(*node.items[0], frame);
        for (const NodePtr& name : node.body) expression(*name, frame);
        return;
      }
      case NodeKind::kExtends:
        if (!frame.is_top_level) assertion_error("cannot use extend from a non top-level scope", node.line);
        return expression(*node.items[0], frame);
      case NodeKind::kBreak:
      case NodeKind::kContinue: return loop_control(node, frame);
      default: return expression(node, frame);
    }
  }

  void loop_control(const Node& node, const Frame& frame) {
    if (frame.is_in_loop || misplaced_) return;
    misplaced_ = Exception{ExceptionType::kTemplateSyntaxError,
                           node.kind == NodeKind::kBreak ? "'break' outside loop" : "'continue' not properly in loop",
                           node.line};
  }

  void scope_statement(Node& node, const Frame& frame) {
    Symbols symbols(frame.symbols.function(), &frame.symbols);
    if (node.kind == NodeKind::kAutoescape) analyze(*node.items[0], symbols);
    analyze_all(node.body, symbols);
    if (node.kind == NodeKind::kAssignBlock) {
      node.flag = frame.is_top_level;
      scoped(node, symbols, frame, node.items[1].get());
      return expression(*node.items[0], frame);
    }
    if (node.kind == NodeKind::kFilterBlock) analyze(*node.items[0], symbols);
    scoped(node, symbols, frame, node.items[0].get());
  }

  /// The body of a scope in the same function, and an expression that belongs to it.
  void scoped(Node& node, Symbols& symbols, const Frame& frame, Node* belonging) {
    const Frame inside{.symbols = symbols, .is_in_loop = frame.is_in_loop};
    statements(node.body, inside);
    if (belonging != nullptr) expression(*belonging, inside);
    node.scope = std::make_unique<Scope>(inner(symbols));
  }

  void with(Node& node, const Frame& frame) {
    Symbols symbols(frame.symbols.function(), &frame.symbols);
    for (size_t i = 0; i < node.items.size(); i += 2)
      each_target(*node.items[i], [&](const std::string& name) { symbols.declare_parameter(name); });
    analyze_all(node.body, symbols);
    const Frame inside{.symbols = symbols, .is_in_loop = frame.is_in_loop};
    for (size_t i = 0; i < node.items.size(); ++i) expression(*node.items[i], i % 2 == 0 ? inside : frame);
    scoped(node, symbols, frame, nullptr);
  }

  /// Blocks come behind all of the rest, as in the program that Jinja makes: so do their errors.
  void block(Node& node) {
    ScopeFunction function(nullptr);
    Symbols symbols(function, nullptr);
    const UsedNames used(node.body, {"self", "super"});
    const int self = used("self") ? symbols.declare_parameter("self") : -1;
    const int super = used("super") ? symbols.declare_parameter("super") : -1;
    analyze_all(node.body, symbols);
    statements(node.body, {.symbols = symbols});
    std::vector<Load> locals = std::move(node.scope->locals);
    *node.scope = called(symbols);
    node.scope->locals = std::move(locals);
    node.scope->self = self;
    node.scope->super = super;
  }

  void macro(Node& node, const Frame& frame) {
    ScopeFunction function(&frame.symbols.function());
    Symbols symbols(function, &frame.symbols);
    Parameters& parameters = *node.parameters;
    const UsedNames used(node.body, {"caller", "kwargs", "varargs"});
    for (const Value& name : parameters.names) parameters.slots.push_back(symbols.declare_parameter(text_of(name)));
    auto position = [&](std::string_view wanted) {
      const auto found = std::ranges::find_if(parameters.names, [&](const Value& n) { return text_of(n) == wanted; });
      return static_cast<size_t>(found - parameters.names.begin());
    };
    const size_t count = parameters.names.size(), caller = position("caller");
    parameters.is_explicit_caller = caller < count;
    parameters.uses_caller = used("caller");
    if (used("caller") && caller < count && caller + parameters.defaults.size() < count) {
      assertion_error(
          "When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default.",
          node.line);
    }
    for (const NodePtr& value : parameters.defaults) analyze(*value, symbols);
    analyze_all(node.body, symbols);
    if (used("caller") && caller == count) parameters.caller = symbols.declare_parameter("caller");
    if (used("kwargs") && position("kwargs") == count) parameters.kwargs = symbols.declare_parameter("kwargs");
    if (used("varargs") && position("varargs") == count) parameters.varargs = symbols.declare_parameter("varargs");
    const Frame inside{.symbols = symbols};
    for (const NodePtr& value : parameters.defaults) expression(*value, inside);
    statements(node.body, inside);
    node.scope = std::make_unique<Scope>(called(symbols));
  }

  static bool has_scoped_block(const Node& node) {
    bool found = node.kind == NodeKind::kBlock && node.flag;
    each_child(node, [&](const Node& child) { found = found || has_scoped_block(child); });
    return found;
  }
  static void check_loop_name(const Node& node) {
    if (has_targets(node)) {
      each_target(*node.items[0], [&](const std::string& name) {
        if (name == "loop") assertion_error("Can't assign to special loop variable in for-loop target", node.line);
      });
    }
    each_child(node, [&](const Node& child) { check_loop_name(child); });
  }

  void for_loop(Node& node, const Frame& frame) {
    ScopeFunction recursive(&frame.symbols.function());
    ScopeFunction& function = node.flag ? recursive : frame.symbols.function();
    Symbols body(function, &frame.symbols), orelse(function, &frame.symbols);
    node.loop = std::make_unique<LoopScopes>();
    const UsedNames used(node.body, {"loop"});
    if (node.flag || used("loop") || has_scoped_block(node)) node.loop->loop = body.declare_parameter("loop");
    each_target(*node.items[0], [&](const std::string& name) { body.declare_parameter(name); });
    analyze_all(node.body, body);
    analyze_all(node.orelse, orelse);
    if (node.items[2]) loop_test(node, frame);
    check_loop_name(node);
    const Frame in_body{.symbols = body, .is_in_loop = true};
    expression(*node.items[0], in_body);
    expression(*node.items[1], frame);
    statements(node.body, in_body);
    statements(node.orelse, {.symbols = orelse, .is_in_loop = frame.is_in_loop && !node.flag});
    node.loop->orelse = inner(orelse);
    node.scope = std::make_unique<Scope>(node.flag ? called(body) : inner(body));
  }

  /// The test runs as a function of its own, with its own copies of the targets.
  void loop_test(Node& node, const Frame& frame) {
    ScopeFunction function(&frame.symbols.function());
    Symbols symbols(function, &frame.symbols);
    each_target(*node.items[0], [&](const std::string& name) { symbols.declare_parameter(name); });
    analyze(*node.items[2], symbols);
    node.items.push_back(copy_of_target(*node.items[0]));
    const Frame inside{.symbols = symbols};
    expression(*node.items[3], inside);
    expression(*node.items[2], inside);
    node.loop->test = called(symbols);
  }

  void expression(Node& node, const Frame& frame) {
    if (node.kind == NodeKind::kName || node.kind == NodeKind::kAttributeTarget) {
      node.slot = frame.symbols.slot(text_of(node.value));
      return;
    }
    const bool is_filter = node.kind == NodeKind::kFilter;
    if (is_filter || node.kind == NodeKind::kTest) {
      const std::string& name = text_of(node.value);
      if (is_filter) node.filter = find_filter(name);
      else node.test = find_test(name);
      if (node.filter == nullptr && node.test == nullptr && !frame.is_soft) {
        assertion_error(fmt::format("No {} named {}.", is_filter ? "filter" : "test", quoted(name)), node.line);
      }
    }
    Frame inside = frame;
    inside.is_soft = frame.is_soft || node.kind == NodeKind::kConditional;
    each_child(node, [&](const Node& child) { expression(const_cast<Node&>(child), inside); });
  }

  Template& out_;
  std::vector<Node*> blocks_;
  std::optional<Exception> misplaced_;  // Python's own error, which comes after all of Jinja's
};

}  // namespace

void resolve_scopes(Template& source) { Resolver(source).run(); }

}  // namespace gamut::jinja
