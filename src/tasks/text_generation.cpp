// text-generation: text that goes on from a prompt, or the answer to a conversation.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/excerpt.h"
#include "gamut/chat_template.h"
#include "gamut/generate.h"
#include "tasks/support/generation_parameters.h"
#include "tasks/support/request.h"
#include "tasks/task.h"

namespace gamut {

extern const TaskEntry kTextGeneration;

namespace {

bool is_message(const Json& value) { return value.is_object(); }
bool is_conversation(const Json& value) {
  return value.is_array() && !value.empty() && std::ranges::all_of(value, is_message);
}

/// As transformers' pipeline: an answer at the end of a conversation is to be gone on with.
bool ends_with_answer(const Json& messages) {
  return messages.back().contains("role") && messages.back()["role"] == "assistant";
}

/// What a result repeats of its prompt.
struct Prompts {
  std::vector<Json> given;  // texts or conversations
  bool are_conversations = false;
  bool is_one = false;  // not in an array of them
};

Prompts prompts_of(const Json& inputs) {
  Prompts prompts{.is_one = inputs.is_string() || is_conversation(inputs)};
  if (prompts.is_one) prompts.given = {inputs};
  else if (inputs.is_array()) prompts.given.assign(inputs.begin(), inputs.end());
  prompts.are_conversations = !prompts.given.empty() && is_conversation(prompts.given.front());
  const bool fits = (prompts.is_one || inputs.is_array()) && std::ranges::all_of(prompts.given, [&](const Json& each) {
                      return prompts.are_conversations ? is_conversation(each) : each.is_string();
                    });
  if (!fits) {
    fail(ErrorCode::kInvalidArgument,
         "inputs: {}, expected a string, a conversation (an array of messages) or an array of one of the two",
         excerpt(inputs.dump(-1, ' ', false, Json::error_handler_t::replace)));
  }
  return prompts;
}

Json error_json(const Error& error) {
  return {{"code", error_code_name(error.code())}, {"message", error.message()}, {"hint", error.hint()}};
}

/// One object for each new token.
Json logprobs_json(const std::vector<TokenLogprobs>& logprobs, const std::vector<int64_t>& ids) {
  Json json = Json::array();
  for (size_t i = 0; i < logprobs.size(); ++i) {
    Json top = Json::array();
    for (const TokenLogprob& one : logprobs[i].top) top.push_back({{"id", one.id}, {"logprob", one.logprob}});
    json.push_back({{"id", ids[i]}, {"logprob", logprobs[i].logprob}, {"top", std::move(top)}});
  }
  return json;
}

class TextGenerationTask : public Task {
 public:
  TextGenerationTask(const ModelFolder& folder, const LoadOptions& options)
      : generator_(Generator::open(folder.path, options)), template_(ChatTemplate::find(folder.path)) {}

  Json run(const Json& request, const TextCallback& on_text) const override {
    const Json& inputs = request_inputs(request);
    std::vector<std::string> known = generation_parameter_names();
    known.emplace_back("return_full_text");
    check_parameters(request, known);
    const bool full = bool_parameter(request, "return_full_text", true);
    const Prompts prompts = prompts_of(inputs);
    GenerateOptions options = read_generation_parameters(request);
    if (prompts.are_conversations) options.add_special_tokens = false;  // the template has written them
    // Several texts of one prompt would run into each other.
    const bool streams = generator_.texts_per_prompt(options) == 1;
    const std::vector<GeneratedText> results =
        generator_.generate(texts_of(prompts), options, streams ? on_text : nullptr);
    const size_t each = prompts.given.empty() ? 0 : results.size() / prompts.given.size();
    Json all = Json::array();
    for (size_t n = 0; n < prompts.given.size(); ++n) {
      Json answers = Json::array();
      for (size_t i = n * each; i < (n + 1) * each; ++i) {
        if (results[i].error && prompts.given.size() == 1) throw Error(*results[i].error);
        answers.push_back(to_json(results[i], prompts, full ? &prompts.given[n] : nullptr));
      }
      all.push_back(std::move(answers));
    }
    return prompts.is_one ? all[0] : all;
  }

 private:
  std::vector<std::string> texts_of(const Prompts& prompts) const {
    std::vector<std::string> texts;
    for (const Json& prompt : prompts.given) {
      texts.push_back(prompts.are_conversations ? rendered(prompt) : prompt.get<std::string>());
    }
    return texts;
  }

  std::string rendered(const Json& messages) const {
    if (!template_) {
      fail_with_hint(ErrorCode::kUnsupported, "the model has no chat template: it cannot take a conversation",
                     "Give a text to go on from.");
    }
    const bool goes_on = ends_with_answer(messages);
    return template_
        ->render({.messages = messages.dump(-1, ' ', false, Json::error_handler_t::replace),
                  .add_generation_prompt = !goes_on,
                  .continue_final_message = goes_on ? "content" : ""})
        .text;
  }

  /// As transformers' pipeline gives it; `prompt` is what the text is to follow, or null.
  static Json to_json(const GeneratedText& result, const Prompts& prompts, const Json* prompt) {
    if (result.error) return {{"error", error_json(*result.error)}};
    Json text = result.text;
    if (prompt != nullptr && !prompts.are_conversations) text = prompt->get<std::string>() + result.text;
    if (prompt != nullptr && prompts.are_conversations) {
      text = *prompt;
      if (ends_with_answer(*prompt)) text.back()["content"] = text.back().value("content", "") + result.text;
      else text.push_back({{"role", "assistant"}, {"content", result.text}});
    }
    Json json{{"generated_text", std::move(text)},
              {"finish_reason", result.finish_reason},
              {"prompt_tokens", result.prompt_tokens},
              {"new_tokens", result.ids.size()}};
    if (result.score) json["score"] = *result.score;
    if (result.seed) json["seed"] = *result.seed;
    if (!result.logprobs.empty()) json["logprobs"] = logprobs_json(result.logprobs, result.ids);
    return json;
  }

  Generator generator_;
  std::optional<ChatTemplate> template_;
};

}  // namespace

const TaskEntry kTextGeneration{
    .name = "text-generation",
    .summary = "text that goes on from a prompt, or the answer to a conversation (inputs [{\"role\", \"content\"}, …])",
    .request = R"({"inputs": "Once upon a time", "parameters": {"max_new_tokens": 64, "return_full_text": false}})",
    .result =
        R"([{"generated_text", "finish_reason", "prompt_tokens", "new_tokens"}], with "score", "seed" and "logprobs" where asked for; a list of those for an array, with {"error"} for a prompt that failed)",
    .head_suffixes = {"ForCausalLM", "LMHeadModel", "ForConditionalGeneration"},
    .open = [](const ModelFolder& folder, const LoadOptions& options) -> std::unique_ptr<Task> {
      return std::make_unique<TextGenerationTask>(folder, options);
    }};

}  // namespace gamut
