#include "text/template/parser.h"

#include <algorithm>

#include "base/error.h"
#include "text/template/exception.h"
#include "text/template/repr.h"
#include "text/template/scopes.h"

namespace gamut::jinja {

Parser::Nesting::Nesting(Parser& p) : parser(p) {
  if (++parser.nesting_ > kMostNesting) {
    fail(ErrorCode::kResourceLimit, "chat template: nested deeper than {} levels at line {}", kMostNesting,
         parser.current().line);
  }
}

const Token& Parser::next() {
  const Token& token = current();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

[[noreturn]] void Parser::fail_at(std::string message, int line) const {
  throw Exception{ExceptionType::kTemplateSyntaxError, std::move(message), line};
}

std::string Parser::describe(const Token& token) {
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

[[noreturn]] void Parser::unexpected(const std::string& expected) const {
  if (current().type == TokenType::kEnd) {
    fail_at(fmt::format("unexpected end of template, expected {}.", quoted(expected)), current().line);
  }
  fail_at(fmt::format("expected token {}, got {}", quoted(expected), quoted(describe(current()))), current().line);
}

void Parser::expect_operator(std::string_view op) {
  if (!skip_operator(op)) unexpected(std::string(op));
}

void Parser::expect_end(TokenType type, const char* what) {
  if (current().type != type) unexpected(what);
  next();
}

Token Parser::expect_name() {
  if (current().type != TokenType::kName) unexpected("name");
  return next();
}

NodePtr Parser::make_operation(Operator op, int line, NodePtr left, NodePtr right) {
  NodePtr node = make(NodeKind::kBinary, line, std::move(left), std::move(right));
  node->op = op;
  return node;
}

bool Parser::is_one_of(std::string_view name, const Names& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void Parser::check_chain(int count) const {
  if (count > kMostNesting) {
    fail(ErrorCode::kResourceLimit, "chat template: more than {} operators in a row at line {}", kMostNesting,
         current().line);
  }
}

std::unique_ptr<Template> parse_template(std::string_view source) {
  auto made = std::make_unique<Template>();
  made->body = Parser(tokenize(source), *made).run();
  resolve_scopes(*made);
  return made;
}

}  // namespace gamut::jinja
