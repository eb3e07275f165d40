#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "base/error.h"
#include "text/template/ast.h"
#include "text/template/exception.h"
#include "text/template/lexer.h"
#include "text/template/names.h"
#include "text/template/repr.h"

namespace gamut::jinja {
namespace {

constexpr int kMostNesting = 256;

using Names = std::vector<std::string_view>;

class Parser {
 public:
  Parser(std::vector<Token> tokens, Template& out) : tokens_(std::move(tokens)), out_(out) {}

  Nodes run() { return subparse({}); }

 private:
  const Token& current() const { return tokens_[at_]; }
  const Token& look() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const Token& next() {
    const Token& token = current();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool skip_operator(std::string_view op) { return current().is_operator(op) && (next(), true); }
  bool skip_name(std::string_view name) { return current().is_name(name) && (next(), true); }

  [[noreturn]] void fail_at(std::string message, int line) const {
    throw Exception{ExceptionType::kTemplateSyntaxError, std::move(message), line};
  }
  static std::string describe(const Token& token) {
    switch (token.type) {
      case TokenType::kData: return "template data / text";
      case TokenType::kVariableBegin: return "begin of print statement";
      case TokenType::kVariableEnd: return "end of print statement";
      case TokenType::kBlockBegin: return "begin of statement block";
      case TokenType::kBlockEnd: return "end of statement block";
      case TokenType::kString: return "string";
      case TokenType::kInteger: return "integer";
      case TokenType::kFloat: return "float";
      case TokenType::kEnd: return "end of template";
      default: return token.text;
    }
  }
  [[noreturn]] void unexpected(const std::string& expected) const {
    if (current().type == TokenType::kEnd) {
      fail_at(fmt::format("unexpected end of template, expected {}.", quoted(expected)), current().line);
    }
    fail_at(fmt::format("expected token {}, got {}", quoted(expected), quoted(describe(current()))), current().line);
  }
  void expect_operator(std::string_view op) {
    if (!skip_operator(op)) unexpected(std::string(op));
  }
  void expect_end(TokenType type, const char* what) {
    if (current().type != type) unexpected(what);
    next();
  }
  Token expect_name() {
    if (current().type != TokenType::kName) unexpected("name");
    return next();
  }

  NodePtr make(NodeKind kind, int line) { return std::make_unique<Node>(kind, line); }
  template <typename... Items>
  NodePtr make(NodeKind kind, int line, Items... items) {
    NodePtr node = std::make_unique<Node>(kind, line);
    (node->items.push_back(std::move(items)), ...);
    return node;
  }
  NodePtr make_operation(Operator op, int line, NodePtr left, NodePtr right) {
    NodePtr node = make(NodeKind::kBinary, line, std::move(left), std::move(right));
    node->op = op;
    return node;
  }
  Value constant(std::string text) { return out_.constants.string(std::move(text)); }

  /// Refuses more nesting, before the stack does.
  struct Nesting {
    explicit Nesting(Parser& p) : parser(p) {
      if (++parser.nesting_ > kMostNesting) {
        fail(ErrorCode::kResourceLimit, "chat template: nested deeper than {} levels at line {}", kMostNesting,
             parser.current().line);
      }
    }
    ~Nesting() { --parser.nesting_; }
    Parser& parser;
  };

  // Statements.

  Nodes subparse(const Names& end_names) {
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
  static bool is_one_of(std::string_view name, const Names& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  /// The body of a statement up to a tag of one of the names, which is left to be read; `drop` reads its name.
  Nodes statements(const Names& end_names, bool drop) {
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

  [[noreturn]] void fail_unknown(const std::string* name, int line) const {
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

  NodePtr statement() {
    if (current().type != TokenType::kName) fail_at("tag name expected", current().line);
    const Token token = current();
    using Parse = NodePtr (Parser::*)(int);
    static constexpr std::pair<std::string_view, Parse> kStatements[] = {
        {"for", &Parser::for_statement},
        {"if", &Parser::if_statement},
        {"block", &Parser::block},
        {"extends", &Parser::loader},
        {"print", &Parser::print},
        {"macro", &Parser::macro},
        {"include", &Parser::loader},
        {"from", &Parser::loader},
        {"import", &Parser::loader},
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

  NodePtr for_statement(int line) {
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
  NodePtr if_statement(int line) {
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
  NodePtr with(int line) {
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
  NodePtr autoescape(int line) {
    NodePtr node = make(NodeKind::kAutoescape, line, expression(true));
    node->body = statements({"endautoescape"}, true);
    return node;
  }
  NodePtr block(int line) {
    NodePtr node = make(NodeKind::kBlock, line);
    const std::string name = expect_name().text;
    node->value = constant(name);
    skip_name("scoped");
    node->flag = skip_name("required");
    if (current().is_operator("-")) {
      fail_at(
          "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore "
          "instead.",
          current().line);
    }
    node->body = statements({"endblock"}, true);
    skip_name(name);
    return node;
  }
  NodePtr loader(int line) {
    NodePtr node = make(NodeKind::kLoader, line);
    const bool is_include = keyword_ == "include";
    node->items.push_back(expression(true));
    if (is_include && current().is_name("ignore") && look().is_name("missing")) {
      node->flag = true;
      next(), next();
    }
    while (current().type != TokenType::kBlockEnd && current().type != TokenType::kEnd) next();
    return node;
  }
  NodePtr print(int line) {
    NodePtr node = make(NodeKind::kOutput, line);
    while (current().type != TokenType::kBlockEnd) {
      if (!node->items.empty()) expect_operator(",");
      node->items.push_back(expression(true));
    }
    return node;
  }
  void signature(Node& node) {
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
  Token name_target() {
    Token token = expect_name();
    check_assignable(token.text, token.line);
    return token;
  }
  void check_assignable(const std::string& name, int line) const {
    for (std::string_view reserved : {"true", "false", "none", "True", "False", "None"}) {
      if (name == reserved) fail_at("can't assign to 'name'", line);
    }
  }
  NodePtr macro(int line) {
    NodePtr node = make(NodeKind::kMacro, line);
    node->parameters = std::make_unique<Parameters>();
    node->value = constant(name_target().text);
    signature(*node);
    node->body = statements({"endmacro"}, true);
    find_special_names(*node);
    return node;
  }
  NodePtr call_block(int line) {
    NodePtr node = make(NodeKind::kCallBlock, line);
    node->parameters = std::make_unique<Parameters>();
    if (current().is_operator("(")) signature(*node);
    node->items.push_back(expression(true));
    if (node->items[0]->kind != NodeKind::kCall) fail_at("expected call", line);
    node->body = statements({"endcall"}, true);
    find_special_names(*node);
    return node;
  }
  NodePtr generation(int line) {
    NodePtr node = make(NodeKind::kGeneration, line);
    node->body = statements({"endgeneration"}, true);
    return node;
  }
  NodePtr filter_block(int line) {
    NodePtr node = make(NodeKind::kFilterBlock, line, filter(nullptr, true));
    node->body = statements({"endfilter"}, true);
    return node;
  }
  NodePtr loop_control(int line) { return make(keyword_ == "break" ? NodeKind::kBreak : NodeKind::kContinue, line); }
  NodePtr set(int line) {
    NodePtr left = target({}, true);
    if (skip_operator("=")) return make(NodeKind::kAssign, line, std::move(left), tuple(true, {}, false));
    NodePtr node = make(NodeKind::kAssignBlock, line, std::move(left), filter(nullptr, false));
    node->body = statements({"endset"}, true);
    return node;
  }

  NodePtr target(const Names& end_names, bool with_namespace) {
    NodePtr node = tuple(true, end_names, false, with_namespace ? kNamespaceTargets : kTargets);
    check_target(*node);
    return node;
  }
  void check_target(const Node& node) const {
    static constexpr std::pair<NodeKind, const char*> kNames[] = {
        {NodeKind::kConstant, "const"}, {NodeKind::kList, "list"}, {NodeKind::kDict, "dict"}};
    if (node.kind == NodeKind::kName || node.kind == NodeKind::kAttributeTarget) return;
    if (node.kind == NodeKind::kTuple) {
      for (const NodePtr& item : node.items) {
        if (item->kind != NodeKind::kName && item->kind != NodeKind::kAttributeTarget &&
            item->kind != NodeKind::kTuple) {
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

  // Expressions.

  NodePtr expression(bool with_conditional) { return with_conditional ? conditional() : or_expression(); }
  NodePtr conditional() {
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
  NodePtr or_expression() {
    NodePtr left = and_expression();
    for (int count = 0; current().is_name("or"); check_chain(++count)) {
      const int line = next().line;
      left = make(NodeKind::kOr, line, std::move(left), and_expression());
    }
    return left;
  }
  NodePtr and_expression() {
    NodePtr left = not_expression();
    for (int count = 0; current().is_name("and"); check_chain(++count)) {
      const int line = next().line;
      left = make(NodeKind::kAnd, line, std::move(left), not_expression());
    }
    return left;
  }
  /// Chains of operators make deep trees, too.
  void check_chain(int count) const {
    if (count > kMostNesting) {
      fail(ErrorCode::kResourceLimit, "chat template: more than {} operators in a row at line {}", kMostNesting,
           current().line);
    }
  }
  NodePtr not_expression() {
    const Nesting nesting(*this);
    if (!current().is_name("not")) return compare();
    const int line = next().line;
    NodePtr node = make(NodeKind::kUnary, line, not_expression());
    node->op = Operator::kNot;
    return node;
  }
  NodePtr compare() {
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
  using Level = NodePtr (Parser::*)();
  NodePtr left_associative(Level operand, std::initializer_list<std::pair<std::string_view, Operator>> operators) {
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
  NodePtr sum() { return left_associative(&Parser::concat, {{"+", Operator::kAdd}, {"-", Operator::kSubtract}}); }
  NodePtr concat() {
    const int line = current().line;
    NodePtr left = product();
    if (!current().is_operator("~")) return left;
    NodePtr node = make(NodeKind::kConcat, line, std::move(left));
    while (skip_operator("~")) node->items.push_back(product());
    return node;
  }
  NodePtr product() {
    return left_associative(&Parser::power, {{"*", Operator::kMultiply},
                                             {"/", Operator::kDivide},
                                             {"//", Operator::kFloorDivide},
                                             {"%", Operator::kModulo}});
  }
  NodePtr power() { return left_associative(&Parser::filtered_unary, {{"**", Operator::kPower}}); }
  NodePtr filtered_unary() { return unary(true); }
  NodePtr unary(bool with_filter) {
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
  NodePtr number(const Token& token) {
    NodePtr node = make(NodeKind::kConstant, token.line);
    if (token.type == TokenType::kFloat) {
      node->value = Value::real(std::strtod(token.text.c_str(), nullptr));
      return node;
    }
    const char kind = token.text.size() > 2 ? static_cast<char>(token.text[1] | 0x20) : '0';
    const int base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 10;
    int64_t value = 0;
    const char* first = token.text.data() + (base == 10 ? 0 : 2);
    const auto result = std::from_chars(first, token.text.data() + token.text.size(), value, base);
    const bool fits = result.ec == std::errc();
    if (!fits && base != 10) fail_at("integer literals beyond 64 bits have to be decimal", token.line);
    node->value = fits ? Value::integer(value) : out_.constants.big_int(token.text);
    return node;
  }
  NodePtr primary(bool with_namespace) {
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
  enum Targets { kNoTargets, kTargets, kNamespaceTargets };
  bool is_tuple_end(const Names& end_names) const {
    const Token& token = current();
    return token.type == TokenType::kVariableEnd || token.type == TokenType::kBlockEnd || token.is_operator(")") ||
           (token.type == TokenType::kName && is_one_of(token.text, end_names));
  }
  NodePtr tuple(bool with_conditional, const Names& end_names, bool parentheses, Targets targets = kNoTargets) {
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
  NodePtr list() {
    NodePtr node = make(NodeKind::kList, next().line);
    while (!current().is_operator("]")) {
      if (!node->items.empty()) expect_operator(",");
      if (current().is_operator("]")) break;
      node->items.push_back(expression(true));
    }
    expect_operator("]");
    return node;
  }
  NodePtr dict() {
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
  NodePtr postfix(NodePtr node) {
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
  NodePtr filters(NodePtr node) {
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
  NodePtr subscript(NodePtr object) {
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
  NodePtr subscribed() {
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
  std::unique_ptr<CallArguments> call_arguments() {
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
  NodePtr call(NodePtr callee) {
    NodePtr node = make(NodeKind::kCall, current().line, std::move(callee));
    node->arguments = call_arguments();
    return node;
  }
  std::string dotted_name() {
    std::string name = expect_name().text;
    while (skip_operator(".")) name += "." + expect_name().text;
    return name;
  }
  /// With `inline_start` a filter comes without a bar before it. Null when there is none.
  NodePtr filter(NodePtr node, bool inline_start) {
    while (current().is_operator("|") || inline_start) {
      if (!inline_start) next();
      node = one_filter(std::move(node));
      inline_start = false;
    }
    return node;
  }
  NodePtr one_filter(NodePtr operand) {
    NodePtr node = make(NodeKind::kFilter, current().line, std::move(operand));
    node->value = constant(dotted_name());
    node->arguments = current().is_operator("(") ? call_arguments() : std::make_unique<CallArguments>();
    return node;
  }
  NodePtr test(NodePtr operand) {
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

  std::vector<Token> tokens_;
  Template& out_;
  size_t at_ = 0;
  int nesting_ = 0;
  std::string_view keyword_;  // of the statement that is being parsed
  std::vector<Names> end_names_;
  std::vector<std::string> tags_;
};

}  // namespace

std::unique_ptr<Template> parse_template(std::string_view source) {
  auto made = std::make_unique<Template>();
  made->body = Parser(tokenize(source), *made).run();
  check_names(made->body);
  return made;
}

}  // namespace gamut::jinja
