// The kinds of objects that templates work with, apart from those that only the interpreter makes.
#pragma once

#include <optional>

#include "text/template/big_integer.h"
#include "text/template/exception.h"
#include "text/template/value.h"

namespace gamut::jinja {

/// str: UTF-8, counted and indexed in code points.
class String : public Object {
 public:
  explicit String(std::string text, bool markup = false)
      : Object(Type::kString), text_(std::move(text)), is_markup_(markup) {}
  const std::string& text() const { return text_; }
  /// Count of code points.
  size_t length() const;
  bool is_ascii() const { return length() == text_.size(); }
  size_t hash() const;
  /// Of markupsafe.Markup: what is added to it gets escaped.
  bool is_markup() const { return is_markup_; }
  /// Adds to the text; only for one that nobody shares.
  void append(std::string_view more);

 private:
  std::string text_;
  mutable size_t length_ = SIZE_MAX;
  mutable size_t hash_ = 0;
  bool is_markup_;
};

inline const std::string& text_of(const Value& v) { return v.as<String>().text(); }

/// A whole number beyond 64 bits.
class BigInt : public Object {
 public:
  explicit BigInt(BigInteger value) : Object(Type::kBigInt), value_(std::move(value)) {}
  const BigInteger& value() const { return value_; }

 private:
  BigInteger value_;
};

/// A value that is not there: it can be printed, iterated and tested; anything else raises.
class Undefined : public Object {
 public:
  explicit Undefined(Value of_name) : Object(Type::kUndefined), name(std::move(of_name)) {}
  explicit Undefined(std::string why, ExceptionType raised = ExceptionType::kUndefinedError)
      : Object(Type::kUndefined), hint(std::move(why)), exception(raised) {}
  Undefined(Value of, Value of_name) : Object(Type::kUndefined), object(std::move(of)), name(std::move(of_name)) {}
  std::string message() const;
  [[noreturn]] void fail() const { throw Exception{exception, message()}; }

  std::string hint;
  Value object;  ///< whose attribute or item was asked for, or missing
  Value name;
  ExceptionType exception = ExceptionType::kUndefinedError;
};

/// A list or a tuple; templates cannot change either.
class Array : public Object {
 public:
  Array(Type type, std::vector<Value> items) : Object(type), items_(std::move(items)) {
    for (const Value& item : items_) nest(item);
  }
  const std::vector<Value>& items() const { return items_; }
  /// For what `groupby` gives: its two items have names.
  bool is_group = false;

 private:
  std::vector<Value> items_;
};

inline const std::vector<Value>& items_of(const Value& v) { return v.as<Array>().items(); }

/// dict: keeps the order of insertion. Changed only while it is being made.
class Dict : public Object {
 public:
  struct Entry {
    Value key, value;
    size_t hash;
  };
  Dict() : Object(Type::kDict) {}
  const std::vector<Entry>& entries() const { return entries_; }
  size_t size() const { return entries_.size(); }
  /// Adds or replaces. Raises TypeError for a key that cannot be hashed.
  void set(const Value& key, Value value);
  /// The value, or null. Raises as above.
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  bool remove(std::string_view key);

 private:
  template <typename Same>
  const Entry* find_entry(size_t hash, Same same) const;
  void rebuild_index();
  std::vector<Entry> entries_;
  std::vector<uint32_t> index_;  // positions + 1 by hash, once there are many
};

/// What dict.keys(), values() and items() give.
class DictView : public Object {
 public:
  enum class Part { kKeys, kValues, kItems };
  DictView(Value of, Part which) : Object(Type::kDictView), dict(std::move(of)), part(which) { nest(dict); }
  Value dict;
  Part part;
};

class Range : public Object {
 public:
  Range(int64_t start, int64_t stop, int64_t step);
  int64_t at(int64_t index) const { return start + index * step; }
  int64_t start, stop, step, length;
};

/// A Python iterator: gives each item once.
class Iterator : public Object {
 public:
  explicit Iterator(const char* name) : Object(Type::kIterator), type_name(name) {}
  /// False at the end.
  virtual bool next(Value& out) = 0;
  const char* type_name;  ///< as "generator"
};

class Namespace : public Object {
 public:
  Namespace(Heap& heap, Value attributes);
  ~Namespace() override;
  void clear() noexcept override { attributes_ = Value(); }
  Dict& attributes() const { return attributes_.as<Dict>(); }
  /// Raises SecurityError for a name with an underscore in front.
  static void check_name(const Value& name);
  void set(const Value& name, Value value);

 private:
  Value attributes_;
};

class Cycler : public Object {
 public:
  explicit Cycler(std::vector<Value> of) : Object(Type::kCycler), items(std::move(of)) {}
  std::vector<Value> items;
  size_t position = 0;
};

class Joiner : public Object {
 public:
  explicit Joiner(Value between) : Object(Type::kJoiner), separator(std::move(between)) {}
  Value separator;
  bool used = false;
};

/// The hash that equal values share. Raises TypeError for one that cannot be hashed.
size_t hash_of(const Value& v);

}  // namespace gamut::jinja
