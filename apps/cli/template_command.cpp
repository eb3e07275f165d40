// gamut template: the prompt that a chat template makes of a request.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "gamut/chat_template.h"
#include "gamut/error.h"

namespace gamut::cli {
namespace {

using OrderedJson = nlohmann::ordered_json;

struct TemplateArguments {
  std::string model, request, source;
};

std::string read_text(const std::string& path) {
  if (path == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::kNotFound, path + ": cannot be opened");
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Takes a field out of the request, as JSON text.
std::string take(OrderedJson& json, const char* name, const std::string& otherwise) {
  if (!json.contains(name)) return otherwise;
  std::string text = json[name].dump();
  json.erase(name);
  return text;
}

ChatRequest request_of(OrderedJson json) {
  if (!json.is_object() || !json.contains("messages")) {
    throw Error(ErrorCode::kInvalidArgument, "the request: expected a JSON object with \"messages\"");
  }
  ChatRequest request;
  request.messages = take(json, "messages", "[]");
  request.tools = take(json, "tools", "null");
  request.documents = take(json, "documents", "null");
  request.add_generation_prompt = take(json, "add_generation_prompt", "false") == "true";
  const std::string field = take(json, "continue_final_message", "false");
  if (field == "true") request.continue_final_message = "content";
  if (field.starts_with('"')) request.continue_final_message = field.substr(1, field.size() - 2);
  const std::string name = take(json, "chat_template", "null");
  if (name.starts_with('"')) request.template_name = name.substr(1, name.size() - 2);
  request.variables = json.dump();
  return request;
}

/// Renders a request and prints it.
void render(const ChatTemplate& chat, const std::string& text, bool as_json) {
  OrderedJson json = OrderedJson::parse(text, nullptr, false);
  if (json.is_discarded()) throw Error(ErrorCode::kInvalidArgument, "the request: not valid JSON");
  const RenderedChat rendered = chat.render(request_of(std::move(json)));
  if (!as_json) {
    std::fwrite(rendered.text.data(), 1, rendered.text.size(), stdout);
    return;
  }
  OrderedJson out = {{"text", rendered.text}, {"generations", OrderedJson::array()}};
  for (const CharRange& range : rendered.generations) out["generations"].push_back({range.begin, range.end});
  std::printf("%s\n", out.dump().c_str());
}

}  // namespace

void add_template_command(CLI::App& app, CommonOptions& common) {
  auto arguments = std::make_shared<TemplateArguments>();
  Command command(app, "template", "The prompt that the model's chat template makes of a conversation.");
  command.positional("MODEL", arguments->model, "A model folder; \"-\" with --template")
      .positional("REQUEST", arguments->request,
                  "A JSON file (\"-\": stdin) with \"messages\" and optionally \"tools\", \"documents\", …")
      .option("--template", arguments->source, "A template file instead of the model's own");
  add_json_option(command, common);
  command.run([arguments, &common] {
    const ChatTemplate chat = arguments->source.empty() ? ChatTemplate::open(arguments->model)
                                                        : ChatTemplate::parse(read_text(arguments->source));
    render(chat, read_text(arguments->request), common.json);
  });
}

}  // namespace gamut::cli
