#include "gamut/chat_template.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/edge.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "text/template/interpreter.h"
#include "text/template/json_values.h"
#include "text/template/operators.h"
#include "text/template/repr.h"
#include "text/utf8.h"

namespace gamut {

using namespace jinja;  // NOLINT: the one file where both meet

struct ChatTemplate::State {
  struct One {
    std::string source;
    std::unique_ptr<Template> parsed;
  };
  std::map<std::string, One> templates;
  bool is_named = false;  ///< several by name, even if there is only one
  std::string special_tokens = "{}";
};

namespace {

constexpr size_t kMostTemplateBytes = 4u << 20;
constexpr std::string_view kReasoningFields[] = {"reasoning_content", "thinking", "reasoning"};
constexpr std::string_view kTag = "CONTINUE_FINAL_MESSAGE_TAG ";

[[noreturn]] void as_error(const Exception& e) {
  const bool syntax = e.is(ExceptionType::kTemplateSyntaxError) || e.is(ExceptionType::kTemplateAssertionError);
  std::string hint(exception_name(e.type));
  if (e.line > 0) hint += fmt::format(", line {} of the template", e.line);
  const std::string message = e.message.empty() ? "the template raised an exception without a message" : e.message;
  throw Error(syntax ? ErrorCode::kInvalidFile : ErrorCode::kInvalidArgument, shortened(message), hint);
}

ChatTemplate::State::One parsed(std::string source, const std::string& where) {
  if (text::valid_utf8_prefix(source) != source.size())
    fail(ErrorCode::kInvalidFile, "{}: invalid UTF-8 at byte {}", where, text::valid_utf8_prefix(source));
  if (source.size() > kMostTemplateBytes)
    fail(ErrorCode::kResourceLimit, "{}: {} bytes, at most {} expected", where, source.size(), kMostTemplateBytes);
  try {
    auto tree = parse_template(source);
    return {std::move(source), std::move(tree)};
  } catch (const Exception& e) {
    as_error(e);
  }
}

[[noreturn]] void refuse(ExceptionType type, std::string message) { throw Exception{type, std::move(message)}; }

/// The messages as the template sees them: without nulls, reasoning under each of its names.
Value prepared_messages(Heap& heap, const Value& messages) {
  std::vector<Value> all;
  for (const Value& message : items_of(messages)) {
    if (!message.is(Type::kDict))
      refuse(ExceptionType::kTypeError,
             "Chat messages should be dicts, dataclasses or pydantic models, but got " + repr(message) + ".");
    Value reasoning;
    for (std::string_view field : kReasoningFields) {
      const Value* found = message.as<Dict>().find(field);
      if (reasoning.is_missing() && found != nullptr && !found->is_none()) reasoning = *found;
    }
    const Value made = heap.make_value<Dict>(0);
    auto& dict = made.as<Dict>();
    if (!reasoning.is_missing()) dict.set(heap.string("thinking"), reasoning);
    for (const Dict::Entry& entry : message.as<Dict>().entries()) {
      if (!entry.value.is_none()) dict.set(entry.key, entry.value);
    }
    if (!reasoning.is_missing()) dict.set(heap.string("reasoning_content"), reasoning);
    all.push_back(made);
  }
  return heap.list(std::move(all));
}

/// Marks the end of the last message's text, and returns that text.
Value tagged(Heap& heap, const Value& messages, const std::string& field, const std::string& source) {
  auto& last = items_of(messages).back().as<Dict>();
  const Value* found = last.find(field);
  if (found == nullptr || found->is_none())
    refuse(ExceptionType::kValueError,
           "continue_final_message is set but the final message has no \"" + field + "\" to continue!");
  Value text = *found;
  std::vector<std::string> fields = {field};
  if (std::ranges::find(kReasoningFields, field) != std::end(kReasoningFields)) {
    fields.clear();
    for (std::string_view name : kReasoningFields) {
      const Value* other = last.find(name);
      if (other != nullptr && equals(*other, text)) fields.emplace_back(name);
    }
  }
  if (std::ranges::none_of(fields, [&](const std::string& name) { return source.find(name) != std::string::npos; })) {
    refuse(ExceptionType::kValueError,
           "continue_final_message is set to \"" + field + "\" but this is not an accepted field in the chat_template");
  }
  const Value tag = heap.string(kTag);
  if (text.is_array()) {
    for (size_t i = items_of(text).size(); i-- > 0;) {
      const Value& block = items_of(text)[i];
      if (!block.is(Type::kDict) || block.as<Dict>().find("text") == nullptr) continue;
      Value said = *block.as<Dict>().find("text");
      block.as<Dict>().set(heap.string("text"), binary(heap, Operator::kAdd, said, tag));
      return said;
    }
    refuse(ExceptionType::kValueError,
           "continue_final_message is set but we could not find any text to continue in the final message!");
  }
  for (const std::string& name : fields) last.set(heap.string(name), binary(heap, Operator::kAdd, text, tag));
  return text;
}

/// What is left of the text when it ends where the last message does.
std::string cut_at_tag(const std::string& rendered, const Value& said) {
  const std::string_view bare = kTag.substr(0, kTag.size() - 1), words = strip(text_of(said), kStripBoth);
  const size_t at = rendered.rfind(bare);
  if (at == std::string::npos || rendered.find(words) == std::string::npos) {
    refuse(ExceptionType::kValueError,
           "continue_final_message is set but the final message does not appear in the chat after applying the chat "
           "template! This can "
           "happen if the chat template deletes portions of the final message. Please verify the chat template and "
           "final message in your "
           "chat to ensure they are compatible.Final message to continue: " +
               std::string(words) + "\nRendered chat:\n" + rendered);
  }
  if (rendered.compare(at, kTag.size(), kTag) == 0) return rendered.substr(0, at);
  return std::string(strip(std::string_view(rendered).substr(0, at), kStripRight));
}

std::string token_text(const Json& token) {
  if (token.is_object() && token.contains("content") && token["content"].is_string())
    return token["content"].get<std::string>();
  return token.is_string() ? token.get<std::string>() : "";
}

/// Adds the tokens that templates see by name, where they are not there yet.
void add_special_tokens(Json& tokens, const Json& config) {
  auto add = [&](const std::string& name, const Json& token) {
    if (!tokens.contains(name) && !token_text(token).empty()) tokens[name] = token_text(token);
  };
  for (const char* name :
       {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    if (config.contains(name)) add(name, config[name]);
  }
  if (!config.contains("extra_special_tokens") || !config["extra_special_tokens"].is_object()) return;
  for (const auto& [name, token] : config["extra_special_tokens"].items()) add(name, token);
}

void add_from_config(ChatTemplate::State& state, const Json& config, const std::string& where) {
  if (!config.contains("chat_template") || config["chat_template"].is_null()) return;
  const Json& entry = config["chat_template"];
  if (entry.is_string()) {
    state.templates["default"] = parsed(entry.get<std::string>(), where);
    return;
  }
  state.is_named = true;
  for (const Json& one : entry) {
    if (!one.is_object() || !one.contains("name") || !one.contains("template") || !one["name"].is_string() ||
        !one["template"].is_string()) {
      fail(ErrorCode::kInvalidFile, "{}: chat_template, expected a text or a list of {{\"name\", \"template\"}}",
           where);
    }
    state.templates[one["name"].get<std::string>()] = parsed(one["template"].get<std::string>(), where);
  }
}

}  // namespace

ChatTemplate ChatTemplate::parse(std::string_view source, std::string_view tokens) {
  return at_edge([&] {
    auto state = std::make_shared<State>();
    state->templates["default"] = parsed(std::string(source), "chat template");
    state->special_tokens = tokens;
    return ChatTemplate(std::move(state));
  });
}

namespace {

namespace fs = std::filesystem;

void add_files(ChatTemplate::State& state, const fs::path& folder) {
  if (fs::exists(folder / "chat_template.jinja"))
    state.templates["default"] =
        parsed(read_file(folder / "chat_template.jinja", kMostTemplateBytes), "chat_template.jinja");
  if (!fs::is_directory(folder / "additional_chat_templates")) return;
  for (const auto& file : fs::directory_iterator(folder / "additional_chat_templates")) {
    if (file.path().extension() != ".jinja") continue;
    state.templates[file.path().stem().string()] =
        parsed(read_file(file.path(), kMostTemplateBytes), file.path().filename().string());
    state.is_named = true;
  }
}

/// The object in a file of the folder; empty where there is no such file.
Json object_in(const fs::path& folder, const char* name) {
  if (!fs::exists(folder / name)) return Json::object();
  Json json = parse_json_file(folder / name);
  if (!json.is_object()) fail(ErrorCode::kInvalidFile, "{}: expected an object", name);
  return json;
}

}  // namespace

ChatTemplate ChatTemplate::open(const fs::path& folder) {
  return at_edge([&] {
    auto state = std::make_shared<State>();
    add_files(*state, folder);
    const Json config = object_in(folder, "tokenizer_config.json");
    Json tokens = Json::object();
    add_special_tokens(tokens, config);
    if (!config.contains("added_tokens_decoder"))
      add_special_tokens(tokens, object_in(folder, "special_tokens_map.json"));
    state->special_tokens = tokens.dump();
    if (state->templates.empty()) add_from_config(*state, config, "tokenizer_config.json");
    if (state->templates.empty())
      add_from_config(*state, object_in(folder, "chat_template.json"), "chat_template.json");
    if (state->templates.empty())
      fail_with_hint(ErrorCode::kNotFound, folder.string() + ": no chat template",
                     "Expected chat_template.jinja, or chat_template in tokenizer_config.json or chat_template.json.");
    return ChatTemplate(std::move(state));
  });
}

std::optional<ChatTemplate> ChatTemplate::find(const fs::path& folder) {
  try {
    return open(folder);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    return std::nullopt;
  }
}

namespace {

const ChatTemplate::State::One& chosen(const ChatTemplate::State& state, const ChatRequest& request, bool has_tools) {
  std::string name = request.template_name;
  if (name.empty()) name = has_tools && state.templates.contains("tool_use") ? "tool_use" : "default";
  const auto found = state.templates.find(name);
  if (found != state.templates.end()) return found->second;
  std::string names;
  for (const auto& [each, one] : state.templates) names += (names.empty() ? "" : ", ") + jinja::quoted(each);
  if (request.template_name.empty()) {
    refuse(
        ExceptionType::kValueError,
        "This model has multiple chat templates with no default specified! Please either pass a chat template or the "
        "name of the template you wish to use to the `chat_template` argument. Available template names are [" +
            names + "].");
  }
  fail(ErrorCode::kInvalidArgument, "no chat template named \"{}\"; available template names are [{}].", name, names);
}

RenderedChat render_chat(const ChatTemplate::State& state, const ChatRequest& request) {
  const size_t input =
      request.messages.size() + request.tools.size() + request.documents.size() + request.variables.size();
  Budget budget(Limits{}, input);
  Heap heap(budget);
  const Value messages = parse_json_value(heap, request.messages, "messages"),
              tools = parse_json_value(heap, request.tools, "tools");
  const Value documents = parse_json_value(heap, request.documents, "documents");
  const Value variables = parse_json_value(heap, state.special_tokens, "special tokens"),
              more = parse_json_value(heap, request.variables, "variables");
  if (!messages.is(Type::kList) || !more.is(Type::kDict))
    fail(ErrorCode::kInvalidArgument, "messages: expected a JSON array, variables: a JSON object");
  if (items_of(messages).empty())
    refuse(ExceptionType::kValueError,
           "Cannot apply chat template to an empty conversation. Provide at least one message.");
  const ChatTemplate::State::One& one = chosen(state, request, !tools.is_none());
  if (!request.continue_final_message.empty() && request.add_generation_prompt) {
    refuse(ExceptionType::kValueError,
           "continue_final_message and add_generation_prompt are not compatible. Use continue_final_message when you "
           "want the model to continue the final message, and add_generation_prompt when you want to add a header that "
           "will prompt it to start a new assistant message instead.");
  }
  auto& names = variables.as<Dict>();
  for (const Dict::Entry& entry : more.as<Dict>().entries()) names.set(entry.key, entry.value);
  const Value chat = prepared_messages(heap, messages);
  Value said;
  if (!request.continue_final_message.empty()) said = tagged(heap, chat, request.continue_final_message, one.source);
  names.set(heap.string("messages"), chat);
  names.set(heap.string("tools"), tools);
  names.set(heap.string("documents"), documents);
  names.set(heap.string("add_generation_prompt"), Value::boolean(request.add_generation_prompt));
  Interpreter interpreter(heap, variables);
  RenderedChat rendered;
  rendered.text = interpreter.run(*one.parsed);
  for (const Generation& said_part : interpreter.generations())
    rendered.generations.push_back({static_cast<int64_t>(said_part.begin), static_cast<int64_t>(said_part.end)});
  if (!said.is_missing()) rendered.text = cut_at_tag(rendered.text, said);
  return rendered;
}

}  // namespace

RenderedChat ChatTemplate::render(const ChatRequest& request) const {
  return at_edge([&] {
    try {
      return render_chat(*state_, request);
    } catch (const Exception& e) {
      as_error(e);
    }
  });
}

}  // namespace gamut
