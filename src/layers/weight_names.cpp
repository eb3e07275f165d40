#include "layers/weight_names.h"

#include <algorithm>

#include "base/error.h"

namespace gamut {

WeightNames::WeightNames(const Checkpoint& checkpoint, WeightNamesOptions options)
    : checkpoint_(checkpoint), options_(std::move(options)) {
  const std::string prefix = options_.base_prefix + ".";
  for (const TensorEntry& entry : checkpoint_.entries()) {
    has_prefix_ |= !options_.base_prefix.empty() && entry.name.starts_with(prefix);
    for (const Rename& rename : options_.renames) {
      if (!entry.name.ends_with(rename.old_suffix)) continue;
      const size_t stem = entry.name.size() - rename.old_suffix.size();
      const std::string today = entry.name.substr(0, stem) + rename.new_suffix;
      if (checkpoint_.has(today)) {
        fail(ErrorCode::kInvalidFile, "tensor {} and tensor {} mean the same; expected one of them", entry.name, today);
      }
      renamed_[today] = entry.name;
      break;
    }
  }
}

std::string WeightNames::stored_name(const std::string& name) const {
  std::string wanted = name;
  const std::string prefix = options_.base_prefix + ".";
  if (!has_prefix_ && !options_.base_prefix.empty() && name.starts_with(prefix)) wanted = name.substr(prefix.size());
  auto renamed = renamed_.find(wanted);
  return renamed == renamed_.end() ? wanted : renamed->second;
}

bool WeightNames::has(const std::string& name) const { return checkpoint_.has(stored_name(name)); }

const TensorEntry* WeightNames::find(const std::string& name) {
  const TensorEntry* entry = checkpoint_.find(stored_name(name));
  if (entry != nullptr) used_.insert(entry->name);
  return entry;
}

const TensorEntry& WeightNames::require(const std::string& name) {
  const TensorEntry* entry = find(name);
  if (entry == nullptr) {
    const std::string wanted = stored_name(name);
    const auto files = checkpoint_.files();
    fail(ErrorCode::kInvalidFile, "{}: tensor {} is missing{}", files.empty() ? "checkpoint" : files.front().string(),
         wanted, wanted == name ? "" : " (nor is there a " + name + ")");
  }
  return *entry;
}

std::vector<std::string> WeightNames::unused() const {
  std::vector<std::string> names;
  for (const TensorEntry& entry : checkpoint_.entries()) {
    const bool ignored = std::ranges::any_of(options_.ignored_suffixes,
                                             [&](const std::string& suffix) { return entry.name.ends_with(suffix); }) ||
                         std::ranges::any_of(options_.ignored_prefixes,
                                             [&](const std::string& prefix) { return entry.name.starts_with(prefix); });
    if (!ignored && used_.count(entry.name) == 0) names.push_back(entry.name);
  }
  std::ranges::sort(names);
  return names;
}

bool is_in_numbered_layer(const std::string& name) {
  size_t begin = 0;
  while (begin <= name.size()) {
    const size_t end = std::min(name.find('.', begin), name.size());
    if (end > begin &&
        std::all_of(name.begin() + static_cast<std::ptrdiff_t>(begin), name.begin() + static_cast<std::ptrdiff_t>(end),
                    [](char c) { return c >= '0' && c <= '9'; })) {
      return true;
    }
    begin = end + 1;
  }
  return false;
}

}  // namespace gamut
