#include "text/template/objects.h"

#include <cmath>
#include <functional>

#include "text/template/operators.h"
#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut::jinja {

std::string_view exception_name(ExceptionType type) {
  switch (type) {
    case ExceptionType::kTemplateError: return "TemplateError";
    case ExceptionType::kTemplateSyntaxError: return "TemplateSyntaxError";
    case ExceptionType::kTemplateAssertionError: return "TemplateAssertionError";
    case ExceptionType::kTemplateRuntimeError: return "TemplateRuntimeError";
    case ExceptionType::kTemplateNotFound: return "TemplateNotFound";
    case ExceptionType::kUndefinedError: return "UndefinedError";
    case ExceptionType::kSecurityError: return "SecurityError";
    case ExceptionType::kFilterArgumentError: return "FilterArgumentError";
    case ExceptionType::kAssertionError: return "AssertionError";
    case ExceptionType::kAttributeError: return "AttributeError";
    case ExceptionType::kIndexError: return "IndexError";
    case ExceptionType::kKeyError: return "KeyError";
    case ExceptionType::kOverflowError: return "OverflowError";
    case ExceptionType::kRuntimeError: return "RuntimeError";
    case ExceptionType::kTypeError: return "TypeError";
    case ExceptionType::kValueError: return "ValueError";
    case ExceptionType::kZeroDivisionError: return "ZeroDivisionError";
  }
  return "Exception";
}

size_t String::length() const {
  if (length_ == SIZE_MAX) length_ = text::count_characters(text_);
  return length_;
}

size_t String::hash() const {
  if (hash_ == 0) hash_ = std::hash<std::string_view>()(text_) | 1;
  return hash_;
}

void String::append(std::string_view more) {
  const size_t before = text_.capacity();
  if (text_.size() + more.size() > before) charge_more(std::max(2 * before, text_.size() + more.size()) - before);
  text_.append(more);
  length_ = SIZE_MAX;
  hash_ = 0;
}

std::string Undefined::message() const {
  if (!hint.empty()) return hint;
  if (object.is_missing()) return repr(name) + " is undefined";
  if (!name.is_string()) return object_type_repr(object) + " has no element " + repr(name);
  return quoted(object_type_repr(object)) + " has no attribute " + repr(name);
}

Range::Range(int64_t from, int64_t to, int64_t by) : Object(Type::kRange), start(from), stop(to), step(by), length(0) {
  const __int128 distance = by > 0 ? static_cast<__int128>(to) - from : static_cast<__int128>(from) - to;
  const __int128 stride = by > 0 ? by : -static_cast<__int128>(by);
  if (distance > 0) {
    const __int128 count = (distance + stride - 1) / stride;
    length = count > INT64_MAX ? INT64_MAX : static_cast<int64_t>(count);
  }
}

Namespace::Namespace(Heap& heap, Value attributes) : Object(Type::kNamespace), attributes_(std::move(attributes)) {
  heap.track(this);
}

Namespace::~Namespace() {
  if (heap() != nullptr) heap()->untrack(this);
}

void Namespace::check_name(const Value& name) {
  if (!name.is_string() || !text_of(name).starts_with('_')) return;
  raise(ExceptionType::kSecurityError,
        "Chat templates cannot store underscore-prefixed attributes on a namespace, but got {}. Please rename the "
        "attribute.",
        repr(name));
}

void Namespace::set(const Value& name, Value value) {
  check_name(name);
  attributes().set(name, std::move(value));
}

namespace {

size_t mix(uint64_t bits) {
  bits ^= bits >> 33;
  bits *= 0xff51afd7ed558ccdULL;
  bits ^= bits >> 33;
  return bits;
}

size_t hash_of_real(double d) {
  if (d == std::floor(d) && d >= -0x1p63 && d < 0x1p63) return mix(static_cast<uint64_t>(static_cast<int64_t>(d)));
  return std::hash<double>()(d);
}

size_t hash_of_items(const std::vector<Value>& items) {
  size_t hash = 0x345678;
  for (const Value& item : items) hash = mix(hash ^ hash_of(item)) + items.size();
  return hash;
}

}  // namespace

size_t hash_of(const Value& v) {
  switch (v.type()) {
    case Type::kMissing:
    case Type::kNone: return 0x9e37;
    case Type::kBool:
    case Type::kInt: return mix(static_cast<uint64_t>(v.as_int()));
    case Type::kFloat: return hash_of_real(v.as_real());
    case Type::kString: return v.as<String>().hash();
    case Type::kBigInt: return hash_of_real(v.as<BigInt>().value().to_real());
    case Type::kUndefined: return 0x51ed;
    case Type::kTuple: return hash_of_items(items_of(v));
    case Type::kRange: return mix(static_cast<uint64_t>(v.as<Range>().length));
    case Type::kList:
    case Type::kDict: type_error("unhashable type: '{}'", type_name(v));
    case Type::kDictView:
      if (v.as<DictView>().part != DictView::Part::kValues) type_error("unhashable type: '{}'", type_name(v));
      [[fallthrough]];
    default: return mix(reinterpret_cast<uintptr_t>(v.object()));
  }
}

constexpr size_t kEntriesWithoutIndex = 8;

template <typename Same>
const Dict::Entry* Dict::find_entry(size_t hash, Same same) const {
  if (index_.empty()) {
    for (const Entry& entry : entries_) {
      if (entry.hash == hash && same(entry.key)) return &entry;
    }
    return nullptr;
  }
  const size_t mask = index_.size() - 1;
  for (size_t at = hash & mask; index_[at] != 0; at = (at + 1) & mask) {
    const Entry& entry = entries_[index_[at] - 1];
    if (entry.hash == hash && same(entry.key)) return &entry;
  }
  return nullptr;
}

void Dict::rebuild_index() {
  if (entries_.size() <= kEntriesWithoutIndex) {
    index_.clear();
    return;
  }
  size_t size = 32;
  while (size < entries_.size() * 2) size *= 2;
  index_.assign(size, 0);
  for (size_t i = 0; i < entries_.size(); ++i) {
    size_t at = entries_[i].hash & (size - 1);
    while (index_[at] != 0) at = (at + 1) & (size - 1);
    index_[at] = static_cast<uint32_t>(i + 1);
  }
}

void Dict::set(const Value& key, Value value) {
  const size_t hash = hash_of(key);
  nest(key);
  nest(value);
  if (const Entry* found =
          find_entry(hash, [&](const Value& other) { return other.same_as(key) || equals(other, key); })) {
    entries_[static_cast<size_t>(found - entries_.data())].value = std::move(value);
    return;
  }
  charge_more(sizeof(Entry) + 2 * sizeof(uint32_t));
  entries_.push_back({key, std::move(value), hash});
  if (entries_.size() <= kEntriesWithoutIndex) return;
  if (entries_.size() * 4 > index_.size() * 3) return rebuild_index();
  size_t at = hash & (index_.size() - 1);
  while (index_[at] != 0) at = (at + 1) & (index_.size() - 1);
  index_[at] = static_cast<uint32_t>(entries_.size());
}

const Value* Dict::find(const Value& key) const {
  const Entry* found =
      find_entry(hash_of(key), [&](const Value& other) { return other.same_as(key) || equals(other, key); });
  return found == nullptr ? nullptr : &found->value;
}

const Value* Dict::find(std::string_view key) const {
  const Entry* found = find_entry(std::hash<std::string_view>()(key) | 1,
                                  [&](const Value& other) { return other.is_string() && text_of(other) == key; });
  return found == nullptr ? nullptr : &found->value;
}

bool Dict::remove(std::string_view key) {
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].key.is_string() || text_of(entries_[i].key) != key) continue;
    entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(i));
    rebuild_index();
    return true;
  }
  return false;
}

}  // namespace gamut::jinja
