// Conversations: messages in, answers out as they are made; what earlier turns have computed is not computed again.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gamut/chat_template.h"
#include "gamut/generate.h"

namespace gamut {

struct ChatMessage {
  std::string role;  ///< "system", "user" or "assistant"
  std::string content;
};

/// What the model says to a message, and what it took.
struct ChatAnswer {
  GeneratedText generated;       ///< its prompt is the whole conversation so far; never with an error
  int64_t computed_tokens = 0;   ///< of the prompt; the others were there from earlier turns
  double prompt_seconds = 0;     ///< until the first new token
  double generate_seconds = 0;   ///< from then on
  bool is_context_full = false;  ///< the answer ends because nothing more fits
};

/// A conversation with a language model through the model's chat template. For one thread at a time; several may share
/// one Generator.
class Conversation {
 public:
  /// Memory for keys and values as the Generator has it for a call. Throws Error{kNotFound} for a model without
  /// tokenizer files.
  Conversation(const Generator& generator, const ChatTemplate& chat_template);
  Conversation(Conversation&&) noexcept;
  Conversation& operator=(Conversation&&) noexcept;
  ~Conversation();

  /// Adds a message of the user and generates the answer to it, which is added as well; so is the part of one that
  /// `on_text` or `options.is_cancelled` ends. Without a limit in `options` or generation_config.json an answer may
  /// fill the context, or have 4096 tokens where there is none. Throws Error{kResourceLimit} for a conversation that
  /// fills the context or the memory, Error{kInvalidArgument} for one that the template refuses; the conversation then
  /// is what it was. Invalid UTF-8 counts as U+FFFD.
  ChatAnswer say(const std::string& message, const GenerateOptions& options = {}, const TextCallback& on_text = {});

  /// Sets the message that comes before all others; empty: none.
  void set_system(const std::string& text);
  /// Forgets all messages but the system's.
  void reset();
  /// Forgets the last message of the user and what came after it; false when there is none.
  bool undo();

  const std::vector<ChatMessage>& messages() const;
  /// Tokens whose states are kept.
  int64_t kept_tokens() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gamut
