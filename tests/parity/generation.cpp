// Compares what language models generate with a forward pass over all tokens, which is what transformers did.
#include <cmath>

#include "base/error.h"
#include "generate/generator.h"
#include "generate/kept_sequence.h"
#include "generate/prefixes.h"
#include "parity/compare.h"

namespace gamut::parity {
namespace {

constexpr size_t kStateBytes = size_t{256} << 20;

Difference difference_of(std::span<const float> actual, std::span<const float> expected) {
  double largest = 1, distance = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(expected[i])));
    const double difference = std::fabs(static_cast<double>(actual[i]) - expected[i]);
    if (!(difference <= distance)) distance = std::isnan(difference) ? INFINITY : difference;
  }
  return {distance / largest, distance / (kTolerance * largest)};
}

Difference compare_greedy(const Case& parity_case, const Session& session, State& state) {
  GenerationRequest request{.prompts = session.token_rows(parity_case.inputs).rows, .keep_logits = true};
  request.limits.max_new_tokens = static_cast<int64_t>(parity_case.generation.front().tokens.size());
  const std::vector<Generated> rows = generate_tokens(session, state, request);
  Difference all;
  for (size_t n = 0; n < rows.size(); ++n) {
    const Case::Continuation& expected = parity_case.generation[n];
    if (rows[n].error) throw Error(*rows[n].error);
    if (rows[n].tokens != expected.tokens) fail(ErrorCode::kInternal, "row {} goes on with other tokens", n);
    const auto width = static_cast<size_t>(expected.logits.dim(1));
    for (size_t i = 0; i < rows[n].logits.size(); ++i) {
      all.add(difference_of(rows[n].logits[i].f32(), expected.logits.f32().subspan(i * width, width)));
    }
  }
  return all;
}

/// Prompts token by token, in pairs of tokens too: a cut anywhere must not show.
Difference compare_steps(const Case& parity_case, const Session& session, State& state, size_t step) {
  Difference all;
  const std::vector<std::vector<int64_t>> prompts = session.token_rows(parity_case.inputs).rows;
  for (size_t n = 0; n < prompts.size(); ++n) {
    const int64_t sequence = state.add();
    NamedTensors results;
    for (size_t i = 0; i < prompts[n].size(); i += step) {
      const auto begin = prompts[n].begin() + static_cast<std::ptrdiff_t>(i);
      const auto end = prompts[n].begin() + static_cast<std::ptrdiff_t>(std::min(i + step, prompts[n].size()));
      results = session.step({{begin, end}}, state, {&sequence, 1}, Session::Wanted::kLast);
    }
    const Tensor& expected = parity_case.generation[n].logits;
    all.add(difference_of(results.at("logits").f32(), expected.f32().first(static_cast<size_t>(expected.dim(1)))));
    state.drop(sequence);
  }
  return all;
}

std::vector<int64_t> joined(std::vector<int64_t> tokens, const std::vector<int64_t>& more) {
  tokens.insert(tokens.end(), more.begin(), more.end());
  return tokens;
}

Difference compare_rows(const Generated& actual, const Generated& expected) {
  if (actual.error) throw Error(*actual.error);
  if (expected.error) throw Error(*expected.error);
  if (actual.tokens != expected.tokens) fail(ErrorCode::kInternal, "other tokens come out");
  Difference all;
  for (size_t i = 0; i < expected.logits.size(); ++i) {
    all.add(difference_of(actual.logits[i].f32(), expected.logits[i].f32()));
  }
  return all;
}

/// Prompts that begin alike, together and each alone; and a text that grows, changes behind what is settled and goes
/// back to its begin, with what was kept of it and computed anew.
Difference compare_reuse(const Case& parity_case, const Session& session, State& state) {
  constexpr int64_t kCommon = kLeastShared + 3;
  const std::vector<int64_t> first = session.token_rows(parity_case.inputs).rows.front();
  std::vector<int64_t> common = first;
  while (static_cast<int64_t>(common.size()) < kCommon) common = joined(common, first);
  common.resize(kCommon);
  const int64_t longest = session.program().max_length;
  if (longest > 0 && longest < kCommon + 14) return {};
  const GenerationLimits limits{.max_new_tokens = 3};
  auto alone = [&](const std::vector<int64_t>& prompt) {
    return generate_tokens(session, state, {.prompts = {prompt}, .limits = limits, .keep_logits = true}).front();
  };
  const std::vector<std::vector<int64_t>> prompts{joined(common, {1, 2}), common, joined(common, {2})};
  const auto together = generate_tokens(session, state, {.prompts = prompts, .limits = limits, .keep_logits = true});
  Difference all;
  int64_t computed = 0;
  for (size_t n = 0; n < prompts.size(); ++n) {
    all.add(compare_rows(together[n], alone(prompts[n])));
    computed += together[n].computed;
  }
  const bool is_whole = session.program().length_class != nullptr;
  if (!is_whole && computed > kCommon + 4) fail(ErrorCode::kInternal, "{} tokens computed for 3 prompts", computed);
  KeptSequence kept(session, kStateBytes);
  auto say = [&](const std::vector<int64_t>& prompt, int64_t settled, int64_t most) {
    const Generated row = kept.generate({.prompts = {prompt}, .limits = limits, .keep_logits = true}, settled);
    all.add(compare_rows(row, alone(prompt)));
    if (!is_whole && row.computed > most) {
      fail(ErrorCode::kInternal, "{} of {} tokens computed, at most {} are new", row.computed, prompt.size(), most);
    }
    return joined(prompt, row.tokens);
  };
  std::vector<int64_t> text = say(joined(common, {1}), kCommon, kCommon + 1);
  text = say(joined(text, {2, 3}), kCommon + 4, 3);   // the last token of the answer has not been computed yet
  text = say(joined(common, {3, 2, 1}), kCommon, 3);  // other than the first answer, on what was settled before it
  say({common.begin(), common.begin() + 3}, 0, 3);
  return all;
}

}  // namespace

Difference compare_generation(const Case& parity_case, const Session& session) {
  if (parity_case.generation.empty()) return {};
  std::unique_ptr<State> state;
  try {
    state = session.make_state(kStateBytes);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kUnsupported) return {};
    throw;
  }
  Difference all = compare_greedy(parity_case, session, *state);
  if (!session.program().length_class) {
    for (size_t step : {1, 2, 3}) all.add(compare_steps(parity_case, session, *state, step));
  }
  all.add(compare_reuse(parity_case, session, *state));
  if (state->use().bytes != 0) fail(ErrorCode::kInternal, "{} bytes of states are left", state->use().bytes);
  return all;
}

}  // namespace gamut::parity
