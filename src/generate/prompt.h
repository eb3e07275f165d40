// What every way to generate does with a prompt and with the tokens of a sequence that have not run yet.
#pragma once

#include <cstdint>
#include <vector>

#include "generate/generator.h"

namespace gamut {

/// Tokens of prompts that one step takes: enough to keep the matrix products busy, few enough that their intermediate
/// values stay small.
constexpr int64_t kPrefillTokens = 1024;

/// How many ids the program reads; 0: unlimited.
int64_t vocabulary_of(const Program& program);

/// Throws Error{kInvalidArgument} for a prompt that is empty, too long or has an id out of range.
void check_prompt(const Program& program, const GenerationLimits& limits, const std::vector<int64_t>& tokens);

/// Tokens that a sequence with this prompt has when it is as long as it can be; one more than the prompt at least.
int64_t greatest_length(const Program& program, const GenerationLimits& limits, int64_t prompt_length);

/// Where the same token would now be computed in another way, all of the sequence is computed again.
void restart_if_class_changed(const Program& program, State& state, int64_t sequence, int64_t length);

}  // namespace gamut
