// Expressions, by their precedence.
#include "text/template/parser.h"

#include <cstdlib>
#include <optional>

#include "base/error.h"
#include "text/template/exception.h"
#include "text/template/objects.h"
#include "text/template/repr.h"

namespace gamut::jinja {

NodePtr Parser::conditional() {
  const Nesting nesting(*this);
  int line = current().line;
  NodePtr left = or_expression();
  while (skip_name("if")) {
    NodePtr test = or_expression();
    NodePtr otherwise = skip_name("else") ? conditional() : nullptr;
    left = make(NodeKind::kConditional, line, std::move(test), std::move(left), std::move(otherwise));
    line = current().line;
  }
  return left;
}

NodePtr Parser::or_expression() {
  NodePtr left = and_expression();
  for (int count = 0; current().is_name("or"); check_chain(++count)) {
    const int line = next().line;
    left = make(NodeKind::kOr, line, std::move(left), and_expression());
  }
  return left;
}

NodePtr Parser::and_expression() {
  NodePtr left = not_expression();
  for (int count = 0; current().is_name("and"); check_chain(++count)) {
    const int line = next().line;
    left = make(NodeKind::kAnd, line, std::move(left), not_expression());
  }
  return left;
}

NodePtr Parser::not_expression() {
  const Nesting nesting(*this);
  if (!current().is_name("not")) return compare();
  const int line = next().line;
  NodePtr node = make(NodeKind::kUnary, line, not_expression());
  node->op = Operator::kNot;
  return node;
}

NodePtr Parser::compare() {
  const int line = current().line;
  NodePtr left = sum();
  NodePtr node;
  static constexpr std::pair<std::string_view, Operator> kOperators[] = {
      {"==", Operator::kEqual},     {"!=", Operator::kNotEqual}, {"<", Operator::kLess},
      {"<=", Operator::kLessEqual}, {">", Operator::kGreater},   {">=", Operator::kGreaterEqual}};
  while (true) {
    std::optional<Operator> op;
    for (const auto& [text, value] : kOperators) {
      if (current().is_operator(text)) op = value;
    }
    if (current().is_name("in")) op = Operator::kIn;
    if (current().is_name("not") && look().is_name("in")) {
      next();
      op = Operator::kNotIn;
    }
    if (!op) return node ? std::move(node) : std::move(left);
    next();
    if (!node) node = make(NodeKind::kCompare, line, std::move(left));
    node->ops.push_back(*op);
    node->items.push_back(sum());
  }
}

NodePtr Parser::left_associative(Level operand,
                                 std::initializer_list<std::pair<std::string_view, Operator>> operators) {
  int line = current().line;
  NodePtr left = (this->*operand)();
  for (int count = 0;; check_chain(++count)) {
    const Operator* op = nullptr;
    for (const auto& [text, value] : operators) {
      if (current().is_operator(text)) op = &value;
    }
    if (op == nullptr) return left;
    next();
    left = make_operation(*op, line, std::move(left), (this->*operand)());
    line = current().line;
  }
}

NodePtr Parser::sum() { return left_associative(&Parser::concat, {{"+", Operator::kAdd}, {"-", Operator::kSubtract}}); }

NodePtr Parser::concat() {
  const int line = current().line;
  NodePtr left = product();
  if (!current().is_operator("~")) return left;
  NodePtr node = make(NodeKind::kConcat, line, std::move(left));
  while (skip_operator("~")) node->items.push_back(product());
  return node;
}

NodePtr Parser::product() {
  return left_associative(
      &Parser::power,
      {{"*", Operator::kMultiply}, {"/", Operator::kDivide}, {"//", Operator::kFloorDivide}, {"%", Operator::kModulo}});
}

NodePtr Parser::unary(bool with_filter) {
  const Nesting nesting(*this);
  const int line = current().line;
  NodePtr node;
  if (current().is_operator("-") || current().is_operator("+")) {
    const Operator op = next().text == "-" ? Operator::kNegate : Operator::kPlus;
    node = make(NodeKind::kUnary, line, unary(false));
    node->op = op;
  } else {
    node = primary(false);
  }
  node = postfix(std::move(node));
  return with_filter ? filters(std::move(node)) : std::move(node);
}

NodePtr Parser::number(const Token& token) {
  NodePtr node = make(NodeKind::kConstant, token.line);
  if (token.type == TokenType::kFloat) {
    node->value = Value::real(std::strtod(token.text.c_str(), nullptr));
    return node;
  }
  const char kind = token.text.size() > 2 ? static_cast<char>(token.text[1] | 0x20) : '0';
  const int base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 10;
  constexpr size_t kMostDigits = 4300;
  if (token.text.size() > kMostDigits) {
    value_error(
        "Exceeds the limit (4300 digits) for integer string conversion: value has {} digits; use "
        "sys.set_int_max_str_digits() to increase the limit",
        token.text.size());
  }
  const auto value = BigInteger::parse(std::string_view(token.text).substr(base == 10 ? 0 : 2), base);
  node->value = value->fits_int64() ? Value::integer(value->to_int64()) : out_.constants.big_int(*value);
  return node;
}

NodePtr Parser::primary(bool with_namespace) {
  const Token token = current();
  if (token.type == TokenType::kName) {
    next();
    NodePtr node = make(NodeKind::kConstant, token.line);
    if (token.text == "true" || token.text == "True" || token.text == "false" || token.text == "False") {
      node->value = Value::boolean(token.text == "true" || token.text == "True");
    } else if (token.text == "none" || token.text == "None") {
      node->value = Value::none();
    } else {
      node->kind = NodeKind::kName;
      node->value = constant(token.text);
      if (with_namespace && skip_operator(".")) {
        node->kind = NodeKind::kAttributeTarget;
        node->second = constant(expect_name().text);
      }
    }
    return node;
  }
  if (token.type == TokenType::kString) {
    std::string text;
    while (current().type == TokenType::kString) text += next().text;
    NodePtr node = make(NodeKind::kConstant, token.line);
    node->value = constant(std::move(text));
    return node;
  }
  if (token.type == TokenType::kInteger || token.type == TokenType::kFloat) return number(next());
  if (skip_operator("(")) {
    NodePtr node = tuple(true, {}, true);
    expect_operator(")");
    return node;
  }
  if (current().is_operator("[")) return list();
  if (current().is_operator("{")) return dict();
  fail_at(fmt::format("unexpected {}", quoted(describe(token))), token.line);
}

bool Parser::is_tuple_end(const Names& end_names) const {
  const Token& token = current();
  return token.type == TokenType::kVariableEnd || token.type == TokenType::kBlockEnd || token.is_operator(")") ||
         (token.type == TokenType::kName && is_one_of(token.text, end_names));
}

NodePtr Parser::tuple(bool with_conditional, const Names& end_names, bool parentheses, Targets targets) {
  const Nesting nesting(*this);
  int line = current().line;
  Nodes items;
  bool is_tuple = false;
  while (true) {
    if (!items.empty()) expect_operator(",");
    if (is_tuple_end(end_names)) break;
    items.push_back(targets == kNoTargets ? expression(with_conditional) : primary(targets == kNamespaceTargets));
    if (!current().is_operator(",")) break;
    is_tuple = true;
    line = current().line;
  }
  if (!is_tuple) {
    if (!items.empty()) return std::move(items[0]);
    if (!parentheses)
      fail_at(fmt::format("Expected an expression, got {}", quoted(describe(current()))), current().line);
  }
  NodePtr node = make(NodeKind::kTuple, line);
  node->items = std::move(items);
  return node;
}

NodePtr Parser::list() {
  NodePtr node = make(NodeKind::kList, next().line);
  while (!current().is_operator("]")) {
    if (!node->items.empty()) expect_operator(",");
    if (current().is_operator("]")) break;
    node->items.push_back(expression(true));
  }
  expect_operator("]");
  return node;
}

NodePtr Parser::dict() {
  NodePtr node = make(NodeKind::kDict, next().line);
  while (!current().is_operator("}")) {
    if (!node->items.empty()) expect_operator(",");
    if (current().is_operator("}")) break;
    node->items.push_back(expression(true));
    expect_operator(":");
    node->items.push_back(expression(true));
  }
  expect_operator("}");
  return node;
}

NodePtr Parser::postfix(NodePtr node) {
  for (int count = 0;; check_chain(++count)) {
    if (current().is_operator(".") || current().is_operator("[")) {
      node = subscript(std::move(node));
    } else if (current().is_operator("(")) {
      node = call(std::move(node));
    } else {
      return node;
    }
  }
}

NodePtr Parser::filters(NodePtr node) {
  for (int count = 0;; check_chain(++count)) {
    if (current().is_operator("|")) {
      next();
      node = one_filter(std::move(node));
    } else if (current().is_name("is")) {
      node = test(std::move(node));
    } else if (current().is_operator("(")) {
      node = call(std::move(node));
    } else {
      return node;
    }
  }
}

NodePtr Parser::subscript(NodePtr object) {
  const Token token = next();
  if (token.text == ".") {
    const Token name = next();
    if (name.type == TokenType::kName) {
      NodePtr node = make(NodeKind::kAttribute, token.line, std::move(object));
      node->value = constant(name.text);
      return node;
    }
    if (name.type != TokenType::kInteger) fail_at("expected name or number", name.line);
    return make(NodeKind::kItem, token.line, std::move(object), number(name));
  }
  Nodes indexes;
  while (!current().is_operator("]")) {
    if (!indexes.empty()) expect_operator(",");
    indexes.push_back(subscribed());
  }
  expect_operator("]");
  if (indexes.size() == 1 && indexes[0]->kind == NodeKind::kSlice) {
    indexes[0]->items.insert(indexes[0]->items.begin(), std::move(object));
    return std::move(indexes[0]);
  }
  if (indexes.size() == 1) return make(NodeKind::kItem, token.line, std::move(object), std::move(indexes[0]));
  for (const NodePtr& index : indexes) {
    if (index->kind == NodeKind::kSlice) fail_at("slices cannot be part of a tuple", token.line);
  }
  NodePtr all = make(NodeKind::kTuple, token.line);
  all->items = std::move(indexes);
  return make(NodeKind::kItem, token.line, std::move(object), std::move(all));
}

NodePtr Parser::subscribed() {
  const int line = current().line;
  NodePtr start;
  if (!current().is_operator(":")) {
    start = expression(true);
    if (!current().is_operator(":")) return start;
  }
  next();
  auto bound = [&]() -> NodePtr {
    const Token& token = current();
    if (token.is_operator(":") || token.is_operator("]") || token.is_operator(",")) return nullptr;
    return expression(true);
  };
  NodePtr stop = bound();
  NodePtr step = skip_operator(":") ? bound() : nullptr;
  return make(NodeKind::kSlice, line, std::move(start), std::move(stop), std::move(step));
}

std::unique_ptr<CallArguments> Parser::call_arguments() {
  const int line = current().line;
  expect_operator("(");
  auto arguments = std::make_unique<CallArguments>();
  auto ensure = [&](bool right) {
    if (!right) fail_at("invalid syntax for function call expression", line);
  };
  for (bool comma = false; !current().is_operator(")"); comma = true) {
    if (comma) {
      expect_operator(",");
      if (current().is_operator(")")) break;
    }
    if (skip_operator("*")) {
      ensure(!arguments->more_positional && !arguments->more_named);
      arguments->more_positional = expression(true);
    } else if (skip_operator("**")) {
      ensure(!arguments->more_named);
      arguments->more_named = expression(true);
    } else if (current().type == TokenType::kName && look().is_operator("=")) {
      ensure(!arguments->more_named);
      std::string name = next().text;
      next();
      arguments->named.push_back({std::move(name), expression(true)});
    } else {
      ensure(!arguments->more_positional && !arguments->more_named && arguments->named.empty());
      arguments->positional.push_back(expression(true));
    }
  }
  expect_operator(")");
  return arguments;
}

NodePtr Parser::call(NodePtr callee) {
  NodePtr node = make(NodeKind::kCall, current().line, std::move(callee));
  node->arguments = call_arguments();
  return node;
}

std::string Parser::dotted_name() {
  std::string name = expect_name().text;
  while (skip_operator(".")) name += "." + expect_name().text;
  return name;
}

NodePtr Parser::filter(NodePtr node, bool inline_start) {
  while (current().is_operator("|") || inline_start) {
    if (!inline_start) next();
    node = one_filter(std::move(node));
    inline_start = false;
  }
  return node;
}

NodePtr Parser::one_filter(NodePtr operand) {
  NodePtr node = make(NodeKind::kFilter, current().line, std::move(operand));
  node->value = constant(dotted_name());
  node->arguments = current().is_operator("(") ? call_arguments() : std::make_unique<CallArguments>();
  return node;
}

NodePtr Parser::test(NodePtr operand) {
  const int line = next().line;
  const bool negated = skip_name("not");
  NodePtr node = make(NodeKind::kTest, line, std::move(operand));
  node->value = constant(dotted_name());
  const Token& token = current();
  const bool starts_value =
      (token.type == TokenType::kName && token.text != "else" && token.text != "or" && token.text != "and") ||
      token.type == TokenType::kString || token.type == TokenType::kInteger || token.type == TokenType::kFloat ||
      token.is_operator("[") || token.is_operator("{");
  if (token.is_operator("(")) {
    node->arguments = call_arguments();
  } else {
    node->arguments = std::make_unique<CallArguments>();
    if (starts_value) {
      if (token.is_name("is")) fail_at("You cannot chain multiple tests with is", token.line);
      node->arguments->positional.push_back(postfix(primary(false)));
    }
  }
  if (!negated) return node;
  NodePtr inverse = make(NodeKind::kUnary, line, std::move(node));
  inverse->op = Operator::kNot;
  return inverse;
}

}  // namespace gamut::jinja
