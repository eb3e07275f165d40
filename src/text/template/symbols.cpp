#include "text/template/symbols.h"

#include "text/template/exception.h"
#include "text/template/repr.h"

namespace gamut::jinja {

Symbols::Symbols(ScopeFunction& function, const Symbols* parent)
    : function_(&function), parent_(parent), level_(parent == nullptr ? 0 : parent->level_ + 1) {}

Symbols::Reference Symbols::define(const std::string& name, Begin begin, Reference from) {
  const int next = static_cast<int>(function_->variables.size());
  const int index = function_->variables.try_emplace({level_, name}, next).first->second;
  origins_[index] = {begin, from, name};
  return references_[name] = {function_, index};
}

const Symbols::Reference* Symbols::find(const std::string& name) const {
  for (const Symbols* scope = this; scope != nullptr; scope = scope->parent_) {
    const auto found = scope->references_.find(name);
    if (found != scope->references_.end()) return &found->second;
  }
  return nullptr;
}

Slot Symbols::slot_of(const Reference& reference) const {
  Slot slot{0, reference.index};
  for (const ScopeFunction* at = function_; at != reference.function; at = at->outer) ++slot.hops;
  return slot;
}

Slot Symbols::slot(const std::string& name) const {
  const Reference* found = find(name);
  if (found == nullptr) {
    raise(ExceptionType::kAssertionError, "Tried to resolve a name to a reference that was unknown to the frame ({})",
          quoted(name));
  }
  return slot_of(*found);
}

void Symbols::load(const std::string& name) {
  if (find(name) == nullptr) define(name, Begin::kResolve, {});
}

void Symbols::store(const std::string& name) {
  stores_.insert(name);
  if (references_.contains(name)) return;
  const Reference* outer = parent_ == nullptr ? nullptr : parent_->find(name);
  if (outer != nullptr) {
    define(name, Begin::kAlias, *outer);
  } else {
    define(name, Begin::kMissing, {});
  }
}

int Symbols::declare_parameter(const std::string& name) {
  stores_.insert(name);
  return define(name, Begin::kParameter, {}).index;
}

void Symbols::merge(const std::vector<Symbols>& branches) {
  std::set<std::string> stored;
  for (const Symbols& branch : branches) {
    for (const std::string& name : branch.stores_) {
      if (!stores_.contains(name)) stored.insert(name);
    }
  }
  for (const Symbols& branch : branches) {
    for (const auto& [name, reference] : branch.references_) references_[name] = reference;
    for (const auto& [index, origin] : branch.origins_) origins_[index] = origin;
    stores_.insert(branch.stores_.begin(), branch.stores_.end());
  }
  for (const std::string& name : stored) {
    const Reference* outer = parent_ == nullptr ? nullptr : parent_->find(name);
    const int index = find(name)->index;
    if (outer != nullptr) {
      origins_[index] = {Begin::kAlias, *outer, name};
    } else {
      origins_[index] = {Begin::kResolve, {}, name};
    }
  }
}

Scope Symbols::scope(ConstantPool& pool) const {
  Scope made;
  for (const auto& [index, origin] : origins_) {
    made.ends.push_back(index);
    if (origin.begin == Begin::kParameter) continue;
    Load load;
    load.index = index;
    if (origin.begin == Begin::kResolve) {
      load.kind = Load::Kind::kResolve;
      load.name = pool.string(origin.name);
    } else if (origin.begin == Begin::kAlias) {
      load.kind = Load::Kind::kAlias;
      load.from = slot_of(origin.from);
    }
    made.loads.push_back(std::move(load));
  }
  return made;
}

std::vector<Load> Symbols::locals(ConstantPool& pool) const {
  std::vector<Load> made;
  std::set<std::string> seen;
  for (const Symbols* scope = this; scope != nullptr; scope = scope->parent_) {
    for (const std::string& name : scope->stores_) {
      if (!seen.insert(name).second) continue;
      Load local;
      local.name = pool.string(name);
      local.from = slot(name);
      made.push_back(std::move(local));
    }
  }
  return made;
}

}  // namespace gamut::jinja
