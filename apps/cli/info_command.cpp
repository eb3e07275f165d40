// gamut info and gamut models: what a checkpoint is, and what is supported.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "gamut/model.h"

namespace gamut::cli {
namespace {

using OrderedJson = nlohmann::ordered_json;

struct InfoArguments {
  std::string model;
  bool graph = false;
  LoadOptions load;
};

std::string megabytes(int64_t bytes) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
  return text;
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out.empty() ? "none" : out;
}

void print_json(const ModelInfo& info) {
  OrderedJson memory = OrderedJson::object();
  for (const auto& [precision, bytes] : info.memory_bytes) {
    memory[precision] = {
        {"peak_bytes", bytes}, {"tokens", info.memory_tokens}, {"fits", bytes <= info.available_bytes}};
  }
  const OrderedJson json = {
      {"model_type", info.model_type},
      {"architecture", info.head},
      {"heads", info.heads},
      {"tasks", info.tasks},
      {"default_task", info.default_task},
      {"parameters", info.parameters},
      {"bytes", info.file_bytes},
      {"dtypes", info.dtypes},
      {"max_length", info.max_length},
      {"context", info.context},
      {"vocabulary", info.vocabulary},
      {"chat", info.has_chat_template},
      {"state_bytes", {{"per_token", info.token_state_bytes}, {"per_text", info.text_state_bytes}}},
      {"note", info.note},
      {"packs_rows", info.packs_rows},
      {"memory", memory},
      {"available_bytes", info.available_bytes},
      {"unused_tensors", info.unused_tensors},
      {"warnings", info.warnings}};
  std::printf("%s\n", json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace).c_str());
}

void print_limits(const ModelInfo& info) {
  const int64_t longest = info.context > 0 ? info.context : info.max_length;
  const std::string tokens = longest > 0 ? std::to_string(longest) + " tokens" : "any number of tokens";
  std::printf("limits        %s, vocabulary of %lld\n", tokens.c_str(), static_cast<long long>(info.vocabulary));
  if (!info.is_generator) return;
  std::printf("chat          %s\n", info.has_chat_template ? "yes: gamut chat" : "no: there is no chat template");
  std::printf("states        %.1f KiB for each token and %.1f KiB for each text that is being generated\n",
              static_cast<double>(info.token_state_bytes) / 1024, static_cast<double>(info.text_state_bytes) / 1024);
}

void print_text(const ModelInfo& info) {
  std::printf("model type    %s%s\n", info.model_type.c_str(),
              info.note.empty() ? "" : (" (" + info.note + ")").c_str());
  std::printf("architecture  %s (also: %s)\n", info.head.c_str(), join(info.heads).c_str());
  std::printf("tasks         %s (default: %s)\n", join(info.tasks).c_str(),
              info.default_task.empty() ? "none" : info.default_task.c_str());
  std::printf("parameters    %.2f M in %s\n", static_cast<double>(info.parameters) / 1e6,
              megabytes(info.file_bytes).c_str());
  std::string dtypes;
  for (const auto& [dtype, count] : info.dtypes)
    dtypes += (dtypes.empty() ? "" : ", ") + std::to_string(count) + " x " + dtype;
  std::printf("tensors       %s\n", dtypes.c_str());
  print_limits(info);
  std::printf("batches       %s\n",
              info.packs_rows ? "ragged rows run packed, without padding" : "rows are padded to the longest");
  for (const auto& [precision, bytes] : info.memory_bytes) {
    std::printf("memory        %s: about %s for %lld tokens; %s available, it %s\n", precision.c_str(),
                megabytes(bytes).c_str(), static_cast<long long>(info.memory_tokens),
                megabytes(info.available_bytes).c_str(), bytes <= info.available_bytes ? "fits" : "does not fit");
  }
  for (const std::string& name : info.unused_tensors)
    std::printf("warning       tensor %s is not used by %s\n", name.c_str(), info.head.c_str());
  for (const std::string& warning : info.warnings) std::printf("warning       %s\n", warning.c_str());
}

void info(const InfoArguments& arguments, bool json) {
  if (arguments.graph) {
    const std::string dump = dump_graphs(arguments.model, arguments.load);
    if (json) std::printf("%s\n", OrderedJson({{"graph", dump}}).dump().c_str());
    else std::fputs(dump.c_str(), stdout);
    return;
  }
  const ModelInfo found = inspect(arguments.model, arguments.load);
  json ? print_json(found) : print_text(found);
}

void models(bool json) {
  OrderedJson list = OrderedJson::array();
  if (!json) std::printf("%-12s %-34s %5s  %-28s %s\n", "model type", "class", "cases", "largest error", "tasks");
  for (const SupportedModel& model : supported_models()) {
    list.push_back({{"model_type", model.model_type},
                    {"note", model.note},
                    {"class", model.head},
                    {"tasks", model.tasks},
                    {"cases", model.cases},
                    {"errors", model.errors}});
    if (json) continue;
    std::string errors;
    for (const auto& [target, error] : model.errors) errors += (errors.empty() ? "" : ", ") + target + " " + error;
    std::printf("%-12s %-34s %5d  %s  %s%s\n", model.model_type.c_str(), model.head.c_str(), model.cases,
                errors.c_str(), (model.tasks.empty() ? "(gamut forward)" : join(model.tasks)).c_str(),
                model.note.empty() ? "" : ("  (" + model.note + ")").c_str());
  }
  if (json) std::printf("%s\n", OrderedJson({{"models", list}}).dump().c_str());
}

}  // namespace

void add_info_command(CLI::App& app, CommonOptions& common) {
  Command command(app, "info", "What a checkpoint is: architecture, tasks, parameters, memory");
  auto arguments = std::make_shared<InfoArguments>();
  command.positional("MODEL", arguments->model, "Folder of the checkpoint");
  command.flag("--graph", arguments->graph, "Print the recorded operator graph");
  add_load_options(command, arguments->load);
  add_json_option(command, common);
  command.run([arguments, &common] { info(*arguments, common.json); });
}

void add_models_command(CLI::App& app, CommonOptions& common) {
  Command command(app, "models", "What is supported, with the evidence");
  add_json_option(command, common);
  command.run([&common] { models(common.json); });
}

}  // namespace gamut::cli
