// gamut chat: a conversation with a model, on a terminal or through pipes.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "gamut/conversation.h"
#include "generation_options.h"
#include "interrupt.h"
#include "line_reader.h"

namespace gamut::cli {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr const char* kHelp =
    "/system TEXT  another system message, from the next answer on (without TEXT: none)\n"
    "/undo         takes back the last message and its answer\n"
    "/reset        begins a new conversation with the same system message\n"
    "/exit         ends (so does Ctrl-D)\n"
    "/help         this list\n"
    "A message of several lines stands between two lines that hold only \"\"\"; // begins one with a slash.\n"
    "Ctrl-C ends an answer, not the conversation.\n";

struct ChatArguments {
  std::string model, system;
  GenerationArguments generation;
  LoadOptions load;
};

/// The loop of reading messages and showing answers.
class Chat {
 public:
  Chat(Conversation conversation, const ChatArguments& arguments, CommonOptions& common)
      : conversation_(std::move(conversation)),
        options_(arguments.generation.resolved()),
        common_(common),
        on_terminal_(::isatty(STDIN_FILENO) != 0) {
    options_.is_cancelled = [] { return InterruptGuard::is_raised(); };
    conversation_.set_system(arguments.system);
  }

  void run() {
    if (on_terminal_) std::fprintf(stderr, "/help lists the commands; Ctrl-D ends.\n");
    std::string message;
    while (read_message(&message)) {
      if (message.starts_with("//")) say(message.substr(1));
      else if (!message.starts_with("/")) say(message);
      else if (!obey(message)) return;
    }
  }

 private:
  bool read_line(const char* prompt, std::string* line);
  bool read_message(std::string* message);
  bool obey(const std::string& command);
  void say(const std::string& message);
  void show(const ChatAnswer& answer);
  void report(const Error& error);

  Conversation conversation_;
  GenerateOptions options_;
  CommonOptions& common_;
  bool on_terminal_;
  LineReader lines_;
};

/// False at the end of the input.
bool Chat::read_line(const char* prompt, std::string* line) {
  while (true) {
    if (on_terminal_) std::fprintf(stderr, "%s", prompt);
    const LineReader::Event event = lines_.next(line);
    if (event == LineReader::Event::kLine) return true;
    if (event == LineReader::Event::kEnd) {
      if (on_terminal_) std::fprintf(stderr, "\n");
      return false;
    }
    InterruptGuard::clear();
    if (!on_terminal_) continue;
    std::fprintf(stderr, "\nCtrl-D or /exit ends.\n");
  }
}

/// A line that says something, or the lines between two of """.
bool Chat::read_message(std::string* message) {
  do {
    if (!read_line("> ", message)) return false;
  } while (message->empty());
  if (*message != "\"\"\"") return true;
  message->clear();
  for (std::string line; read_line(". ", &line) && line != "\"\"\"";) *message += (message->empty() ? "" : "\n") + line;
  return true;
}

/// False when the conversation is to end.
bool Chat::obey(const std::string& command) {
  const size_t space = command.find(' ');
  const std::string name = command.substr(0, space);
  const std::string rest = space == std::string::npos ? "" : command.substr(space + 1);
  if (name == "/exit" || name == "/quit" || name == "/bye") return false;
  if (name == "/system") {
    conversation_.set_system(rest);
  } else if (name == "/reset") {
    conversation_.reset();
  } else if (name == "/undo") {
    if (!conversation_.undo()) std::fprintf(stderr, "There is nothing to take back.\n");
  } else if (name == "/help") {
    std::fprintf(stderr, "%s", kHelp);
  } else {
    report(Error(ErrorCode::kInvalidArgument, "command \"" + name.substr(0, 100) + "\" is unknown",
                 "/help lists the commands; // begins a message with a slash."));
  }
  return true;
}

void Chat::report(const Error& error) {
  common_.exit_code = on_terminal_ ? 0 : 1;
  if (common_.json) {
    const OrderedJson json = {
        {"error", {{"code", error_code_name(error.code())}, {"message", error.message()}, {"hint", error.hint()}}}};
    std::printf("%s\n", json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace).c_str());
    std::fflush(stdout);
    return;
  }
  std::fprintf(stderr, "gamut: %s\n", error.message().c_str());
  if (!error.hint().empty()) std::fprintf(stderr, "%s\n", error.hint().c_str());
  if (error.code() == ErrorCode::kResourceLimit) {
    std::fprintf(stderr, "/undo takes back the last message and its answer, /reset begins a new conversation.\n");
  }
}

void Chat::say(const std::string& message) {
  InterruptGuard::clear();
  bool is_written = true;
  TextCallback write;
  if (!common_.json) write = [&](size_t, std::string_view piece) { return is_written = write_piece(piece); };
  try {
    const ChatAnswer answer = conversation_.say(message, options_, write);
    InterruptGuard::clear();
    show(answer);
  } catch (const Error& error) {
    InterruptGuard::clear();
    if (!common_.json && on_terminal_) std::printf("\n");
    report(error);
  }
  is_written = std::fflush(stdout) == 0 && is_written;
  if (!is_written) throw Error(ErrorCode::kIo, "standard output: cannot be written");
}

void Chat::show(const ChatAnswer& answer) {
  const GeneratedText& text = answer.generated;
  const auto count = static_cast<double>(text.ids.size());
  // The first token comes with the prompt; the others have the time since then.
  const double speed = text.ids.size() > 1 && answer.generate_seconds > 0 ? (count - 1) / answer.generate_seconds : 0;
  if (common_.json) {
    const OrderedJson json = {{"text", text.text},
                              {"finish_reason", text.finish_reason},
                              {"context_full", answer.is_context_full},
                              {"prompt_tokens", text.prompt_tokens},
                              {"computed_tokens", answer.computed_tokens},
                              {"new_tokens", text.ids.size()},
                              {"prompt_seconds", answer.prompt_seconds},
                              {"tokens_per_s", speed}};
    std::printf("%s\n", json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace).c_str());
    return;
  }
  std::printf("\n");
  std::fflush(stdout);
  const char* end = text.finish_reason == "cancelled" ? ", interrupted" : "";
  std::fprintf(stderr, "[%zu tokens, %.1f tokens/s%s; %lld of %lld prompt tokens were new, %.2f s]\n", text.ids.size(),
               speed, end, static_cast<long long>(answer.computed_tokens), static_cast<long long>(text.prompt_tokens),
               answer.prompt_seconds);
  if (answer.is_context_full) {
    std::fprintf(stderr,
                 "The model's context is full: /undo takes back the last message and its answer, /reset begins a new "
                 "conversation.\n");
  } else if (text.finish_reason == "length") {
    std::fprintf(stderr, "The answer is as long as --max-new-tokens or generation_config.json allows.\n");
  }
}

void chat(const ChatArguments& arguments, CommonOptions& common) {
  const std::optional<ChatTemplate> chat_template = ChatTemplate::find(arguments.model);
  if (!chat_template) {
    const Generator checked = Generator::open(arguments.model, arguments.load);  // says what else may be wrong
    throw Error(ErrorCode::kUnsupported, arguments.model + ": the model has no chat template",
                "It goes on from a text with `gamut generate` or `gamut run`.");
  }
  const Generator generator = Generator::open(arguments.model, arguments.load, arguments.generation.state_bytes());
  if (!common.json) print_warnings(generator, arguments.generation);
  const InterruptGuard guard;
  Chat(Conversation(generator, *chat_template), arguments, common).run();
}

}  // namespace

void add_chat_command(CLI::App& app, CommonOptions& common) {
  Command command(app, "chat", "A conversation with a model; through a pipe each line is a message");
  auto arguments = std::make_shared<ChatArguments>();
  command.positional("MODEL", arguments->model, "Folder of the checkpoint, which has a chat template");
  command.option("--system", arguments->system, "The message that tells the model what it is to be");
  add_generation_options(command, arguments->generation);
  add_load_options(command, arguments->load);
  add_json_option(command, common);
  command.run([arguments, &common] { chat(*arguments, common); });
}

}  // namespace gamut::cli
