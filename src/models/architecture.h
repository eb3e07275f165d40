// What a model file offers: model types, the heads of each, and how to record a program.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "config/config.h"
#include "graph/program.h"
#include "layers/weight_names.h"

namespace gamut {

/// A model type and how to record it.
struct Architecture {
  std::string model_type;          // "bert", as config.json spells it
  std::vector<std::string> heads;  // transformers classes, the base model first: "BertModel", "BertForMaskedLM" …
  WeightNamesOptions names;
  std::string note = {};  // what of the model is left out: "text part only"; empty: nothing
  /// Records `head` into `program`, whose model_type and head are set.
  std::function<void(Program& program, const Config& config, WeightNames& names)> record;
};

/// What a family file exports: all its rows. CMake lists them from the files of models/<area>/.
struct ArchitectureFamily {
  std::vector<Architecture> (*rows)();
};

/// Every architecture, ordered by model type.
const std::vector<Architecture>& architectures();
/// Throws Error{kUnsupported} with the known types when there is none.
const Architecture& find_architecture(const std::string& model_type);

struct RecordOptions {
  /// The transformers class; empty: the one that config.json names, else the base model.
  std::string head;
  /// Any unused tensor is an error.
  bool strict = false;
};

struct Recorded {
  Program program;
  /// Tensors of the checkpoint that the program does not use.
  std::vector<std::string> unused_tensors;
};

/// Records the program of a checkpoint. Throws Error{kUnsupported} for an unknown model type or head,
/// Error{kInvalidFile} for a missing tensor, one that does not fit the others or config.json, an unused tensor inside a
/// numbered layer or, when strict, any unused one.
Recorded record_program(const Config& config, const Checkpoint& checkpoint, const RecordOptions& options = {});

/// True when `head` is the base model of its type ("BertModel").
bool is_base_model(const Architecture& architecture, const std::string& head);

}  // namespace gamut
