// The exceptions that a template can raise, by the names and texts that Python and Jinja give them.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace gamut::jinja {

/// The Python class of an exception.
enum class ExceptionType : uint8_t {
  kTemplateError,  ///< what raise_exception raises
  kTemplateSyntaxError,
  kTemplateAssertionError,
  kTemplateRuntimeError,
  kTemplateNotFound,
  kUndefinedError,
  kSecurityError,
  kFilterArgumentError,
  kAssertionError,
  kAttributeError,
  kIndexError,
  kKeyError,
  kOverflowError,
  kRuntimeError,
  kTypeError,
  kValueError,
  kZeroDivisionError,
};

/// `kTypeError` -> "TypeError".
std::string_view exception_name(ExceptionType type);

/// What a template raises. It becomes a gamut::Error where the rendering was asked for.
struct Exception {
  ExceptionType type;
  std::string message;  ///< what str() of the Python exception gives
  int line = 0;         ///< of the template, from 1; 0: not known yet

  bool is(ExceptionType other) const { return type == other; }
  bool is_lookup_error() const { return is(ExceptionType::kKeyError) || is(ExceptionType::kIndexError); }
};

/// Throws Exception{type, message}. The message is formatted as by fmt.
template <typename... Args>
[[noreturn]] void raise(ExceptionType type, fmt::format_string<Args...> message, Args&&... args) {
  throw Exception{type, fmt::format(message, std::forward<Args>(args)...)};
}
template <typename... Args>
[[noreturn]] void type_error(fmt::format_string<Args...> message, Args&&... args) {
  throw Exception{ExceptionType::kTypeError, fmt::format(message, std::forward<Args>(args)...)};
}
template <typename... Args>
[[noreturn]] void value_error(fmt::format_string<Args...> message, Args&&... args) {
  throw Exception{ExceptionType::kValueError, fmt::format(message, std::forward<Args>(args)...)};
}

}  // namespace gamut::jinja
