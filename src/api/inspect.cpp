// What `gamut info` and `gamut models` say.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/evidence.h"
#include "base/edge.h"
#include "base/error.h"
#include "base/json.h"
#include "base/memory_info.h"
#include "gamut/chat_template.h"
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

/// Weights, the plan of one row and its states: the predicted peak. In 16 bits matrices take half; vectors do not.
int64_t predict_memory(const Graph& graph, int64_t tokens, Precision precision) {
  int64_t bytes = kFixedBytes;
  for (const Node& node : graph.nodes()) {
    if (node.op != &kWeight) continue;
    const ValueInfo& info = graph.info(node.outputs[0]);
    const bool is_matrix = info.dtype == DType::kF32 && info.shape.size() >= 2;
    const int bits = is_matrix && precision != Precision::kF32 ? 16 : dtype_bits(info.dtype);
    bytes += *element_count(info.shape).constant() * bits / 8;
  }
  return bytes + static_cast<int64_t>(planned_bytes(graph, forward_symbols(RowTable::packed({tokens}))));
}

void describe_states(const Program& program, ModelInfo* info) {
  info->is_generator = !program.states.empty();
  for (const StateSpec& spec : program.states) {
    const int64_t per_token = spec.heads * (spec.key_dim + spec.value_dim) * int64_t{sizeof(float)};
    if (spec.kind == StateKind::kKv && spec.window == 0) info->token_state_bytes += per_token;
    if (spec.kind == StateKind::kKv) info->text_state_bytes += spec.window * per_token;
    if (spec.kind != StateKind::kRecurrent) continue;
    int64_t count = sizeof(float);
    for (const int64_t dim : spec.dims) count *= dim;
    info->text_state_bytes += count;
  }
}

void describe_graph(const Program& program, const Backend& backend, ModelInfo* info) {
  const Graph& graph = program.only_graph();
  info->head = program.head;
  info->max_length = program.max_length;
  info->packs_rows = why_not_packable(graph).empty();
  for (const ProgramInput& input : program.inputs) {
    if (input.name == "input_ids") info->vocabulary = input.limit;
  }
  info->memory_tokens = program.max_length > 0 ? std::min(kMemoryTokens, program.max_length) : kMemoryTokens;
  describe_states(program, info);
  const int64_t states = info->memory_tokens * info->token_state_bytes + info->text_state_bytes;
  std::vector<Precision> precisions = backend.probe().precisions;
  if (precisions.empty()) precisions = {Precision::kF32};
  for (const Precision precision : precisions) {
    info->memory_bytes[precision_name(precision)] = predict_memory(graph, info->memory_tokens, precision) + states;
  }
}

}  // namespace

namespace {

ModelInfo describe(const std::filesystem::path& folder, const LoadOptions& options) {
  const ModelFolder files = ModelFolder::open(folder);
  const Recorded recorded = files.record(options);
  ModelInfo info;
  info.model_type = recorded.program.model_type;
  info.heads = files.architecture().heads;
  info.note = files.architecture().note;
  describe_graph(recorded.program, find_backend(options.backend), &info);
  info.context = info.is_generator ? files.context() : 0;
  info.has_chat_template = info.is_generator && ChatTemplate::find(folder).has_value();
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
      SupportedModel model{.model_type = architecture.model_type, .head = head, .note = architecture.note};
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
