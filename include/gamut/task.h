// Tasks: real input to real output, the same table for the command line, the server and the bindings.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gamut/generate.h"
#include "gamut/model.h"

namespace gamut {

/// What a task is.
struct TaskInfo {
  std::string name;     ///< "fill-mask"
  std::string summary;  ///< one sentence
  std::string request;  ///< the JSON that `run` takes
  std::string result;   ///< the JSON that it returns
};

/// Every task of this build.
std::vector<TaskInfo> tasks();

/// A model with one of its tasks. Copies share one state; every method may be called from several threads at once.
class Pipeline {
 public:
  /// Opens a checkpoint folder for `task`, or for the task that the checkpoint is made for when empty.
  /// Throws Error{kUnsupported} with the list when the model cannot do it.
  static Pipeline open(const std::filesystem::path& folder, const std::string& task = "",
                       const LoadOptions& options = {});

  const std::string& task() const;
  /// One request in the task's JSON form to its result. Throws Error{kInvalidArgument} that names what is wrong with
  /// it. Tasks that make text as they go pass on its pieces to `on_text`; they are in the result as well.
  std::string run(const std::string& request, const TextCallback& on_text = {}) const;

  struct State;

 private:
  explicit Pipeline(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// Sentence embeddings with types instead of JSON. Copies share one state; every method may be called from several
/// threads.
class SentenceEmbedder {
 public:
  /// Opens a checkpoint; pooling and normalisation as its modules.json says, mean pooling without one.
  static SentenceEmbedder open(const std::filesystem::path& folder, const LoadOptions& options = {});

  /// Length of an embedding.
  int64_t dimension() const;
  /// One embedding per text, in order. Texts longer than the model's limit are cut, as sentence-transformers does.
  std::vector<std::vector<float>> embed(std::span<const std::string> texts) const;

  struct State;

 private:
  explicit SentenceEmbedder(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace gamut
