// Statements: what stands between {% and %}.
#include "text/template/parser.h"

#include <algorithm>

#include "text/template/exception.h"
#include "text/template/objects.h"
#include "text/template/repr.h"

namespace gamut::jinja {

Nodes Parser::subparse(const Names& end_names) {
  const Nesting nesting(*this);
  Nodes body;
  if (!end_names.empty()) end_names_.push_back(end_names);
  Node* output = nullptr;
  auto add_output = [&](NodePtr item) {
    if (output == nullptr) {
      body.push_back(make(NodeKind::kOutput, item->line));
      output = body.back().get();
    }
    output->items.push_back(std::move(item));
  };
  while (current().type != TokenType::kEnd) {
    const Token& token = current();
    if (token.type == TokenType::kData) {
      NodePtr data = make(NodeKind::kData, token.line);
      data->value = constant(token.text);
      next();
      add_output(std::move(data));
    } else if (token.type == TokenType::kVariableBegin) {
      next();
      add_output(tuple(true, {}, false));
      expect_end(TokenType::kVariableEnd, "end of print statement");
    } else {
      next();
      output = nullptr;
      if (current().type == TokenType::kName && is_one_of(current().text, end_names)) {
        end_names_.pop_back();
        return body;
      }
      if (NodePtr made = statement()) body.push_back(std::move(made));
      expect_end(TokenType::kBlockEnd, "end of statement block");
    }
  }
  if (!end_names.empty()) end_names_.pop_back();
  return body;
}

Nodes Parser::statements(const Names& end_names, bool drop) {
  skip_operator(":");
  expect_end(TokenType::kBlockEnd, "end of statement block");
  Nodes body = subparse(end_names);
  if (current().type == TokenType::kEnd) {
    end_names_.push_back(end_names);
    fail_unknown(nullptr, current().line);
  }
  if (drop) next();
  return body;
}

[[noreturn]] void Parser::fail_unknown(const std::string* name, int line) const {
  std::string message =
      name ? fmt::format("Encountered unknown tag {}.", quoted(*name)) : "Unexpected end of template.";
  if (!end_names_.empty()) {
    std::string looking;
    for (std::string_view end : end_names_.back()) looking += (looking.empty() ? "" : " or ") + quoted(end);
    bool is_expected = false;
    for (const Names& names : end_names_) is_expected = is_expected || (name != nullptr && is_one_of(*name, names));
    message += is_expected
                   ? " You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for " +
                         looking + "."
                   : " Jinja was looking for the following tags: " + looking + ".";
  }
  if (!tags_.empty()) message += " The innermost block that needs to be closed is " + quoted(tags_.back()) + ".";
  fail_at(message, line);
}

NodePtr Parser::statement() {
  if (current().type != TokenType::kName) fail_at("tag name expected", current().line);
  const Token token = current();
  using Parse = NodePtr (Parser::*)(int);
  static constexpr std::pair<std::string_view, Parse> kStatements[] = {
      {"for", &Parser::for_statement},
      {"if", &Parser::if_statement},
      {"block", &Parser::block},
      {"extends", &Parser::extends},
      {"print", &Parser::print},
      {"macro", &Parser::macro},
      {"include", &Parser::include},
      {"from", &Parser::from},
      {"import", &Parser::import},
      {"set", &Parser::set},
      {"with", &Parser::with},
      {"autoescape", &Parser::autoescape},
      {"call", &Parser::call_block},
      {"filter", &Parser::filter_block},
      {"generation", &Parser::generation},
      {"break", &Parser::loop_control},
      {"continue", &Parser::loop_control},
  };
  for (const auto& [name, parse] : kStatements) {
    if (token.text != name) continue;
    tags_.push_back(token.text);
    keyword_ = name;
    next();
    NodePtr made = (this->*parse)(token.line);
    tags_.pop_back();
    return made;
  }
  fail_unknown(&token.text, token.line);
}

NodePtr Parser::for_statement(int line) {
  NodePtr node = make(NodeKind::kFor, line);
  node->items.push_back(target({"in"}, false));
  if (!skip_name("in")) unexpected("in");
  node->items.push_back(tuple(false, {"recursive"}, false));
  node->items.push_back(skip_name("if") ? expression(true) : nullptr);
  node->flag = skip_name("recursive");
  node->body = statements({"endfor", "else"}, false);
  if (next().text == "else") node->orelse = statements({"endfor"}, true);
  return node;
}

NodePtr Parser::if_statement(int line) {
  NodePtr node = make(NodeKind::kIf, line);
  Node* last = node.get();
  while (true) {
    last->items.push_back(tuple(false, {}, false));
    last->body = statements({"elif", "else", "endif"}, false);
    const Token token = next();
    if (token.text == "elif") {
      last->orelse.push_back(make(NodeKind::kIf, current().line));
      last = last->orelse.back().get();
      continue;
    }
    if (token.text == "else") last->orelse = statements({"endif"}, true);
    return node;
  }
}

NodePtr Parser::with(int line) {
  NodePtr node = make(NodeKind::kWith, line);
  while (current().type != TokenType::kBlockEnd) {
    if (!node->items.empty()) expect_operator(",");
    node->items.push_back(target({}, false));
    expect_operator("=");
    node->items.push_back(expression(true));
  }
  node->body = statements({"endwith"}, true);
  return node;
}

NodePtr Parser::autoescape(int line) {
  NodePtr node = make(NodeKind::kAutoescape, line, expression(true));
  node->body = statements({"endautoescape"}, true);
  return node;
}

NodePtr Parser::block(int line) {
  NodePtr node = make(NodeKind::kBlock, line);
  const std::string name = expect_name().text;
  node->value = constant(name);
  node->flag = skip_name("scoped");
  const bool required = skip_name("required");
  if (current().is_operator("-")) {
    fail_at(
        "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore "
        "instead.",
        current().line);
  }
  node->body = statements({"endblock"}, true);
  if (required) {
    node->second = node->value;
    check_required(*node);
  }
  skip_name(name);
  return node;
}

/// A required block has nothing but white space.
void Parser::check_required(const Node& block) const {
  for (const NodePtr& child : block.body) {
    const bool is_space =
        child->kind == NodeKind::kOutput && std::ranges::all_of(child->items, [](const NodePtr& item) {
          return item->kind == NodeKind::kData && strip(text_of(item->value), kStripBoth).empty();
        });
    if (!is_space) fail_at("Required blocks can only contain comments or whitespace", current().line);
  }
}

NodePtr Parser::extends(int line) { return make(NodeKind::kExtends, line, expression(true)); }

/// Skips "with context" and "without context".
bool Parser::context_modifier() {
  if (!(current().is_name("with") || current().is_name("without")) || !look().is_name("context")) return false;
  next(), next();
  return true;
}

NodePtr Parser::include(int line) {
  NodePtr node = make(NodeKind::kInclude, line, expression(true));
  if (current().is_name("ignore") && look().is_name("missing")) next(), next();
  context_modifier();
  return node;
}

NodePtr Parser::import(int line) {
  NodePtr node = make(NodeKind::kImport, line, expression(true));
  if (!skip_name("as")) unexpected("as");
  const Token name = name_target();
  node->body.push_back(make(NodeKind::kName, name.line));
  node->body.back()->value = constant(name.text);
  context_modifier();
  return node;
}

NodePtr Parser::from(int line) {
  NodePtr node = make(NodeKind::kImport, line, expression(true));
  if (!skip_name("import")) unexpected("import");
  for (bool more = true; more;) {
    if (!node->body.empty()) expect_operator(",");
    if (current().type == TokenType::kName && context_modifier()) break;
    Token name = name_target();
    if (name.text.starts_with('_')) {
      throw Exception{ExceptionType::kTemplateAssertionError, "names starting with an underline can not be imported",
                      name.line};
    }
    if (skip_name("as")) name = name_target();
    node->body.push_back(make(NodeKind::kName, name.line));
    node->body.back()->value = constant(name.text);
    more = !context_modifier() && current().is_operator(",");
  }
  return node;
}

NodePtr Parser::print(int line) {
  NodePtr node = make(NodeKind::kOutput, line);
  while (current().type != TokenType::kBlockEnd) {
    if (!node->items.empty()) expect_operator(",");
    node->items.push_back(expression(true));
  }
  return node;
}

void Parser::signature(Node& node) {
  expect_operator("(");
  while (!current().is_operator(")")) {
    if (!node.parameters->names.empty()) expect_operator(",");
    const Token name = name_target();
    if (skip_operator("=")) {
      node.parameters->defaults.push_back(expression(true));
    } else if (!node.parameters->defaults.empty()) {
      fail_at("non-default argument follows default argument", current().line);
    }
    node.parameters->names.push_back(constant(name.text));
  }
  expect_operator(")");
}

Token Parser::name_target() {
  Token token = expect_name();
  check_assignable(token.text, token.line);
  return token;
}

void Parser::check_assignable(const std::string& name, int line) const {
  for (std::string_view reserved : {"true", "false", "none", "True", "False", "None"}) {
    if (name == reserved) fail_at("can't assign to 'name'", line);
  }
}

NodePtr Parser::macro(int line) {
  NodePtr node = make(NodeKind::kMacro, line);
  node->parameters = std::make_unique<Parameters>();
  node->value = constant(name_target().text);
  signature(*node);
  node->body = statements({"endmacro"}, true);
  return node;
}

NodePtr Parser::call_block(int line) {
  NodePtr node = make(NodeKind::kCallBlock, line);
  node->parameters = std::make_unique<Parameters>();
  if (current().is_operator("(")) signature(*node);
  node->items.push_back(expression(true));
  if (node->items[0]->kind != NodeKind::kCall) fail_at("expected call", line);
  node->body = statements({"endcall"}, true);
  return node;
}

NodePtr Parser::generation(int line) {
  NodePtr node = make(NodeKind::kGeneration, line);
  node->body = statements({"endgeneration"}, true);
  return node;
}

NodePtr Parser::filter_block(int line) {
  NodePtr node = make(NodeKind::kFilterBlock, line, filter(nullptr, true));
  node->body = statements({"endfilter"}, true);
  return node;
}

NodePtr Parser::loop_control(int line) {
  return make(keyword_ == "break" ? NodeKind::kBreak : NodeKind::kContinue, line);
}

NodePtr Parser::set(int line) {
  NodePtr left = target({}, true);
  if (skip_operator("=")) return make(NodeKind::kAssign, line, std::move(left), tuple(true, {}, false));
  NodePtr node = make(NodeKind::kAssignBlock, line, std::move(left), filter(nullptr, false));
  node->body = statements({"endset"}, true);
  return node;
}

NodePtr Parser::target(const Names& end_names, bool with_namespace) {
  NodePtr node = tuple(true, end_names, false, with_namespace ? kNamespaceTargets : kTargets);
  check_target(*node);
  return node;
}

void Parser::check_target(const Node& node) const {
  static constexpr std::pair<NodeKind, const char*> kNames[] = {
      {NodeKind::kConstant, "const"}, {NodeKind::kList, "list"}, {NodeKind::kDict, "dict"}};
  if (node.kind == NodeKind::kName || node.kind == NodeKind::kAttributeTarget) return;
  if (node.kind == NodeKind::kTuple) {
    for (const NodePtr& item : node.items) {
      if (item->kind != NodeKind::kName && item->kind != NodeKind::kAttributeTarget && item->kind != NodeKind::kTuple) {
        fail_at("can't assign to 'tuple'", node.line);
      }
      check_target(*item);
    }
    return;
  }
  for (const auto& [kind, name] : kNames) {
    if (node.kind == kind) fail_at(fmt::format("can't assign to '{}'", name), node.line);
  }
  fail_at("can't assign to 'expr'", node.line);
}

}  // namespace gamut::jinja
