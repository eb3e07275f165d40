// Chat templates: a conversation to the text that a model was trained on, as transformers' apply_chat_template writes
// it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gamut/tokenizer.h"

namespace gamut {

/// What to render. Values are JSON texts, so that the order of keys reaches the template.
struct ChatRequest {
  std::string messages = "[]";     ///< JSON array of objects
  std::string tools = "null";      ///< JSON array of schemas
  std::string documents = "null";  ///< JSON array of objects
  std::string variables = "{}";    ///< JSON object: further variables of the template
  bool add_generation_prompt = false;
  std::string continue_final_message;  ///< the field of the last message to leave open, as "content"; empty: none
  std::string template_name;           ///< which one, where the model has several; empty: "tool_use" or "default"
};

struct RenderedChat {
  std::string text;
  /// The parts inside of `generation` blocks, in characters of `text`.
  std::vector<CharRange> generations;
};

/// The template of a model, parsed. Immutable: copies share it and every method may be called from several threads.
class ChatTemplate {
 public:
  /// Opens the templates of a model folder as transformers does: chat_template.jinja and additional_chat_templates/ or
  /// else the `chat_template` of tokenizer_config.json or of a processor's chat_template.json. The special tokens of
  /// tokenizer_config.json and special_tokens_map.json become variables. Throws Error{kNotFound}
  /// when there is none, Error{kInvalidFile} for one with a syntax error.
  static ChatTemplate open(const std::filesystem::path& folder);
  /// The same, or nothing when there is none.
  static std::optional<ChatTemplate> find(const std::filesystem::path& folder);
  /// A template by its text; `special_tokens` is a JSON object of variables.
  static ChatTemplate parse(std::string_view source, std::string_view special_tokens = "{}");

  /// Throws Error{kInvalidArgument} with the text of the exception that Jinja or the template raises,
  /// Error{kInvalidFile} for a syntax error and Error{kResourceLimit} when the budget of steps, memory, output or depth
  /// is used up; the hint names the exception and the line.
  RenderedChat render(const ChatRequest& request) const;

  struct State;

 private:
  explicit ChatTemplate(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace gamut
