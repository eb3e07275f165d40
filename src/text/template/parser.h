// Tokens to a tree, as Jinja's parser makes it and with its messages.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/template/ast.h"
#include "text/template/lexer.h"

namespace gamut::jinja {

using Names = std::vector<std::string_view>;

constexpr int kMostNesting = 256;

class Parser {
 public:
  Parser(std::vector<Token> tokens, Template& out) : tokens_(std::move(tokens)), out_(out) {}

  Nodes run() { return subparse({}); }

 private:
  const Token& current() const { return tokens_[at_]; }
  const Token& look() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const Token& next();
  bool skip_operator(std::string_view op) { return current().is_operator(op) && (next(), true); }
  bool skip_name(std::string_view name) { return current().is_name(name) && (next(), true); }

  [[noreturn]] void fail_at(std::string message, int line) const;
  static std::string describe(const Token& token);
  [[noreturn]] void unexpected(const std::string& expected) const;
  void expect_operator(std::string_view op);
  void expect_end(TokenType type, const char* what);
  Token expect_name();

  static NodePtr make(NodeKind kind, int line) { return std::make_unique<Node>(kind, line); }
  template <typename... Items>
  static NodePtr make(NodeKind kind, int line, Items... items) {
    NodePtr node = std::make_unique<Node>(kind, line);
    (node->items.push_back(std::move(items)), ...);
    return node;
  }
  static NodePtr make_operation(Operator op, int line, NodePtr left, NodePtr right);
  Value constant(std::string text) { return out_.constants.string(std::move(text)); }

  /// Refuses more nesting, before the stack does.
  struct Nesting {
    explicit Nesting(Parser& p);
    ~Nesting() { --parser.nesting_; }
    Parser& parser;
  };

  // Statements.

  Nodes subparse(const Names& end_names);
  static bool is_one_of(std::string_view name, const Names& names);

  /// The body of a statement up to a tag of one of the names, which is left to be read; `drop` reads its name.
  Nodes statements(const Names& end_names, bool drop);

  [[noreturn]] void fail_unknown(const std::string* name, int line) const;

  NodePtr statement();

  NodePtr for_statement(int line);
  NodePtr if_statement(int line);
  NodePtr with(int line);
  NodePtr autoescape(int line);
  NodePtr block(int line);
  NodePtr include(int line);
  NodePtr extends(int line);
  NodePtr import(int line);
  NodePtr from(int line);
  bool context_modifier();
  void check_required(const Node& block) const;
  NodePtr print(int line);
  void signature(Node& node);
  Token name_target();
  void check_assignable(const std::string& name, int line) const;
  NodePtr macro(int line);
  NodePtr call_block(int line);
  NodePtr generation(int line);
  NodePtr filter_block(int line);
  NodePtr loop_control(int line);
  NodePtr set(int line);

  NodePtr target(const Names& end_names, bool with_namespace);
  void check_target(const Node& node) const;

  // Expressions.

  NodePtr expression(bool with_conditional) { return with_conditional ? conditional() : or_expression(); }
  NodePtr conditional();
  NodePtr or_expression();
  NodePtr and_expression();
  /// Chains of operators make deep trees, too.
  void check_chain(int count) const;
  NodePtr not_expression();
  NodePtr compare();
  using Level = NodePtr (Parser::*)();
  NodePtr left_associative(Level operand, std::initializer_list<std::pair<std::string_view, Operator>> operators);
  NodePtr sum();
  NodePtr concat();
  NodePtr product();
  NodePtr power() { return left_associative(&Parser::filtered_unary, {{"**", Operator::kPower}}); }
  NodePtr filtered_unary() { return unary(true); }
  NodePtr unary(bool with_filter);
  NodePtr number(const Token& token);
  NodePtr primary(bool with_namespace);
  enum Targets { kNoTargets, kTargets, kNamespaceTargets };
  bool is_tuple_end(const Names& end_names) const;
  NodePtr tuple(bool with_conditional, const Names& end_names, bool parentheses, Targets targets = kNoTargets);
  NodePtr list();
  NodePtr dict();
  NodePtr postfix(NodePtr node);
  NodePtr filters(NodePtr node);
  NodePtr subscript(NodePtr object);
  NodePtr subscribed();
  std::unique_ptr<CallArguments> call_arguments();
  NodePtr call(NodePtr callee);
  std::string dotted_name();
  /// With `inline_start` a filter comes without a bar before it. Null when there is none.
  NodePtr filter(NodePtr node, bool inline_start);
  NodePtr one_filter(NodePtr operand);
  NodePtr test(NodePtr operand);

  std::vector<Token> tokens_;
  Template& out_;
  size_t at_ = 0;
  int nesting_ = 0;
  std::string_view keyword_;  // of the statement that is being parsed
  std::vector<Names> end_names_;
  std::vector<std::string> tags_;
};

}  // namespace gamut::jinja
