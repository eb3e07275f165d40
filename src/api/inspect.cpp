// What `gamut info` and `gamut models` say.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/evidence.h"
#include "base/edge.h"
#include "base/error.h"
#include "base/json.h"
#include "base/memory_info.h"
#include "gamut/model.h"
#include "graph/op_schema.h"
#include "graph/printer.h"
#include "graph/verifier.h"
#include "passes/memory_plan.h"
#include "tasks/task.h"

namespace gamut {
namespace {

/// What a process holds beside weights and intermediate values: code, tokenizer, thread stacks.
constexpr int64_t kFixedBytes = 24 << 20;
constexpr int64_t kMemoryTokens = 128;

/// Weights as f32 and the plan of one row: the predicted peak.
int64_t predict_memory(const Graph& graph, int64_t tokens) {
  int64_t bytes = kFixedBytes;
  for (const Node& node : graph.nodes()) {
    if (node.op != &kWeight) continue;
    const ValueInfo& info = graph.info(node.outputs[0]);
    bytes += *element_count(info.shape).constant() * dtype_bits(info.dtype) / 8;
  }
  return bytes + static_cast<int64_t>(planned_bytes(graph, forward_symbols(RowTable::packed({tokens}))));
}

void describe_graph(const Program& program, ModelInfo* info) {
  const Graph& graph = program.only_graph();
  info->head = program.head;
  info->max_length = program.max_length;
  info->packs_rows = why_not_packable(graph).empty();
  for (const ProgramInput& input : program.inputs) {
    if (input.name == "input_ids") info->vocabulary = input.limit;
  }
  info->memory_tokens = program.max_length > 0 ? std::min(kMemoryTokens, program.max_length) : kMemoryTokens;
  info->memory_bytes["f32"] = predict_memory(graph, info->memory_tokens);
}

}  // namespace

namespace {

ModelInfo describe(const std::filesystem::path& folder, const LoadOptions& options) {
  const ModelFolder files = ModelFolder::open(folder);
  const Recorded recorded = files.record(options);
  ModelInfo info;
  info.model_type = recorded.program.model_type;
  info.heads = files.architecture().heads;
  describe_graph(recorded.program, &info);
  for (const TaskEntry* task : tasks_of(info.head, files.is_sentence_transformer())) info.tasks.push_back(task->name);
  try {
    info.default_task = choose_task(files, "", options).name;
  } catch (const Error&) {
    info.default_task = "";  // a head without a task runs by `gamut forward`
  }
  for (const TensorEntry& entry : files.checkpoint->entries()) {
    int64_t count = 1;
    for (int64_t dim : entry.dims) count *= dim;
    info.parameters += count;
    info.file_bytes += static_cast<int64_t>(entry.bytes);
    ++info.dtypes[std::string(dtype_name(entry.dtype))];
  }
  info.available_bytes = available_memory();
  info.unused_tensors = recorded.unused_tensors;
  info.warnings = files.checkpoint->warnings();
  return info;
}

}  // namespace

ModelInfo inspect(const std::filesystem::path& folder, const LoadOptions& options) {
  return at_edge([&] { return describe(folder, options); });
}

std::string dump_graphs(const std::filesystem::path& folder, const LoadOptions& options) {
  return at_edge([&] {
    const Recorded recorded = ModelFolder::open(folder).record(options);
    std::string text;
    for (const auto& [name, graph] : recorded.program.graphs) text += print(graph);
    return text;
  });
}

std::vector<SupportedModel> supported_models() {
  Json evidence = parse_json(evidence_text(), "evidence");
  const JsonRelease release(evidence);
  std::vector<SupportedModel> models;
  for (const Architecture& architecture : architectures()) {
    for (const std::string& head : architecture.heads) {
      auto found = evidence.find(architecture.model_type + " " + head);
      if (found == evidence.end()) continue;
      SupportedModel model{.model_type = architecture.model_type, .head = head};
      for (const TaskEntry* task : task_table()) {
        if (is_head_of(*task, head)) model.tasks.push_back(task->name);
      }
      model.cases = found->at("cases").get<int>();
      model.errors = found->at("errors").get<std::map<std::string, std::string>>();
      models.push_back(std::move(model));
    }
  }
  return models;
}

}  // namespace gamut
