// Symbolic extents: canonical integer expressions over named symbols, so that one recording serves every size.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gamut/tensor.h"

namespace gamut {

/// The values that symbols have in one run: {"B": 2, "S": 128}.
using SymbolValues = std::map<std::string, int64_t>;

/// What an expression is computed with in another domain. Results and operands are handles of the builder's own.
class ExtentBuilder {
 public:
  virtual ~ExtentBuilder() = default;
  virtual int constant(int64_t value) = 0;
  virtual int symbol(const std::string& name) = 0;
  virtual int add(int a, int b) = 0;
  virtual int multiply(int a, int b) = 0;
  virtual int floor_div(int a, int64_t divisor) = 0;
  virtual int modulo(int a, int64_t divisor) = 0;
  virtual int min(int a, int b) = 0;
  virtual int max(int a, int b) = 0;
};

/// An integer expression: sums and products of symbols, floor division and modulo by constants, min and max.
/// Kept in a canonical form, so that `==` proves equality for everything that is equal as a polynomial over its atoms.
/// An immutable value; copying is cheap.
class Extent {
 public:
  Extent(int64_t value = 0) : constant_(value) {}  // NOLINT: converts on purpose
  static Extent symbol(const std::string& name);

  friend Extent operator+(const Extent& a, const Extent& b);
  friend Extent operator-(const Extent& a, const Extent& b);
  friend Extent operator*(const Extent& a, const Extent& b);
  /// Floor division and modulo by a positive constant; the modulo is never negative.
  friend Extent floor_div(const Extent& a, int64_t divisor);
  friend Extent modulo(const Extent& a, int64_t divisor);
  friend Extent min(const Extent& a, const Extent& b);
  friend Extent max(const Extent& a, const Extent& b);
  friend bool operator==(const Extent& a, const Extent& b);

  /// The value when the expression holds no symbol.
  std::optional<int64_t> constant() const;
  bool is_constant() const { return terms_ == nullptr; }
  /// True when `symbol` occurs anywhere in the expression.
  bool mentions(const std::string& symbol) const;
  /// Names of all symbols in the expression, added to `out`.
  void collect_symbols(std::set<std::string>* out) const;
  /// The name when the expression is one symbol and nothing else.
  std::optional<std::string> as_symbol() const;

  /// The value under `symbols`. Throws Error{kInvalidArgument} for an unbound symbol, Error{kResourceLimit} on
  /// overflow.
  int64_t evaluate(const SymbolValues& symbols) const;

  /// Computes the expression in another domain, such as the nodes of another engine's graph; the builder's handle.
  int build(ExtentBuilder& builder) const;

  /// "2*S+1", "floor(S/2)", "min(S,512)".
  std::string to_string() const;

 private:
  struct Atom;
  struct Term;
  struct Terms;
  static Extent from_terms(Terms terms);
  static Terms terms_of(const Extent& e);
  static Extent from_atom(Atom atom);

  int64_t constant_ = 0;
  std::shared_ptr<const Terms> terms_;  // null for a constant
};

/// A tensor's extents, outermost first.
using Shape = std::vector<Extent>;

/// "[B,S,768]".
std::string to_string(const Shape& shape);
/// The extents' values under `symbols`; throws Error{kInvalidArgument} when one is negative.
Dims evaluate(const Shape& shape, const SymbolValues& symbols);
/// The product of all extents.
Extent element_count(const Shape& shape);
/// Constant extents from dims.
Shape to_shape(const Dims& dims);

}  // namespace gamut
