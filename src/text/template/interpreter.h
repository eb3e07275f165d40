// Runs a template: statements and expressions over values, within a budget.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "text/template/arguments.h"
#include "text/template/ast.h"
#include "text/template/objects.h"

namespace gamut::jinja {

/// Where the assistant speaks, in characters of the output.
struct Generation {
  size_t begin, end;
};

class Activation;
class Context;
class Macro;
class Loop;

class Interpreter {
 public:
  /// `variables` is a dict; templates see its entries.
  Interpreter(Heap& heap, Value variables) : heap_(heap), variables_(std::move(variables)) {}
  std::string run(const Template& source);
  const std::vector<Generation>& generations() const { return generations_; }
  Heap& heap() { return heap_; }

  Value call(const Value& callee, Arguments arguments);
  Value call_method(const Value& self, const std::string& name, const Arguments& arguments);
  /// By name, as the filters `map` and `select` do. Raises TemplateRuntimeError for a name that is not there.
  Value call_filter(const std::string& name, const Value& operand, Arguments arguments);
  bool call_test(const std::string& name, const Value& operand, Arguments arguments);
  Value attribute(const Value& object, const Value& name);
  Value item(const Value& object, const Value& index);
  Value undefined(std::string hint) { return heap_.make_value<Undefined>(0, std::move(hint)); }
  bool autoescapes() const { return autoescape_; }
  /// A text as markup where the template escapes.
  Value text_value(std::string text) {
    return autoescape_ ? heap_.markup(std::move(text)) : heap_.string(std::move(text));
  }

 private:
  friend class FilteredItems;
  enum class Flow { kNormal, kBreak, kContinue };
  struct ScopeGuard;

  Flow run_all(const Nodes& nodes);
  Flow run_one(const Node& node);
  Flow run_for(const Node& node);
  Flow run_autoescape(const Node& node);
  Flow run_filter_block(const Node& node);
  Flow run_assign_block(const Node& node);
  void output(const Node& node);
  void run_call_block(const Node& node);
  void run_generation(const Node& node);
  void run_with(const Node& node);
  void run_block(const Node& node);
  void run_block_in(const Node& node, const Value& context);
  void set_item(const Value& object, const Value& name, const Value& value);
  void write(const Value& value);
  void check_output() { heap_.budget().check_output(out_->size()); }

  void enter(const Scope& scope);
  void leave(const Scope& scope);
  Value& variable(Slot slot);
  Value resolve(const Value& name);
  Value new_activation(const Scope& scope, Value outer, const Value& context);
  void assign(const Node& target, const Value& value);
  void unpack(const Node& target, const Value& value);
  void export_names(const Node& target);
  /// Raises TemplateRuntimeError for a target whose object is no namespace.
  void check_namespaces(const Node& target);

  Flow loop_over(const Node& node, const Value& iterable, int depth);
  Value recurse(const Loop& loop, const Value& iterable, int depth);
  Value call_macro(const Macro& macro, Arguments arguments);
  void bind_parameters(const Macro& macro, Arguments& arguments, Activation& scope);
  Value call_block(const Node& node, const Value& context);

  Value eval(const Node& node);
  Value eval_inner(const Node& node);
  Value name(const Node& node);
  Value conditional(const Node& node);
  Value dict(const Node& node);
  Value comparison(const Node& node);
  Value concatenation(const Node& node);
  Value filter(const Node& node, const Value& operand);
  Value filter_chain(const Node* outermost, Value value);
  bool test(const Node& node, const Value& operand);
  std::vector<Value> all(const Nodes& nodes);
  Arguments arguments(const CallArguments& from);
  bool find_block(const Value& object, const std::string& name, Value& found);
  bool find_part_of_number(const Value& object, const std::string& name, Value& found);
  bool find_attribute_of_loop(const Value& object, const std::string& name, Value& found);
  bool find_attribute_of_macro(const Value& object, const std::string& name, Value& found);
  bool find_attribute(const Value& object, const std::string& name, Value& found);
  bool find_item(const Value& object, const Value& index, Value& found);
  Value call_function(const std::string& name, Arguments& arguments);

  Heap& heap_;
  Value variables_;
  Value scope_;  // the activation
  const Template* template_ = nullptr;
  std::string root_out_;
  std::string* out_ = &root_out_;
  std::vector<Generation> generations_;
  size_t counted_bytes_ = 0, counted_characters_ = 0;  // of root_out_
  int depth_ = 0, call_depth_ = 0, line_ = 0;
  bool autoescape_ = false;
};

}  // namespace gamut::jinja
