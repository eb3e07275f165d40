// Finds the tensors of a checkpoint under the names that a model asks for, and remembers which were used.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace gamut {

/// An old spelling at the end of a tensor's name and what it is called now: {"LayerNorm.gamma", "LayerNorm.weight"}.
struct Rename {
  std::string old_suffix;
  std::string new_suffix;
};

struct WeightNamesOptions {
  /// The base model's name in front of its tensors ("bert"); checkpoints of the base model alone may leave it out.
  std::string base_prefix;
  std::vector<Rename> renames;
  /// Ends of names that a checkpoint may hold without use: buffers that are computed, heads of the pre-training.
  std::vector<std::string> ignored_suffixes;
  /// Likewise beginnings: parts of the training's model or of a larger one that this one leaves out.
  std::vector<std::string> ignored_prefixes = {};
};

/// The names of one checkpoint as a model sees them. The checkpoint must outlive it.
class WeightNames {
 public:
  WeightNames(const Checkpoint& checkpoint, WeightNamesOptions options);

  /// The tensor that the model calls `name`, or null. Marks it as used.
  const TensorEntry* find(const std::string& name);
  /// The same; throws Error{kInvalidFile} that names it when it is missing.
  const TensorEntry& require(const std::string& name);
  bool has(const std::string& name) const;

  /// Tensors whose names begin so need no use.
  void ignore(const std::string& prefix) { ignored_prefixes_.push_back(stored_name(prefix)); }

  /// Tensors of the checkpoint that no find or require has returned and that may not be ignored, by name.
  std::vector<std::string> unused() const;

 private:
  std::string stored_name(const std::string& name) const;

  const Checkpoint& checkpoint_;
  WeightNamesOptions options_;
  std::map<std::string, std::string> renamed_;  // today's name -> the name in the checkpoint
  std::vector<std::string> ignored_prefixes_;   // of stored names
  bool has_prefix_ = false;
  std::set<std::string> used_;
};

/// True when a part of the dotted name is a number: the tensor belongs to one of several layers.
bool is_in_numbered_layer(const std::string& name);

}  // namespace gamut
