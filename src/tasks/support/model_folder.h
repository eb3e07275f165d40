// A model folder opened for a task: config, checkpoint header, and what its files say about its use.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "checkpoint/checkpoint.h"
#include "config/config.h"
#include "gamut/model.h"
#include "models/architecture.h"
#include "runtime/session.h"

namespace gamut {

struct ModelFolder {
  std::filesystem::path path;
  Config config;
  std::shared_ptr<const Checkpoint> checkpoint;

  /// Opens config.json and the weights' header. Throws Error{kNotFound} with a hint when `path` is no model folder.
  static ModelFolder open(const std::filesystem::path& path);
  /// Opens config.json alone.
  static Config open_config(const std::filesystem::path& path);

  /// Whether sentence-transformers files are there.
  bool is_sentence_transformer() const { return std::filesystem::exists(path / "modules.json"); }
  /// The longest text that a language model was made for; 0: config.json says none. Rotations go on beyond it, but no
  /// model has learned to read them there.
  int64_t context() const;
  /// The transformers class that runs when none is asked for.
  const Architecture& architecture() const { return find_architecture(config.model_type()); }
  /// Records `options.head`, or the checkpoint's own.
  Recorded record(const LoadOptions& options) const;
  /// Compiles a program for the backend that `options` name.
  Session compile(Program program, const LoadOptions& options) const;
};

}  // namespace gamut
