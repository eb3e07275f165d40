// The interface of a task and the table of all of them.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string>

#include "base/json.h"
#include "gamut/generate.h"
#include "tasks/support/model_folder.h"

namespace gamut {

/// A model opened for one task. `run` may be called from several threads at once.
class Task {
 public:
  virtual ~Task() = default;
  /// One request {"inputs", "parameters"} to its result. Throws Error{kInvalidArgument} that names what is wrong.
  /// Tasks that make text as they go pass on its pieces, which are in the result as well.
  virtual Json run(const Json& request, const TextCallback& on_text) const = 0;
};

/// A line of the table; each file of tasks/ exports one.
struct TaskEntry {
  const char* name;
  const char* summary;
  const char* request;  // an example of the JSON form
  const char* result;
  /// The endings of the transformers classes that the task runs: "ForMaskedLM".
  std::array<const char*, 3> head_suffixes;
  std::unique_ptr<Task> (*open)(const ModelFolder& folder, const LoadOptions& options);
};

/// Whether `head` is one of the classes that the task runs.
inline bool is_head_of(const TaskEntry& task, const std::string& head) {
  return std::ranges::any_of(task.head_suffixes,
                             [&](const char* end) { return end != nullptr && head.ends_with(end); });
}

/// Every task, in the order of their files' names. CMake makes the table from the files of this folder.
std::span<const TaskEntry* const> task_table();

/// The tasks that a head of the architecture serves, the default first.
std::vector<const TaskEntry*> tasks_of(const std::string& head, bool is_sentence_transformer);

/// The task to run: the one asked for, which the model must be able to do, or the checkpoint's own.
const TaskEntry& choose_task(const ModelFolder& folder, const std::string& wanted, const LoadOptions& options);

/// The first head of `architecture` that the task runs. Throws Error{kUnsupported} when there is none.
std::string head_for(const Architecture& architecture, const TaskEntry& task);

}  // namespace gamut
