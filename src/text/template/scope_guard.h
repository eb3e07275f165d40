// How the interpreter changes what it runs in, and comes back.
#pragma once

#include <string>
#include <utility>

#include "text/template/interpreter.h"

namespace gamut::jinja {

/// An activation and, where asked for, an output of its own, until the end of a block.
struct Interpreter::ScopeGuard {
  ScopeGuard(Interpreter& of, Value scope, std::string* out = nullptr)
      : interpreter(of), old_scope(std::exchange(of.scope_, std::move(scope))), old_out(of.out_) {
    if (out != nullptr) of.out_ = out;
  }
  ~ScopeGuard() {
    interpreter.scope_ = std::move(old_scope);
    interpreter.out_ = old_out;
  }
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;

  Interpreter& interpreter;
  Value old_scope;
  std::string* old_out;
};

}  // namespace gamut::jinja
