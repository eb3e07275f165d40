// Runs a template: statements and expressions over values, within a budget.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "text/template/ast.h"
#include "text/template/objects.h"

namespace gamut::jinja {

/// What a call passes on.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

/// The variables of a scope; scopes inside see them.
class Activation : public Object {
 public:
  Activation(Heap& heap, Value outer);
  ~Activation() override;
  void clear() noexcept override;
  const Value* find(const Value& name) const;
  void set(const Value& name, Value value);
  void forget() { variables_.clear(); }

 private:
  std::vector<std::pair<Value, Value>> variables_;
  Value outer_;
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
  Loop(Heap& heap, const Value& iterable, int depth);
  bool next(Value& item);
  int64_t length();
  bool is_last() { return !peek(); }

  Heap& heap;
  Value iterable, iterator, before, current, after, last_changed;
  int64_t index0 = -1, known_length = -1;
  int depth0;
  const Node* recursive = nullptr;  ///< what loop(…) runs again
  Value scope;

 private:
  bool peek();
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

/// Where the assistant speaks, in bytes of the output.
struct ByteSpan {
  size_t begin, end;
};

class Interpreter {
 public:
  Interpreter(Heap& heap, Dict& variables) : heap_(heap), variables_(variables) {}
  std::string run(const Template& source);
  const std::vector<ByteSpan>& generations() const { return generations_; }
  Heap& heap() { return heap_; }

  Value call(const Value& callee, Arguments arguments);
  Value call_method(const Value& self, const std::string& name, Arguments arguments);
  Value call_filter(const std::string& name, const Value& operand, Arguments arguments);
  bool call_test(const std::string& name, const Value& operand, Arguments arguments);
  Value attribute(const Value& object, const Value& name);
  Value item(const Value& object, const Value& index);
  Value undefined(std::string hint) { return heap_.make_value<Undefined>(0, std::move(hint)); }
  int line() const { return line_; }

 private:
  enum class Flow { kNormal, kBreak, kContinue };
  struct ScopeGuard;

  Flow run_all(const Nodes& nodes);
  Flow run_one(const Node& node);
  Flow run_for(const Node& node);
  void output(const Node& node);
  void assign(const Node& target, const Value& value);
  void run_with(const Node& node);
  Value capture(const Nodes& body, const Value& outer);
  void check_output() { heap_.budget().check_output(out_->size()); }
  Value loop_over(const Node& node, const Value& iterable, int depth, bool captured, Flow* flow);
  Value call_macro(const Macro& macro, Arguments arguments);
  void bind_parameters(const Macro& macro, Arguments& arguments, Activation& scope);

  Value eval(const Node& node);
  Value eval_inner(const Node& node);
  Value name(const Node& node);
  Value dict(const Node& node);
  Value comparison(const Node& node);
  Value concatenation(const Node& node);
  Value filter(const Node& node, const Value& operand);
  std::vector<Value> all(const Nodes& nodes);
  Arguments arguments(const CallArguments& from);
  bool find_attribute(const Value& object, const std::string& name, Value& found);
  bool find_item(const Value& object, const Value& index, Value& found);
  Value call_function(const std::string& name, Arguments& arguments);
  Value new_scope(const Value& outer) { return heap_.make_value<Activation>(0, heap_, outer); }

  Heap& heap_;
  Dict& variables_;
  Value scope_;
  std::string root_out_;
  std::string* out_ = &root_out_;
  std::vector<ByteSpan> generations_;
  int depth_ = 0, call_depth_ = 0, line_ = 0;
  bool autoescape_ = false;
};

/// The arguments of a function by its Python signature. A parameter without a default is missing in `defaults`.
std::vector<Value> bind(const char* function, std::initializer_list<std::pair<const char*, Value>> parameters,
                        const Arguments& given, size_t hidden = 0);

}  // namespace gamut::jinja
