#include "gamut/task.h"

#include <nlohmann/json.hpp>

#include "base/edge.h"
#include "tasks/support/embedding.h"
#include "tasks/task.h"

namespace gamut {

struct Pipeline::State {
  std::string name;
  std::unique_ptr<Task> task;
};

struct SentenceEmbedder::State {
  EmbeddingModel model;
};

std::vector<TaskInfo> tasks() {
  std::vector<TaskInfo> all;
  for (const TaskEntry* task : task_table()) all.push_back({task->name, task->summary, task->request, task->result});
  return all;
}

Pipeline Pipeline::open(const std::filesystem::path& folder, const std::string& task, const LoadOptions& options) {
  return at_edge([&] {
    const ModelFolder files = ModelFolder::open(folder);
    const TaskEntry& entry = choose_task(files, task, options);
    return Pipeline(std::make_shared<const State>(State{entry.name, entry.open(files, options)}));
  });
}

const std::string& Pipeline::task() const { return state_->name; }

namespace {

/// A request that is no JSON is the caller's mistake, not a file's.
Json parse_request(const std::string& request) {
  try {
    return parse_json(request, "request", {.max_bytes = 64u << 20});
  } catch (const Error& error) {
    throw Error(ErrorCode::kInvalidArgument, error.message(), error.hint());
  }
}

}  // namespace

std::string Pipeline::run(const std::string& request, const TextCallback& on_text) const {
  return at_edge([&] {
    Json parsed = parse_request(request);
    const JsonRelease release_parsed(parsed);
    Json result = state_->task->run(parsed, on_text);
    const JsonRelease release_result(result);
    return result.dump(-1, ' ', false, Json::error_handler_t::replace);
  });
}

SentenceEmbedder SentenceEmbedder::open(const std::filesystem::path& folder, const LoadOptions& options) {
  return at_edge([&] {
    const ModelFolder files = ModelFolder::open(folder);
    return SentenceEmbedder(std::make_shared<const State>(State{EmbeddingModel(files, options)}));
  });
}

int64_t SentenceEmbedder::dimension() const { return state_->model.dimension(); }

std::vector<std::vector<float>> SentenceEmbedder::embed(std::span<const std::string> texts) const {
  return at_edge([&] { return state_->model.embed(texts); });
}

}  // namespace gamut
