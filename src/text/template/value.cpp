#include "text/template/value.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "text/template/objects.h"

namespace gamut::jinja {

void Object::charge_more(size_t bytes) {
  if (owner_ == nullptr) return;
  owner_->budget().allocate(bytes);
  charged_ += bytes;
}

Heap::~Heap() {
  while (!tracked_.empty()) {
    Object* object = tracked_.back();
    tracked_.pop_back();
    object->retain();
    object->clear();
    object->release();
  }
}

void Heap::untrack(Object* object) noexcept {
  auto found = std::find(tracked_.rbegin(), tracked_.rend(), object);  // mostly the last
  if (found != tracked_.rend()) tracked_.erase(std::next(found).base());
}

void Heap::refuse_nesting(Object* made) {
  destroy(made);
  fail(ErrorCode::kResourceLimit, "chat template: values nested deeper than {} levels", kMostNesting);
}

// What an object holds is destroyed one after the other, however deep it is nested.
void Heap::destroy(Object* object) noexcept {
  object->next_ = to_destroy_;
  to_destroy_ = object;
  if (destroying_) return;
  destroying_ = true;
  while (to_destroy_ != nullptr) {
    Object* next = to_destroy_;
    to_destroy_ = next->next_;
    budget_.free(next->charged_);
    delete next;
  }
  destroying_ = false;
}

Value Heap::string(std::string text) {
  budget_.touch(text.size());
  const size_t bytes = text.capacity();
  return make_value<String>(bytes, std::move(text));
}

Value Heap::markup(std::string text) {
  const size_t bytes = text.capacity();
  return make_value<String>(bytes, std::move(text), true);
}

Value Heap::list(std::vector<Value> items) {
  const size_t bytes = items.capacity() * sizeof(Value);
  return make_value<Array>(bytes, Type::kList, std::move(items));
}

Value Heap::tuple(std::vector<Value> items) {
  const size_t bytes = items.capacity() * sizeof(Value);
  return make_value<Array>(bytes, Type::kTuple, std::move(items));
}

ConstantPool::~ConstantPool() {
  for (Object* object : objects_) delete object;
}

Value ConstantPool::keep(Object* object) {
  std::unique_ptr<Object> owner(object);
  objects_.push_back(object);
  static_cast<void>(owner.release());
  object->make_immortal();
  return Value::adopt(object);
}

Value ConstantPool::string(std::string text) {
  auto* made = new String(std::move(text));
  // Threads share it: what it would work out later is worked out now.
  made->length();
  made->hash();
  return keep(made);
}

Value ConstantPool::big_int(BigInteger value) { return keep(new BigInt(std::move(value))); }

}  // namespace gamut::jinja
