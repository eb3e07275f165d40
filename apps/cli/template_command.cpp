// gamut template: the prompt that a chat template makes of a request.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "commands.h"
#include "gamut/chat_template.h"
#include "gamut/error.h"

namespace gamut::cli {
namespace {

using OrderedJson = nlohmann::ordered_json;

struct TemplateArguments {
  std::string model, request, source;
  bool lines = false;
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

/// As above, a text itself; empty where there is none.
std::string take_text(OrderedJson& json, const char* name) {
  if (!json.contains(name) || !json[name].is_string()) return json.erase(name), "";
  std::string text = json[name].get<std::string>();
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
  if (json.contains("continue_final_message") && json["continue_final_message"].is_boolean())
    request.continue_final_message = take(json, "continue_final_message", "") == "true" ? "content" : "";
  else request.continue_final_message = take_text(json, "continue_final_message");
  request.template_name = take_text(json, "chat_template");
  request.variables = json.dump();
  return request;
}

/// Whether a request's "chat_template" is a template rather than the name of one.
bool is_source(const OrderedJson& json) {
  const auto found = json.find("chat_template");
  return found != json.end() && found->is_string() && found->get<std::string>().find('{') != std::string::npos;
}

RenderedChat rendered(const std::optional<ChatTemplate>& chat, const std::string& text) {
  OrderedJson json = OrderedJson::parse(text, nullptr, false);
  if (json.is_discarded()) throw Error(ErrorCode::kInvalidArgument, "the request: not valid JSON");
  if (json.is_object() && is_source(json)) {
    const ChatTemplate own = ChatTemplate::parse(json["chat_template"].get<std::string>());
    json.erase("chat_template");
    return own.render(request_of(std::move(json)));
  }
  if (!chat) throw Error(ErrorCode::kInvalidArgument, "the request: no \"chat_template\", and the model is \"-\"");
  return chat->render(request_of(std::move(json)));
}

OrderedJson as_json(const RenderedChat& chat) {
  OrderedJson out = {{"text", chat.text}, {"generations", OrderedJson::array()}};
  for (const CharRange& range : chat.generations) out["generations"].push_back({range.begin, range.end});
  return out;
}

/// Answers each line of the input with a line, an error too.
void render_lines(const std::optional<ChatTemplate>& chat, const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    OrderedJson answer;
    try {
      answer = as_json(rendered(chat, line));
    } catch (const Error& e) {
      answer = {{"error", {{"code", error_code_name(e.code())}, {"message", e.message()}, {"hint", e.hint()}}}};
    }
    std::printf("%s\n", answer.dump().c_str());
  }
}

std::optional<ChatTemplate> opened(const TemplateArguments& arguments) {
  if (!arguments.source.empty()) return ChatTemplate::parse(read_text(arguments.source));
  if (arguments.model == "-") return std::nullopt;
  return ChatTemplate::open(arguments.model);
}

}  // namespace

void add_template_command(CLI::App& app, CommonOptions& common) {
  auto arguments = std::make_shared<TemplateArguments>();
  Command command(app, "template", "The prompt that the model's chat template makes of a conversation.");
  command
      .positional("MODEL", arguments->model,
                  "A model folder; \"-\" where --template or the request brings the template")
      .positional("REQUEST", arguments->request,
                  "A JSON file (\"-\": stdin) with \"messages\" and optionally \"tools\", \"documents\", …")
      .option("--template", arguments->source, "A template file instead of the model's own")
      .flag("--lines", arguments->lines, "Each line of REQUEST is a request; each gets a line of JSON");
  add_json_option(command, common);
  command.run([arguments, &common] {
    const std::optional<ChatTemplate> chat = opened(*arguments);
    const std::string text = read_text(arguments->request);
    if (arguments->lines) return render_lines(chat, text);
    const RenderedChat answer = rendered(chat, text);
    if (common.json) std::printf("%s\n", as_json(answer).dump().c_str());
    else std::fwrite(answer.text.data(), 1, answer.text.size(), stdout);
  });
}

}  // namespace gamut::cli
