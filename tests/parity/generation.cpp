// Compares what language models generate with a forward pass over all tokens, which is what transformers did.
#include <cmath>

#include "base/error.h"
#include "generate/generator.h"
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
  if (state->use().bytes != 0) fail(ErrorCode::kInternal, "{} bytes of states are left", state->use().bytes);
  return all;
}

}  // namespace gamut::parity
