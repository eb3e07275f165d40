#include <algorithm>

#include "base/error.h"
#include "base/excerpt.h"
#include "tasks/task.h"

namespace gamut {
namespace {

std::string head_of(const ModelFolder& folder, const LoadOptions& options) {
  if (!options.head.empty()) return options.head;
  const std::vector<std::string> saved = folder.config.architectures();
  return saved.empty() ? folder.architecture().heads.front() : saved.front();
}

}  // namespace

std::vector<const TaskEntry*> tasks_of(const std::string& head, bool is_sentence_transformer) {
  std::vector<const TaskEntry*> found;
  for (const TaskEntry* task : task_table()) {
    // The base model is part of every head, so what needs only it always works.
    if (is_head_of(*task, head) || is_head_of(*task, "Model")) found.push_back(task);
  }
  auto rank = [&](const TaskEntry* task) {
    const std::string_view name = task->name;
    if (is_sentence_transformer) return name == "sentence-embedding" ? 0 : 1;
    if (head.ends_with("Model")) return name == "feature-extraction" ? 0 : 1;
    return is_head_of(*task, head) ? 0 : 1;
  };
  std::ranges::stable_sort(found, {}, rank);
  return found;
}

std::string head_for(const Architecture& architecture, const TaskEntry& task) {
  for (const std::string& head : architecture.heads) {
    if (is_head_of(task, head)) return head;
  }
  fail(ErrorCode::kUnsupported, "task {} needs a class ending in {}, which model type {} does not have", task.name,
       task.head_suffixes[0], architecture.model_type);
}

const TaskEntry& choose_task(const ModelFolder& folder, const std::string& wanted, const LoadOptions& options) {
  std::string known;
  for (const TaskEntry* task : task_table()) {
    if (task->name == wanted) return *task;
    known += (known.empty() ? "" : ", ") + std::string(task->name);
  }
  if (!wanted.empty())
    fail(ErrorCode::kUnsupported, "task \"{}\" is unknown; expected one of: {}", excerpt(wanted), known);
  const std::string head = head_of(folder, options);
  const std::vector<const TaskEntry*> possible = tasks_of(head, folder.is_sentence_transformer());
  const bool is_own = folder.is_sentence_transformer() || is_head_of(*possible.front(), head);
  if (!is_own) {
    fail_with_hint(ErrorCode::kUnsupported, fmt::format("there is no task for {} yet", head),
                   "Choose one of these with --task: " + known + "; or run raw tensors with `gamut forward`.");
  }
  return *possible.front();
}

}  // namespace gamut
