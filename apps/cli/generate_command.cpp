// gamut generate: prompts to text, streamed; or raw tensors in and out.
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "gamut/generate.h"

namespace gamut::cli {
namespace {

struct GenerateArguments {
  std::string model, prompt, inputs, outputs, stop;
  std::vector<int64_t> ids, stop_ids;
  std::optional<size_t> max_new_tokens, min_new_tokens;
  size_t state_mib = 0;
  bool greedy = false, ignore_eos = false;
  LoadOptions load;

  GenerateOptions options() const {
    GenerateOptions options;
    if (max_new_tokens) options.max_new_tokens = static_cast<int64_t>(*max_new_tokens);
    if (min_new_tokens) options.min_new_tokens = static_cast<int64_t>(*min_new_tokens);
    if (!stop.empty()) options.stop = {stop};
    options.stop_ids = stop_ids;
    options.ignore_eos = ignore_eos;
    return options;
  }
};

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
  return json;
}

void generate_raw(const Generator& generator, const GenerateArguments& arguments, bool json) {
  const NamedTensors outputs = generator.generate_raw(read_tensors(arguments.inputs), arguments.options());
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
  TextCallback show;
  if (!json && (by_ids || prompts.size() == 1)) {
    show = [](size_t, std::string_view piece) {
      std::fwrite(piece.data(), 1, piece.size(), stdout);
      return std::fflush(stdout) == 0;
    };
  }
  std::vector<GeneratedText> results = by_ids ? generator.generate_ids({arguments.ids}, arguments.options(), show)
                                              : generator.generate(prompts, arguments.options(), show);
  if (show) std::printf("\n");
  if (!show && !json) {
    for (const GeneratedText& result : results) std::printf("%s\n", result.text.c_str());
  }
  return results;
}

void generate(const GenerateArguments& arguments, CommonOptions& common) {
  const Generator generator = Generator::open(arguments.model, arguments.load, arguments.state_mib << 20);
  if (!arguments.greedy && arguments.inputs.empty()) {
    for (const std::string& warning : generator.warnings()) std::fprintf(stderr, "gamut: %s\n", warning.c_str());
  }
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
  command.option("--max-new-tokens", arguments->max_new_tokens,
                 "At most so many tokens (default: generation_config.json's, else 128)");
  command.option("--min-new-tokens", arguments->min_new_tokens, "No end of text before so many tokens");
  command.option("--stop", arguments->stop, "A string that ends the text");
  command.numbers("--stop-ids", arguments->stop_ids, "Ids that end the text, besides the checkpoint's own");
  command.flag("--ignore-eos", arguments->ignore_eos, "The checkpoint's end-of-text ids end nothing");
  command.flag("--greedy", arguments->greedy, "The likeliest token each time (the only way so far)");
  command.option("--state-memory", arguments->state_mib, "MiB for keys and values (0: half of what is left)",
                 {.max = int64_t{1} << 30});
  add_load_options(command, arguments->load);
  add_json_option(command, common);
  command.run([arguments, &common] { generate(*arguments, common); });
}

}  // namespace gamut::cli
