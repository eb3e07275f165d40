// Values of a template with the semantics of Python's: small ones in place, the others counted objects of a heap.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/template/budget.h"

namespace gamut::jinja {

enum class Type : uint8_t {
  kMissing,  ///< no value at all: a variable that has not been set
  kNone,
  kBool,
  kInt,
  kFloat,
  // From here on objects.
  kUndefined,
  kString,
  kBigInt,
  kList,
  kTuple,
  kDict,
  kDictView,
  kRange,
  kIterator,
  kNamespace,
  kContext,
  kActivation,
  kMacro,
  kLoop,
  kCycler,
  kJoiner,
  kFunction,
  kMethod,
  kBlockReference,
  kTemplateReference,
};

class BigInteger;
class Heap;
class Value;

/// What lives on a heap. Counted; an immortal one (a constant of the template, which threads share) is never written.
class Object {
 public:
  explicit Object(Type type) : type_(type) {}
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  Type type() const { return type_; }
  void retain() noexcept {
    if (count_ != kImmortal) ++count_;
  }
  inline void release() noexcept;
  bool is_unshared() const { return count_ == 1; }
  void make_immortal() { count_ = kImmortal; }
  /// How deep the values inside are nested; bounded, so that all that goes through values may recurse.
  int nesting() const { return nesting_; }

  /// Lets go of other values, where they may be part of a cycle.
  virtual void clear() noexcept {}

 protected:
  Heap* heap() const { return owner_; }
  /// Accounts for memory that the object took after it was made.
  void charge_more(size_t bytes);
  /// `inner` is one of the values inside.
  inline void nest(const Value& inner);

 private:
  friend class Heap;
  static constexpr uint32_t kImmortal = UINT32_MAX;
  Heap* owner_ = nullptr;
  size_t charged_ = 0;
  Object* next_ = nullptr;  // among those to destroy
  uint32_t count_ = 1;
  uint16_t nesting_ = 0;
  Type type_;
};

/// A value. Copying costs at most a count.
class Value {
 public:
  Value() : type_(Type::kMissing), integer_(0) {}
  static Value none() { return Value(Type::kNone, 0); }
  static Value boolean(bool b) { return Value(Type::kBool, b ? 1 : 0); }
  static Value integer(int64_t i) { return Value(Type::kInt, i); }
  static Value real(double d) {
    Value v(Type::kFloat, 0);
    v.real_ = d;
    return v;
  }
  /// Takes over the one count that a new object has.
  static Value adopt(Object* object) {
    Value v(object->type(), 0);
    v.object_ = object;
    return v;
  }
  /// Shares the object.
  static Value share(const Object* object) {
    const_cast<Object*>(object)->retain();
    return adopt(const_cast<Object*>(object));
  }

  Value(const Value& other) noexcept : type_(other.type_), integer_(other.integer_) {
    if (is_object()) object_->retain();
  }
  Value(Value&& other) noexcept : type_(other.type_), integer_(other.integer_) { other.type_ = Type::kMissing; }
  Value& operator=(const Value& other) noexcept {
    Value copy(other);
    swap(copy);
    return *this;
  }
  Value& operator=(Value&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Value() {
    if (is_object()) object_->release();
  }
  void swap(Value& other) noexcept {
    std::swap(type_, other.type_);
    std::swap(integer_, other.integer_);
  }

  Type type() const { return type_; }
  bool is(Type type) const { return type_ == type; }
  bool is_missing() const { return type_ == Type::kMissing; }
  bool is_none() const { return type_ == Type::kNone; }
  bool is_undefined() const { return type_ == Type::kUndefined; }
  bool is_string() const { return type_ == Type::kString; }
  bool is_object() const { return type_ >= Type::kUndefined; }
  /// An int or a bool, which is an int in Python.
  bool is_integral() const { return type_ == Type::kInt || type_ == Type::kBool; }
  bool is_number() const { return is_integral() || type_ == Type::kFloat || type_ == Type::kBigInt; }
  /// A list or a tuple.
  bool is_array() const { return type_ == Type::kList || type_ == Type::kTuple; }

  bool as_bool() const { return integer_ != 0; }
  int64_t as_int() const { return integer_; }
  double as_real() const { return real_; }
  Object* object() const { return object_; }
  template <typename T>
  T& as() const {
    return *static_cast<T*>(object_);
  }
  /// Whether both are the very same object (Python's `is`).
  bool same_as(const Value& other) const {
    return type_ == other.type_ && (type_ == Type::kFloat ? false : integer_ == other.integer_);
  }

 private:
  Value(Type type, int64_t bits) : type_(type), integer_(bits) {}
  Type type_;
  union {
    int64_t integer_;
    double real_;
    Object* object_;
  };
};

inline void Object::nest(const Value& inner) {
  if (inner.is_object() && inner.object()->nesting_ >= nesting_) nesting_ = inner.object()->nesting_ + 1;
}

/// Makes objects and destroys them, and accounts for their memory.
class Heap {
 public:
  explicit Heap(Budget& budget) : budget_(budget) {}
  ~Heap();
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  Budget& budget() { return budget_; }

  /// A new object; `extra` is the memory that it holds beside itself.
  template <typename T, typename... Args>
  T* make(size_t extra, Args&&... args) {
    const size_t bytes = sizeof(T) + kOverhead + extra;
    budget_.allocate(bytes);
    T* made;
    try {
      made = new T(std::forward<Args>(args)...);
    } catch (...) {
      budget_.free(bytes);
      throw;
    }
    made->owner_ = this;
    made->charged_ = bytes;
    if (made->nesting_ > kMostNesting) refuse_nesting(made);
    return made;
  }
  template <typename T, typename... Args>
  Value make_value(size_t extra, Args&&... args) {
    return Value::adopt(make<T>(extra, std::forward<Args>(args)...));
  }

  Value string(std::string text);
  Value string(std::string_view text) { return string(std::string(text)); }
  Value string(const char* text) { return string(std::string(text)); }
  Value markup(std::string text);
  Value list(std::vector<Value> items);
  Value tuple(std::vector<Value> items);

  /// Objects that can be part of a cycle are cleared at the end of the rendering.
  void track(Object* object) { tracked_.push_back(object); }
  void untrack(Object* object) noexcept;

 private:
  friend class Object;
  static constexpr size_t kOverhead = 16;  // of the allocator
  static constexpr int kMostNesting = 500;
  [[noreturn]] void refuse_nesting(Object* made);
  void destroy(Object* object) noexcept;

  Budget& budget_;
  Object* to_destroy_ = nullptr;
  bool destroying_ = false;
  std::vector<Object*> tracked_;
};

inline void Object::release() noexcept {
  if (count_ != kImmortal && --count_ == 0) owner_->destroy(this);
}

/// The constants of a template: immortal objects, freed with it.
class ConstantPool {
 public:
  ConstantPool() = default;
  ~ConstantPool();
  ConstantPool(const ConstantPool&) = delete;
  ConstantPool& operator=(const ConstantPool&) = delete;

  Value string(std::string text);
  Value big_int(BigInteger value);

 private:
  Value keep(Object* object);
  std::vector<Object*> objects_;
};

}  // namespace gamut::jinja
