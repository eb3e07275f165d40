#include "tensor/extent.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"

namespace gamut {

/// What a product is made of: a symbol, or an operation that does not distribute over sums.
struct Extent::Atom {
  enum class Kind { kSymbol, kFloorDiv, kModulo, kMin, kMax };
  Kind kind;
  std::string name;  // of a symbol
  Extent a, b;       // operands; b of min and max only
  int64_t divisor = 1;
  std::string key;  // canonical text, the identity of the atom
};

struct Extent::Term {
  int64_t coefficient = 0;
  std::vector<std::shared_ptr<const Atom>> atoms;  // sorted by key
};

/// Terms by the canonical text of their product; the constant term has the empty key. No coefficient is zero.
struct Extent::Terms {
  std::map<std::string, Term> by_key;
};

namespace {

[[noreturn]] void overflow() { fail(ErrorCode::kResourceLimit, "symbolic extent: a coefficient overflows 64 bits"); }

int64_t checked(Checked value) {
  if (!value.valid()) overflow();
  return *value.value();
}

int64_t floor_quotient(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0)); }

}  // namespace

Extent::Terms Extent::terms_of(const Extent& e) {
  if (e.terms_) return *e.terms_;
  Terms terms;
  if (e.constant_ != 0) terms.by_key[""] = Term{e.constant_, {}};
  return terms;
}

Extent Extent::from_terms(Terms terms) {
  std::erase_if(terms.by_key, [](const auto& item) { return item.second.coefficient == 0; });
  if (terms.by_key.empty()) return Extent(0);
  if (terms.by_key.size() == 1 && terms.by_key.begin()->first.empty()) {
    return Extent(terms.by_key.begin()->second.coefficient);
  }
  Extent e;
  e.terms_ = std::make_shared<const Terms>(std::move(terms));
  return e;
}

Extent Extent::from_atom(Atom atom) {
  switch (atom.kind) {
    case Atom::Kind::kSymbol: atom.key = atom.name; break;
    case Atom::Kind::kFloorDiv: atom.key = fmt::format("floor(({})/{})", atom.a.to_string(), atom.divisor); break;
    case Atom::Kind::kModulo: atom.key = fmt::format("mod({},{})", atom.a.to_string(), atom.divisor); break;
    case Atom::Kind::kMin: atom.key = fmt::format("min({},{})", atom.a.to_string(), atom.b.to_string()); break;
    case Atom::Kind::kMax: atom.key = fmt::format("max({},{})", atom.a.to_string(), atom.b.to_string()); break;
  }
  Terms terms;
  std::string key = atom.key;
  terms.by_key[key] = Term{1, {std::make_shared<const Atom>(std::move(atom))}};
  return from_terms(std::move(terms));
}

Extent Extent::symbol(const std::string& name) {
  Atom atom{Atom::Kind::kSymbol, name, {}, {}, 1, ""};
  return from_atom(std::move(atom));
}

Extent operator+(const Extent& a, const Extent& b) {
  if (a.is_constant() && b.is_constant()) return Extent(checked(Checked(a.constant_) + b.constant_));
  Extent::Terms sum = Extent::terms_of(a);
  for (const auto& [key, term] : Extent::terms_of(b).by_key) {
    Extent::Term& into = sum.by_key[key];
    into.atoms = term.atoms;
    into.coefficient = checked(Checked(into.coefficient) + term.coefficient);
  }
  return Extent::from_terms(std::move(sum));
}

Extent operator-(const Extent& a, const Extent& b) { return a + b * Extent(-1); }

Extent operator*(const Extent& a, const Extent& b) {
  if (a.is_constant() && b.is_constant()) return Extent(checked(Checked(a.constant_) * b.constant_));
  const Extent::Terms left = Extent::terms_of(a), right = Extent::terms_of(b);
  Extent::Terms product;
  for (const auto& [left_key, x] : left.by_key) {
    for (const auto& [right_key, y] : right.by_key) {
      Extent::Term term{checked(Checked(x.coefficient) * y.coefficient), x.atoms};
      term.atoms.insert(term.atoms.end(), y.atoms.begin(), y.atoms.end());
      std::sort(term.atoms.begin(), term.atoms.end(), [](const auto& p, const auto& q) { return p->key < q->key; });
      std::string key;
      for (const auto& atom : term.atoms) key += (key.empty() ? "" : "*") + atom->key;
      Extent::Term& into = product.by_key[key];
      into.atoms = term.atoms;
      into.coefficient = checked(Checked(into.coefficient) + term.coefficient);
    }
  }
  return Extent::from_terms(std::move(product));
}

Extent floor_div(const Extent& a, int64_t divisor) {
  check_internal(divisor > 0, "extent: divisor must be positive");
  if (divisor == 1) return a;
  if (a.is_constant()) return Extent(floor_quotient(a.constant_, divisor));
  // floor((d*q + r) / d) = q + floor(r / d): terms that divide evenly leave the floor.
  Extent::Terms whole, rest;
  for (const auto& [key, term] : a.terms_->by_key) {
    int64_t quotient = floor_quotient(term.coefficient, divisor);
    int64_t remainder = term.coefficient - quotient * divisor;
    if (key.empty() || remainder == 0) {
      whole.by_key[key] = {quotient, term.atoms};
      if (remainder != 0) rest.by_key[key] = {remainder, term.atoms};
    } else {
      rest.by_key[key] = term;
    }
  }
  Extent remaining = Extent::from_terms(std::move(rest));
  Extent quotient = Extent::from_terms(std::move(whole));
  if (remaining.is_constant()) return quotient + Extent(floor_quotient(remaining.constant_, divisor));
  return quotient + Extent::from_atom({Extent::Atom::Kind::kFloorDiv, "", remaining, {}, divisor, ""});
}

Extent modulo(const Extent& a, int64_t divisor) {
  check_internal(divisor > 0, "extent: divisor must be positive");
  if (a.is_constant()) return Extent(a.constant_ - floor_quotient(a.constant_, divisor) * divisor);
  Extent::Terms rest;
  for (const auto& [key, term] : a.terms_->by_key) {
    int64_t remainder = term.coefficient - floor_quotient(term.coefficient, divisor) * divisor;
    if (remainder != 0) rest.by_key[key] = {remainder, term.atoms};
  }
  Extent remaining = Extent::from_terms(std::move(rest));
  if (remaining.is_constant()) return modulo(remaining, divisor);
  return Extent::from_atom({Extent::Atom::Kind::kModulo, "", remaining, {}, divisor, ""});
}

Extent min(const Extent& a, const Extent& b) {
  if (a == b) return a;
  if (a.is_constant() && b.is_constant()) return Extent(std::min(a.constant_, b.constant_));
  const bool ordered = a.to_string() < b.to_string();
  return Extent::from_atom({Extent::Atom::Kind::kMin, "", ordered ? a : b, ordered ? b : a, 1, ""});
}

Extent max(const Extent& a, const Extent& b) {
  if (a == b) return a;
  if (a.is_constant() && b.is_constant()) return Extent(std::max(a.constant_, b.constant_));
  const bool ordered = a.to_string() < b.to_string();
  return Extent::from_atom({Extent::Atom::Kind::kMax, "", ordered ? a : b, ordered ? b : a, 1, ""});
}

bool operator==(const Extent& a, const Extent& b) {
  if (a.is_constant() || b.is_constant()) return a.is_constant() && b.is_constant() && a.constant_ == b.constant_;
  if (a.terms_ == b.terms_) return true;
  const auto &x = a.terms_->by_key, &y = b.terms_->by_key;
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const auto& p, const auto& q) {
    return p.first == q.first && p.second.coefficient == q.second.coefficient;
  });
}

std::optional<int64_t> Extent::constant() const {
  return is_constant() ? std::optional<int64_t>(constant_) : std::nullopt;
}

void Extent::collect_symbols(std::set<std::string>* out) const {
  if (is_constant()) return;
  for (const auto& [key, term] : terms_->by_key) {
    for (const auto& atom : term.atoms) {
      if (atom->kind == Atom::Kind::kSymbol) out->insert(atom->name);
      atom->a.collect_symbols(out);
      atom->b.collect_symbols(out);
    }
  }
}

bool Extent::mentions(const std::string& symbol) const {
  std::set<std::string> symbols;
  collect_symbols(&symbols);
  return symbols.count(symbol) > 0;
}

std::optional<std::string> Extent::as_symbol() const {
  if (is_constant() || terms_->by_key.size() != 1) return std::nullopt;
  const Term& term = terms_->by_key.begin()->second;
  if (term.coefficient != 1 || term.atoms.size() != 1 || term.atoms[0]->kind != Atom::Kind::kSymbol)
    return std::nullopt;
  return term.atoms[0]->name;
}

int64_t Extent::evaluate(const SymbolValues& symbols) const {
  if (is_constant()) return constant_;
  auto value_of = [&](const Atom& atom) -> int64_t {
    switch (atom.kind) {
      case Atom::Kind::kSymbol: {
        auto found = symbols.find(atom.name);
        if (found == symbols.end()) fail(ErrorCode::kInvalidArgument, "symbol {} has no value in this run", atom.name);
        return found->second;
      }
      case Atom::Kind::kFloorDiv: return floor_quotient(atom.a.evaluate(symbols), atom.divisor);
      case Atom::Kind::kModulo: {
        int64_t value = atom.a.evaluate(symbols);
        return value - floor_quotient(value, atom.divisor) * atom.divisor;
      }
      case Atom::Kind::kMin: return std::min(atom.a.evaluate(symbols), atom.b.evaluate(symbols));
      case Atom::Kind::kMax: return std::max(atom.a.evaluate(symbols), atom.b.evaluate(symbols));
    }
    return 0;
  };
  Checked sum(0);
  for (const auto& [key, term] : terms_->by_key) {
    Checked product(term.coefficient);
    for (const auto& atom : term.atoms) product = product * value_of(*atom);
    sum = sum + product;
  }
  if (!sum.valid()) fail(ErrorCode::kResourceLimit, "extent {} overflows 64 bits", to_string());
  return *sum.value();
}

int Extent::build(ExtentBuilder& builder) const {
  if (is_constant()) return builder.constant(constant_);
  auto build_atom = [&](const Atom& atom) {
    switch (atom.kind) {
      case Atom::Kind::kSymbol: return builder.symbol(atom.name);
      case Atom::Kind::kFloorDiv: return builder.floor_div(atom.a.build(builder), atom.divisor);
      case Atom::Kind::kModulo: return builder.modulo(atom.a.build(builder), atom.divisor);
      case Atom::Kind::kMin: return builder.min(atom.a.build(builder), atom.b.build(builder));
      case Atom::Kind::kMax: return builder.max(atom.a.build(builder), atom.b.build(builder));
    }
    return -1;
  };
  std::optional<int> sum;
  for (const auto& [key, term] : terms_->by_key) {
    std::optional<int> product;
    if (term.coefficient != 1 || term.atoms.empty()) product = builder.constant(term.coefficient);
    for (const auto& atom : term.atoms) {
      const int factor = build_atom(*atom);
      product = product ? builder.multiply(*product, factor) : factor;
    }
    sum = sum ? builder.add(*sum, *product) : *product;
  }
  return *sum;
}

std::string Extent::to_string() const {
  if (is_constant()) return std::to_string(constant_);
  std::string out;
  auto append = [&](const std::string& key, int64_t coefficient) {
    if (!out.empty() && coefficient >= 0) out += '+';
    if (key.empty()) {
      out += std::to_string(coefficient);
    } else if (coefficient == -1) {
      out += "-" + key;
    } else {
      out += coefficient == 1 ? key : std::to_string(coefficient) + "*" + key;
    }
  };
  for (const auto& [key, term] : terms_->by_key) {
    if (!key.empty()) append(key, term.coefficient);
  }
  auto constant_term = terms_->by_key.find("");
  if (constant_term != terms_->by_key.end()) append("", constant_term->second.coefficient);
  return out;
}

std::string to_string(const Shape& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i > 0 ? "," : "") + shape[i].to_string();
  return out + "]";
}

Dims evaluate(const Shape& shape, const SymbolValues& symbols) {
  Dims dims;
  dims.reserve(shape.size());
  for (const Extent& extent : shape) {
    int64_t value = extent.evaluate(symbols);
    if (value < 0)
      fail(ErrorCode::kInvalidArgument, "extent {} is negative in this run: {}", extent.to_string(), value);
    dims.push_back(value);
  }
  return dims;
}

Extent element_count(const Shape& shape) {
  Extent count(1);
  for (const Extent& extent : shape) count = count * extent;
  return count;
}

Shape to_shape(const Dims& dims) { return Shape(dims.begin(), dims.end()); }

}  // namespace gamut
