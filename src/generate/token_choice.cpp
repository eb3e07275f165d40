#include "generate/token_choice.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"

namespace gamut {

int64_t argmax(std::span<const float> line) { return std::ranges::max_element(line) - line.begin(); }

int64_t draw(Candidates* candidates, double uniform) {
  find_probabilities(candidates);
  double room = uniform * sum_of(candidates->probabilities);
  size_t last = 0;  // the last one that is not impossible, should rounding leave some room
  for (size_t i = 0; i < candidates->size(); ++i) {
    if (candidates->probabilities[i] == 0) continue;
    last = i;
    room -= candidates->probabilities[i];
    if (room < 0) break;
  }
  return candidates->ids[last];
}

void require_finite(std::span<const float> line, int64_t length) {
  constexpr uint32_t kExponent = 0x7F800000;  // all ones in NaN and infinity
  bool is_finite = true;
  for (const float logit : line) is_finite &= (std::bit_cast<uint32_t>(logit) & kExponent) != kExponent;
  if (is_finite) return;
  throw Error(ErrorCode::kInvalidFile, fmt::format("the logits after {} tokens are not finite", length),
              "Weights that are NaN or infinite make such results.");
}

TokenLogprobs logprobs_of(std::span<const float> line, int64_t token, size_t count) {
  const float largest = std::ranges::max(line);
  double sum = 0;
  for (const float logit : line) sum += std::exp(logit - largest);
  const double log_sum = std::log(sum);
  auto logprob = [&](size_t id) { return static_cast<float>(static_cast<double>(line[id]) - largest - log_sum); };
  TokenLogprobs result{.logprob = logprob(static_cast<size_t>(token)), .top = {}};
  for (const size_t id : largest_places(line, count)) result.top.push_back({static_cast<int64_t>(id), logprob(id)});
  return result;
}

int64_t TokenChoice::choose(std::span<const float> line, const TextPlace& place, const RandomStream& stream) {
  const DecodingSettings& settings = pipeline_.settings();
  if (!settings.remove_invalid_values) require_finite(line, place.history.length());
  if (pipeline_.changes(place)) {
    line_.assign(line.begin(), line.end());
    pipeline_.process(line_, place);
    line = line_;
  }
  if (!settings.do_sample) return argmax(line);
  take_candidates(line, &candidates_);
  pipeline_.filter(&candidates_);
  if (candidates_.size() == 0) {
    fail(ErrorCode::kInvalidArgument, "the settings rule out every token after {} tokens", place.history.length());
  }
  return draw(&candidates_, stream.uniform(static_cast<uint64_t>(place.history.made())));
}

}  // namespace gamut
