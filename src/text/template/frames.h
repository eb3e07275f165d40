// What the interpreter makes while it runs: activations, macros, loops, references to functions.
#pragma once

#include <string>
#include <vector>

#include "text/template/ast.h"
#include "text/template/objects.h"

namespace gamut::jinja {

/// What names mean that no scope sets: what the top level has set so far, and what the request brings.
class Context : public Object {
 public:
  Context(Heap& heap, Value of_template, Value of_request);
  ~Context() override;
  void clear() noexcept override;

  Value variables, parent;  ///< dicts
};

/// The variables of a function that runs.
class Activation : public Object {
 public:
  Activation(Heap& heap, const Scope& scope, Value around, Value with);
  ~Activation() override;
  void clear() noexcept override;

  std::vector<Value> variables;
  Value outer;  ///< the activation around it, or missing
  Value context;
};

class Macro : public Object {
 public:
  Macro(const Node& of, Value where, Value called)
      : Object(Type::kMacro), node(of), scope(std::move(where)), name(std::move(called)) {}
  const Node& node;
  Value scope;
  Value name;  ///< none for a call block
};

/// The variable `loop`.
class Loop : public Object {
 public:
  Loop(Heap& heap, Value iterable, int depth);
  ~Loop() override;
  void clear() noexcept override;
  bool next(Value& item);
  int64_t length();
  bool is_last() { return !peek(); }

  Value iterable, iterator, before, current, after, last_changed;
  int64_t index0 = -1, known_length = -1;
  int depth0;
  const Node* recursive = nullptr;  ///< what loop(…) runs again
  Value scope;                      ///< around it

 private:
  bool peek();
};

/// What `{% for x in y if test %}` goes over: the items that pass, tested one at a time.
class Interpreter;
class FilteredItems : public Iterator {
 public:
  FilteredItems(Interpreter& interpreter, const Node& loop, Value of, Value tested_in)
      : Iterator("generator"),
        interpreter_(interpreter),
        loop_(loop),
        source_(std::move(of)),
        activation_(std::move(tested_in)) {}
  bool next(Value& out) override;

 private:
  Interpreter& interpreter_;
  const Node& loop_;
  Value source_, activation_;
  bool started_ = false;
};

/// A function that templates find by its name, and a method with what it belongs to.
class Function : public Object {
 public:
  explicit Function(std::string called) : Object(Type::kFunction), name(std::move(called)) {}
  std::string name;
};
class Method : public Object {
 public:
  Method(Value of, std::string called) : Object(Type::kMethod), self(std::move(of)), name(std::move(called)) {}
  Value self;
  std::string name;
};

/// `self`, and `self.block`.
class TemplateReference : public Object {
 public:
  explicit TemplateReference(Value with) : Object(Type::kTemplateReference), context(std::move(with)) {}
  Value context;
};
class BlockReference : public Object {
 public:
  BlockReference(const Node& of, Value with) : Object(Type::kBlockReference), node(of), context(std::move(with)) {}
  const Node& node;
  Value context;
};

}  // namespace gamut::jinja
