// The variables of one scope, while scopes are being resolved.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "text/template/ast.h"

namespace gamut::jinja {

/// What gets an activation when it is called. A variable is named by the level of its scope and its name, so that
/// scopes next to each other share it.
struct ScopeFunction {
  explicit ScopeFunction(const ScopeFunction* around) : outer(around) {}
  const ScopeFunction* outer;
  std::map<std::pair<int, std::string>, int> variables;
};

class Symbols {
 public:
  struct Reference {
    const ScopeFunction* function = nullptr;
    int index = -1;
  };

  Symbols(ScopeFunction& function, const Symbols* parent);

  /// The variable of a name; null when neither this scope nor one around it knows it.
  const Reference* find(const std::string& name) const;
  /// As above. Raises AssertionError, with Jinja's text, when there is none.
  Slot slot(const std::string& name) const;

  void load(const std::string& name);
  void store(const std::string& name);
  int declare_parameter(const std::string& name);
  /// Takes over what happened in the branches of an `if`, which began as copies.
  void merge(const std::vector<Symbols>& branches);

  /// What to do where the scope begins and ends; names are made in the pool.
  Scope scope(ConstantPool& pool) const;
  /// The variables set by this scope and those around it.
  std::vector<Load> locals(ConstantPool& pool) const;
  ScopeFunction& function() const { return *function_; }

 private:
  enum class Begin { kParameter, kResolve, kAlias, kMissing };
  struct Origin {
    Begin begin;
    Reference from;
    std::string name;
  };
  Reference define(const std::string& name, Begin begin, Reference from);
  Slot slot_of(const Reference& reference) const;

  ScopeFunction* function_;
  const Symbols* parent_;
  int level_;
  std::map<std::string, Reference> references_;
  std::map<int, Origin> origins_;  // by index
  std::set<std::string> stores_;
};

}  // namespace gamut::jinja
