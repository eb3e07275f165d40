#include "text/template/frames.h"

#include "text/template/operators.h"

namespace gamut::jinja {

Context::Context(Heap& heap, Value of_template, Value of_request)
    : Object(Type::kContext), variables(std::move(of_template)), parent(std::move(of_request)) {
  heap.track(this);
}

Context::~Context() {
  if (heap() != nullptr) heap()->untrack(this);
}

// What `self` leads to may be in a variable of the context that `self` leads to.
void Context::clear() noexcept { variables = parent = Value(); }

Activation::Activation(Heap& heap, const Scope& scope, Value around, Value with)
    : Object(Type::kActivation),
      variables(static_cast<size_t>(scope.activation)),
      outer(std::move(around)),
      context(std::move(with)) {
  heap.track(this);
}

Activation::~Activation() {
  if (heap() != nullptr) heap()->untrack(this);
}

void Activation::clear() noexcept {
  variables.clear();
  outer = Value();
  context = Value();
}

Loop::Loop(Heap& heap, Value over, int depth) : Object(Type::kLoop), iterable(std::move(over)), depth0(depth) {
  iterator = Value::adopt(iterate(heap, iterable));
  heap.track(this);
}

Loop::~Loop() {
  if (heap() != nullptr) heap()->untrack(this);
}

void Loop::clear() noexcept {
  for (Value* held : {&iterable, &iterator, &before, &current, &after, &last_changed, &scope}) *held = Value();
}

bool Loop::peek() {
  if (!after.is_missing()) return true;
  const Value keep = iterator;  // what it runs may ask for the length, which replaces it
  Value next;
  if (!keep.as<Iterator>().next(next)) return false;
  after = std::move(next);
  return true;
}

bool Loop::next(Value& item) {
  if (!peek()) return false;
  item = std::move(after);
  after = Value();
  ++index0;
  before = std::move(current);
  current = item;
  return true;
}

int64_t Loop::length() {
  if (known_length >= 0) return known_length;
  if (!iterable.is(Type::kIterator) && !iterable.is(Type::kLoop)) return known_length = length_of(iterable);
  std::vector<Value> rest = to_vector(*heap(), iterator);
  known_length = static_cast<int64_t>(rest.size()) + index0 + 1 + (after.is_missing() ? 0 : 1);
  iterator = Value::adopt(iterate(*heap(), heap()->list(std::move(rest))));
  return known_length;
}

}  // namespace gamut::jinja
