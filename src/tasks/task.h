// The interface of a task and the table of all of them.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/json.h"
#include "tasks/support/model_folder.h"

namespace gamut {

/// A model opened for one task. `run` may be called from several threads at once.
class Task {
 public:
  virtual ~Task() = default;
  /// One request {"inputs", "parameters"} to its result. Throws Error{kInvalidArgument} that names what is wrong.
  virtual Json run(const Json& request) const = 0;
};

/// A line of the table; each file of tasks/ exports one.
struct TaskEntry {
  const char* name;
  const char* summary;
  const char* request;  // an example of the JSON form
  const char* result;
  /// The ending of the transformers class that the task runs: "ForMaskedLM".
  const char* head_suffix;
  std::unique_ptr<Task> (*open)(const ModelFolder& folder, const LoadOptions& options);
};

/// Every task, in the order of their files' names. CMake makes the table from the files of this folder.
std::span<const TaskEntry* const> task_table();

/// The tasks that a head of the architecture serves, the default first.
std::vector<const TaskEntry*> tasks_of(const std::string& head, bool is_sentence_transformer);

/// The task to run: the one asked for, which the model must be able to do, or the checkpoint's own.
const TaskEntry& choose_task(const ModelFolder& folder, const std::string& wanted, const LoadOptions& options);

/// The head of `architecture` that ends in the task's suffix. Throws Error{kUnsupported} when there is none.
std::string head_for(const Architecture& architecture, const TaskEntry& task);

}  // namespace gamut
