#include "gamut/conversation.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/edge.h"
#include "base/error.h"
#include "generate/kept_sequence.h"
#include "generate/prefixes.h"
#include "tasks/support/generator_state.h"

namespace gamut {
namespace {

/// The longest answer where neither a limit nor a context ends it.
constexpr int64_t kLongestAnswer = 4096;

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

struct Conversation::State {
  State(std::shared_ptr<const Generator::State> given, const ChatTemplate& chat_template)
      : model(std::move(given)), chat(chat_template), kept(model->session, model->budget()) {}

  std::shared_ptr<const Generator::State> model;
  ChatTemplate chat;
  KeptSequence kept;
  std::vector<ChatMessage> messages;

  std::vector<int64_t> encode(bool asks_for_answer) const;
  GenerateOptions complete(GenerateOptions options, int64_t prompt_tokens) const;
  ChatAnswer answer(const GenerateOptions& options, const TextCallback& on_text);
};

/// The ids of the messages, with or without the begin of an answer.
std::vector<int64_t> Conversation::State::encode(bool asks_for_answer) const {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const ChatMessage& message : messages) all.push_back({{"role", message.role}, {"content", message.content}});
  const RenderedChat rendered = chat.render(
      {.messages = all.dump(-1, ' ', false, Json::error_handler_t::replace), .add_generation_prompt = asks_for_answer});
  return model->encode(rendered.text, {.add_special_tokens = false});
}

GenerateOptions Conversation::State::complete(GenerateOptions options, int64_t prompt_tokens) const {
  options.add_special_tokens = false;
  DecodingOptions& decoding = options.decoding;
  if (decoding.num_beams.value_or(1) != 1 || decoding.num_return_sequences.value_or(1) != 1) {
    fail(ErrorCode::kInvalidArgument, "a conversation goes on in one text: num_beams is {}, num_return_sequences {}",
         decoding.num_beams.value_or(1), decoding.num_return_sequences.value_or(1));
  }
  decoding.num_beams = 1, decoding.num_beam_groups = 1, decoding.num_return_sequences = 1;
  const bool has_length = decoding.max_length || model->settings.decoding.max_length;
  if (options.max_new_tokens || model->settings.max_new_tokens || has_length) return options;
  options.max_new_tokens = model->context > 0 ? model->context - prompt_tokens : kLongestAnswer;
  return options;
}

ChatAnswer Conversation::State::answer(const GenerateOptions& options, const TextCallback& on_text) {
  const std::vector<int64_t> prompt = encode(true);
  const auto length = static_cast<int64_t>(prompt.size());
  if (model->context > 0 && length >= model->context) {
    fail_with_hint(ErrorCode::kResourceLimit,
                   fmt::format("the conversation has {} tokens and leaves no room for an answer in the model's context "
                               "of {}",
                               length, model->context),
                   "Begin a new conversation, or take back earlier messages.");
  }
  ChatAnswer answer;
  const auto begin = std::chrono::steady_clock::now();
  auto run = [&](GenerationRequest request) {
    request.on_token = [&, inner = request.on_token, is_first = true](size_t row, int64_t token) mutable {
      if (is_first) answer.prompt_seconds = seconds_since(begin);
      is_first = false;
      return inner(row, token);
    };
    // What a template writes to ask for an answer need not be there once the answer is.
    const int64_t settled = common_length(encode(false), prompt);
    Generated row = kept.generate(std::move(request), settled);
    answer.computed_tokens = row.computed;
    return std::vector<Generated>{std::move(row)};
  };
  answer.generated = std::move(model->generate({prompt}, complete(options, length), on_text, run).front());
  answer.generate_seconds = seconds_since(begin) - answer.prompt_seconds;
  answer.is_context_full = answer.generated.finish_reason == "length" && model->context > 0 &&
                           length + static_cast<int64_t>(answer.generated.ids.size()) >= model->context;
  return answer;
}

Conversation::Conversation(const Generator& generator, const ChatTemplate& chat_template)
    : state_(at_edge([&] {
        generator.state_->encode("", {});  // says when there is no tokenizer
        return std::make_unique<State>(generator.state_, chat_template);
      })) {}
Conversation::Conversation(Conversation&&) noexcept = default;
Conversation& Conversation::operator=(Conversation&&) noexcept = default;
Conversation::~Conversation() = default;

ChatAnswer Conversation::say(const std::string& message, const GenerateOptions& options, const TextCallback& on_text) {
  return at_edge([&] {
    const size_t before = state_->messages.size();
    try {
      state_->messages.push_back({"user", message});
      ChatAnswer answer = state_->answer(options, on_text);
      if (answer.generated.error) throw Error(*answer.generated.error);
      if (answer.generated.finish_reason == "cancelled" && answer.generated.text.empty()) {
        state_->messages.resize(before);
      } else {
        state_->messages.push_back({"assistant", answer.generated.text});
      }
      return answer;
    } catch (...) {
      state_->messages.resize(before);
      throw;
    }
  });
}

void Conversation::set_system(const std::string& text) {
  std::vector<ChatMessage>& messages = state_->messages;
  if (!messages.empty() && messages.front().role == "system") messages.erase(messages.begin());
  if (!text.empty()) messages.insert(messages.begin(), {"system", text});
}

void Conversation::reset() {
  std::erase_if(state_->messages, [](const ChatMessage& message) { return message.role != "system"; });
  state_->kept.clear();
}

bool Conversation::undo() {
  std::vector<ChatMessage>& messages = state_->messages;
  for (size_t i = messages.size(); i-- > 0;) {
    if (messages[i].role != "user") continue;
    messages.resize(i);
    return true;
  }
  return false;
}

const std::vector<ChatMessage>& Conversation::messages() const { return state_->messages; }
int64_t Conversation::kept_tokens() const { return state_->kept.length(); }

}  // namespace gamut
