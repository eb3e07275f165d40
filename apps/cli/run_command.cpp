// gamut run: the model's task on texts, printed for people or as JSON.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "gamut/task.h"
#include "text_input.h"

namespace gamut::cli {
namespace {

using Json = nlohmann::json;

struct RunArguments {
  std::string model, task, out, parameters;
  bool truncate = false;
  TextSource source;
  LoadOptions load;
};

/// One argument that names a text file stands for the file's lines.
TextSource resolve(TextSource source) {
  if (source.arguments.size() == 1 && source.arguments[0].ends_with(".txt") &&
      std::filesystem::is_regular_file(source.arguments[0])) {
    source.file = source.arguments[0];
    source.arguments.clear();
  }
  return source;
}

Json make_request(const RunArguments& arguments, const std::string& task, const std::vector<std::string>& texts) {
  Json request = Json::object();
  if (task == "sentence-similarity") {
    if (texts.empty())
      throw Error(ErrorCode::kInvalidArgument,
                  "sentence-similarity: expected a source sentence and sentences to compare");
    request["inputs"] = {{"source_sentence", texts[0]},
                         {"sentences", std::vector<std::string>(texts.begin() + 1, texts.end())}};
  } else {
    request["inputs"] = texts;
  }
  if (!arguments.parameters.empty()) {
    request["parameters"] = Json::parse(arguments.parameters, nullptr, /*allow_exceptions=*/false);
    if (!request["parameters"].is_object())
      throw Error(ErrorCode::kInvalidArgument, "--parameters: expected a JSON object");
  }
  if (arguments.truncate) request["parameters"]["truncate"] = true;
  return request;
}

void print_similarity(const Json& result, const std::vector<std::string>& texts) {
  std::vector<size_t> order(result.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order,
                           [&](size_t a, size_t b) { return result[a].get<double>() > result[b].get<double>(); });
  for (size_t i : order) std::printf("%8.4f  %s\n", result[i].get<double>(), texts[i + 1].c_str());
}

void print_fillings(const Json& result) {
  for (const Json& text : result) {
    // A text with several masks has a list of answers for each.
    const bool several = !text.empty() && text[0].is_array();
    for (const Json& answers : several ? text : Json::array({text})) {
      for (const Json& answer : answers) {
        std::printf("%8.4f  %-16s  %s\n", answer["score"].get<double>(), answer["token_str"].get<std::string>().c_str(),
                    answer["sequence"].get<std::string>().c_str());
      }
      std::printf("\n");
    }
  }
}

/// Shape and first numbers of a vector or of a list of vectors.
void print_vectors(const Json& result, const std::vector<std::string>& texts) {
  for (size_t i = 0; i < result.size(); ++i) {
    std::printf("%s\n", texts[i].substr(0, 100).c_str());
    const bool per_token = result[i][0].is_array();
    const Json& vectors = per_token ? result[i][0] : result[i];
    const Json& first = per_token ? vectors[0] : vectors;
    if (per_token) std::printf("  %zu tokens of", vectors.size());
    std::printf("  %zu numbers:", first.size());
    for (size_t n = 0; n < std::min<size_t>(first.size(), 6); ++n) std::printf(" %.4f", first[n].get<double>());
    std::printf(" ...\n");
  }
}

void run(const RunArguments& arguments, bool json) {
  const Pipeline pipeline = Pipeline::open(arguments.model, arguments.task, arguments.load);
  const std::vector<std::string> texts = read_all(resolve(arguments.source));
  const Json request = make_request(arguments, pipeline.task(), texts);
  const std::string text = pipeline.run(request.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!arguments.out.empty()) {
    std::ofstream file(arguments.out);
    file << text << "\n";
    file.close();
    if (!file) throw Error(ErrorCode::kIo, arguments.out + ": cannot be written");
  } else if (json) {
    std::printf("%s\n", text.c_str());
  } else if (const Json result = Json::parse(text); pipeline.task() == "sentence-similarity") {
    print_similarity(result, texts);
  } else if (pipeline.task() == "fill-mask") {
    print_fillings(result);
  } else {
    print_vectors(result, texts);
  }
}

}  // namespace

void add_run_command(CLI::App& app, CommonOptions& common) {
  std::string list;
  for (const TaskInfo& task : tasks()) list += (list.empty() ? "" : ", ") + task.name;
  CLI::App* command = app.add_subcommand("run", "The model's task on real input");
  auto arguments = std::make_shared<RunArguments>();
  command->add_option("MODEL", arguments->model, "Folder of the checkpoint")->required();
  command->add_option("INPUT", arguments->source.arguments,
                      "Texts, or one .txt file (default: standard input, one text per line)");
  command->add_option("--task", arguments->task, "One of: " + list + " (default: the checkpoint's own)");
  command->add_option("--file", arguments->source.file, "File of texts, one per line");
  command->add_option("--out", arguments->out, "Write the result as JSON to this file");
  command->add_option("--parameters", arguments->parameters, "JSON object of the task's parameters, as {\"top_k\": 3}");
  command->add_flag("--truncate", arguments->truncate, "Cut texts that are longer than the model takes");
  add_load_options(*command, arguments->load);
  add_json_option(*command, common);
  command->callback([arguments, &common] { run(*arguments, common.json); });
}

}  // namespace gamut::cli
