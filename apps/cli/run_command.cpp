// gamut run: the model's task on texts, printed for people or as JSON.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "gamut/chat_template.h"
#include "gamut/task.h"
#include "generation_options.h"
#include "text_input.h"

namespace gamut::cli {
namespace {

using Json = nlohmann::json;

constexpr const char* kTextGeneration = "text-generation";

struct RunArguments {
  std::string model, task, out, parameters;
  bool truncate = false, plain = false;
  TextSource source;
  GenerationArguments generation;
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
  } else if (task == kTextGeneration && !arguments.plain && ChatTemplate::find(arguments.model)) {
    request["inputs"] = Json::array();
    for (const std::string& text : texts) {
      request["inputs"].push_back(Json::array({{{"role", "user"}, {"content", text}}}));
    }
  } else {
    request["inputs"] = texts;
  }
  request["parameters"] = Json::parse(generation_parameters(arguments.generation.resolved()));
  if (!arguments.parameters.empty()) {
    const Json given = Json::parse(arguments.parameters, nullptr, /*allow_exceptions=*/false);
    if (!given.is_object()) throw Error(ErrorCode::kInvalidArgument, "--parameters: expected a JSON object");
    request["parameters"].update(given);
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

/// Each prompt and what was made of it.
void print_generations(const Json& result, const std::vector<std::string>& texts, CommonOptions& common) {
  for (size_t i = 0; i < texts.size(); ++i) {
    std::printf("> %s\n", texts[i].c_str());
    for (const Json& answer : result[i]) {
      if (!answer.contains("error")) {
        std::printf("%s\n\n", answer["generated_text"].get<std::string>().c_str());
        continue;
      }
      std::fprintf(stderr, "gamut: %s\n", answer["error"]["message"].get<std::string>().c_str());
      common.exit_code = 1;
    }
  }
}

void print(const Json& result, const std::string& task, const std::vector<std::string>& texts) {
  if (task == "sentence-similarity") return print_similarity(result, texts);
  if (task == "fill-mask") return print_fillings(result);
  print_vectors(result, texts);
}

void run(const RunArguments& arguments, CommonOptions& common) {
  const Pipeline pipeline = Pipeline::open(arguments.model, arguments.task, arguments.load);
  const std::vector<std::string> texts = read_all(resolve(arguments.source));
  Json request = make_request(arguments, pipeline.task(), texts);
  const bool to_people = arguments.out.empty() && !common.json;
  TextCallback show;
  if (to_people && pipeline.task() == kTextGeneration) {
    request["parameters"]["return_full_text"] = false;
    // One text can be shown as it comes; several would run into each other.
    if (texts.size() == 1) show = [](size_t, std::string_view piece) { return write_piece(piece); };
  }
  const std::string text = pipeline.run(request.dump(-1, ' ', false, Json::error_handler_t::replace), show);
  if (!arguments.out.empty()) {
    std::ofstream file(arguments.out);
    file << text << "\n";
    file.close();
    if (!file) throw Error(ErrorCode::kIo, arguments.out + ": cannot be written");
  } else if (common.json) {
    std::printf("%s\n", text.c_str());
  } else if (pipeline.task() == kTextGeneration) {
    const Json result = Json::parse(text);
    if (show && result[0].size() == 1) std::printf("\n");
    else print_generations(result, texts, common);
  } else {
    print(Json::parse(text), pipeline.task(), texts);
  }
}

}  // namespace

void add_run_command(CLI::App& app, CommonOptions& common) {
  std::string list;
  for (const TaskInfo& task : tasks()) list += (list.empty() ? "" : ", ") + task.name;
  Command command(app, "run", "The model's task on real input");
  auto arguments = std::make_shared<RunArguments>();
  command.positional("MODEL", arguments->model, "Folder of the checkpoint");
  command.positionals("INPUT", arguments->source.arguments,
                      "Texts, or one .txt file (default: standard input, one text per line)");
  command.option("--task", arguments->task, "One of: " + list + " (default: the checkpoint's own)");
  command.option("--file", arguments->source.file, "File of texts, one per line");
  command.option("--out", arguments->out, "Write the result as JSON to this file");
  command.option("--parameters", arguments->parameters, "JSON object of the task's parameters, as {\"top_k\": 3}");
  command.flag("--truncate", arguments->truncate, "Cut texts that are longer than the model takes");
  command.flag("--plain", arguments->plain,
               "text-generation: go on from the prompt itself, also where the model has a chat template");
  add_generation_options(command, arguments->generation);
  add_load_options(command, arguments->load);
  add_json_option(command, common);
  command.run([arguments, &common] { run(*arguments, common); });
}

}  // namespace gamut::cli
