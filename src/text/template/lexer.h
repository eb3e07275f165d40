// Template text to tokens, as Jinja's lexer with trim_blocks and lstrip_blocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gamut::jinja {

enum class TokenType : uint8_t {
  kData,
  kVariableBegin,
  kVariableEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,
  kInteger,
  kFloat,
  kOperator,
  kEnd
};

struct Token {
  TokenType type;
  int line;
  std::string text;  ///< a string's content unescaped, a number without underscores

  bool is_operator(std::string_view op) const { return type == TokenType::kOperator && text == op; }
  bool is_name(std::string_view name) const { return type == TokenType::kName && text == name; }
};

/// The tokens, the last of them kEnd. Raises TemplateSyntaxError where Jinja does; `source` is valid UTF-8.
std::vector<Token> tokenize(std::string_view source);

}  // namespace gamut::jinja
