// gamut generate: prompts to text, streamed; or raw tensors in and out.
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "gamut/generate.h"
#include "generation_options.h"

namespace gamut::cli {
namespace {

struct GenerateArguments {
  std::string model, prompt, inputs, outputs;
  std::vector<int64_t> ids;
  GenerationArguments generation;
  LoadOptions load;
};

/// One object for each new token.
nlohmann::ordered_json to_json(const std::vector<TokenLogprobs>& logprobs, const std::vector<int64_t>& ids) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (size_t i = 0; i < logprobs.size(); ++i) {
    nlohmann::ordered_json top = nlohmann::ordered_json::array();
    for (const TokenLogprob& one : logprobs[i].top) top.push_back({{"id", one.id}, {"logprob", one.logprob}});
    json.push_back({{"id", ids[i]}, {"logprob", logprobs[i].logprob}, {"top", std::move(top)}});
  }
  return json;
}

nlohmann::ordered_json to_json(const GeneratedText& result) {
  nlohmann::ordered_json json;
  if (result.error) {
    json["error"] = {{"code", error_code_name(result.error->code())},
                     {"message", result.error->message()},
                     {"hint", result.error->hint()}};
  }
  json["text"] = result.text;
  json["ids"] = result.ids;
  json["finish_reason"] = result.finish_reason;
  json["prompt_tokens"] = result.prompt_tokens;
  if (result.score) json["score"] = *result.score;
  if (result.seed) json["seed"] = *result.seed;
  if (!result.logprobs.empty()) json["logprobs"] = to_json(result.logprobs, result.ids);
  return json;
}

void generate_raw(const Generator& generator, const GenerateArguments& arguments, bool json) {
  const NamedTensors outputs = generator.generate_raw(read_tensors(arguments.inputs), arguments.generation.resolved());
  write_tensors(arguments.outputs, outputs);
  nlohmann::ordered_json summary = {{"outputs", nlohmann::ordered_json::object()}};
  for (const auto& [name, tensor] : outputs) {
    summary["outputs"][name] = {{"dtype", dtype_name(tensor.dtype())}, {"shape", tensor.dims()}};
    if (!json) {
      std::printf("%s %s%s\n", name.c_str(), std::string(dtype_name(tensor.dtype())).c_str(),
                  to_string(tensor.dims()).c_str());
    }
  }
  if (json) std::printf("%s\n", summary.dump().c_str());
}

/// --prompt, or each line of standard input.
std::vector<std::string> read_prompts(const std::string& prompt) {
  if (!prompt.empty()) return {prompt};
  std::vector<std::string> prompts;
  for (std::string line; std::getline(std::cin, line);) prompts.push_back(line);
  return prompts;
}

std::vector<GeneratedText> generate_text(const Generator& generator, const GenerateArguments& arguments, bool json) {
  const bool by_ids = !arguments.ids.empty();
  const std::vector<std::string> prompts = by_ids ? std::vector<std::string>{} : read_prompts(arguments.prompt);
  // One text can be shown as it comes; several would run into each other.
  const int64_t copies = generator.texts_per_prompt(arguments.generation.resolved());
  TextCallback show;
  if (!json && copies == 1 && (by_ids || prompts.size() == 1)) {
    show = [](size_t, std::string_view piece) { return write_piece(piece); };
  }
  std::vector<GeneratedText> results =
      by_ids ? generator.generate_ids({arguments.ids}, arguments.generation.resolved(), show)
             : generator.generate(prompts, arguments.generation.resolved(), show);
  if (show) std::printf("\n");
  if (!show && !json) {
    for (const GeneratedText& result : results) std::printf("%s\n", result.text.c_str());
  }
  return results;
}

void generate(const GenerateArguments& arguments, CommonOptions& common) {
  const Generator generator = Generator::open(arguments.model, arguments.load, arguments.generation.state_bytes());
  if (arguments.inputs.empty()) print_warnings(generator, arguments.generation);
  if (!arguments.inputs.empty()) {
    if (arguments.outputs.empty()) throw Error(ErrorCode::kInvalidArgument, "--inputs needs --outputs");
    return generate_raw(generator, arguments, common.json);
  }
  const std::vector<GeneratedText> results = generate_text(generator, arguments, common.json);
  for (const GeneratedText& result : results) {
    if (common.json)
      std::printf("%s\n", to_json(result).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    if (!result.error) continue;
    if (results.size() == 1) throw Error(*result.error);
    if (!common.json) std::fprintf(stderr, "gamut: %s\n", result.error->message().c_str());
    common.exit_code = 1;
  }
}

}  // namespace

void add_generate_command(CLI::App& app, CommonOptions& common) {
  Command command(app, "generate", "Text that goes on from a prompt, as it is made; or raw tensors in and out");
  auto arguments = std::make_shared<GenerateArguments>();
  command.positional("MODEL", arguments->model, "Folder of the checkpoint");
  command.option("--prompt", arguments->prompt, "The prompt (default: each line of standard input is one)");
  command.numbers("--ids", arguments->ids, "The prompt as token ids");
  command.option("--inputs", arguments->inputs, "safetensors file with input_ids and attention_mask");
  command.option("--outputs", arguments->outputs, "safetensors file to write: sequences and logits");
  add_generation_options(command, arguments->generation);
  add_load_options(command, arguments->load);
  add_json_option(command, common);
  command.run([arguments, &common] { generate(*arguments, common); });
}

}  // namespace gamut::cli
