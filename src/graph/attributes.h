// Attributes of a node: a small ordered map from names to plain values, printable and comparable.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "tensor/extent.h"

namespace gamut {

using AttributeValue = std::variant<int64_t, double, bool, std::string, std::vector<int64_t>, Extent, Shape>;

/// What a node was recorded with, besides its inputs. Missing names read as the caller's default.
class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<const std::string, AttributeValue>> values) : values_(values) {}

  bool has(const std::string& name) const { return values_.count(name) > 0; }
  void set(const std::string& name, AttributeValue value) { values_[name] = std::move(value); }

  int64_t i(const std::string& name, int64_t fallback = 0) const { return get(name, fallback); }
  double num(const std::string& name, double fallback = 0) const { return get(name, fallback); }
  bool b(const std::string& name, bool fallback = false) const { return get(name, fallback); }
  std::string s(const std::string& name, std::string fallback = "") const { return get(name, std::move(fallback)); }
  std::vector<int64_t> ints(const std::string& name) const { return get(name, std::vector<int64_t>()); }
  Extent extent(const std::string& name) const { return get(name, Extent(0)); }
  Shape shape(const std::string& name) const { return get(name, Shape()); }

  const std::map<std::string, AttributeValue>& values() const { return values_; }
  friend bool operator==(const Attributes& a, const Attributes& b) { return a.values_ == b.values_; }

  /// "{axis=-1, eps=1e-12}"; empty when there are none.
  std::string to_string() const;

 private:
  template <typename T>
  T get(const std::string& name, T fallback) const {
    auto found = values_.find(name);
    return found == values_.end() ? fallback : std::get<T>(found->second);
  }

  std::map<std::string, AttributeValue> values_;
};

}  // namespace gamut
