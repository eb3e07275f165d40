#include "generate/prompt.h"

#include <algorithm>

#include "base/error.h"

namespace gamut {

int64_t vocabulary_of(const Program& program) {
  for (const ProgramInput& input : program.inputs) {
    if (input.name == "input_ids") return input.limit;
  }
  return 0;
}

void check_prompt(const Program& program, const GenerationLimits& limits, const std::vector<int64_t>& tokens) {
  if (tokens.empty()) fail(ErrorCode::kInvalidArgument, "the prompt has no tokens");
  const auto length = static_cast<int64_t>(tokens.size());
  int64_t longest = program.max_length;
  if (limits.context > 0) longest = longest > 0 ? std::min(longest, limits.context) : limits.context;
  if (longest > 0 && length > longest) {
    fail(ErrorCode::kInvalidArgument, "the prompt has {} tokens, the model's context {}", length, longest);
  }
  if (limits.max_length > 0 && length >= limits.max_length) {
    fail_with_hint(
        ErrorCode::kInvalidArgument,
        fmt::format("the prompt has {} tokens, max_length of prompt and text is {}", length, limits.max_length),
        "max_new_tokens counts new tokens alone.");
  }
  const int64_t vocabulary = vocabulary_of(program);
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] >= 0 && (vocabulary == 0 || tokens[i] < vocabulary)) continue;
    fail(ErrorCode::kInvalidArgument, "input_ids: {} at {} is outside [0, {})", tokens[i], i, vocabulary);
  }
}

int64_t greatest_length(const Program& program, const GenerationLimits& limits, int64_t prompt_length) {
  int64_t length = prompt_length + std::min(limits.max_new_tokens, INT64_MAX - prompt_length);
  if (limits.max_length > 0) length = std::min(length, limits.max_length);
  if (limits.context > 0) length = std::min(length, limits.context);
  if (program.max_length > 0) length = std::min(length, program.max_length + 1);
  return std::max(length, prompt_length + 1);
}

void restart_if_class_changed(const Program& program, State& state, int64_t sequence, int64_t length) {
  const int64_t past = state.length(sequence);
  if (!program.length_class || past == 0 || program.length_class(past) == program.length_class(length)) return;
  state.truncate(sequence, 0);
}

}  // namespace gamut
