#include "generate/logits_processors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace gamut {
namespace {

constexpr float kOut = -std::numeric_limits<float>::infinity();

bool has(std::span<float> line, int64_t id) { return id >= 0 && id < static_cast<int64_t>(line.size()); }

/// Whether `tokens` end as `sequence` begins: with all its ids but the last.
bool would_complete(std::span<const int64_t> tokens, std::span<const int64_t> sequence) {
  const std::span<const int64_t> begin = sequence.first(sequence.size() - 1);
  return tokens.size() >= begin.size() && std::ranges::equal(tokens.last(begin.size()), begin);
}

}  // namespace

void rule_out(std::span<float> line, std::span<const int64_t> ids) {
  for (const int64_t id : ids) {
    if (has(line, id)) line[static_cast<size_t>(id)] = kOut;
  }
}

void force(std::span<float> line, std::span<const int64_t> ids) {
  std::ranges::fill(line, kOut);
  for (const int64_t id : ids) {
    if (has(line, id)) line[static_cast<size_t>(id)] = 0;
  }
}

void add_sequence_bias(std::span<float> line, std::span<const int64_t> tokens, std::span<const SequenceBias> biases) {
  // All biases of one token are added up before they meet its logit: sums of floats depend on their order.
  std::vector<std::pair<int64_t, float>> sums;
  for (const SequenceBias& bias : biases) {
    if (!would_complete(tokens, bias.ids) || !has(line, bias.ids.back())) continue;
    sums.emplace_back(bias.ids.back(), static_cast<float>(bias.bias));
  }
  std::ranges::stable_sort(sums, {}, &std::pair<int64_t, float>::first);
  for (size_t i = 0; i < sums.size();) {
    const int64_t id = sums[i].first;
    float sum = 0;
    for (; i < sums.size() && sums[i].first == id; ++i) sum += sums[i].second;
    line[static_cast<size_t>(id)] += sum;
  }
}

void penalise_repetition(std::span<float> line, const TokenHistory& history, double penalty) {
  const auto factor = static_cast<float>(penalty);
  for (const TokenUse& use : history.uses()) {
    if (!has(line, use.id)) continue;
    float& logit = line[static_cast<size_t>(use.id)];
    logit = logit < 0 ? logit * factor : logit / factor;
  }
}

void penalise_use(std::span<float> line, const TokenHistory& history, double frequency, double presence) {
  for (const TokenUse& use : history.uses()) {
    if (use.made == 0 || !has(line, use.id)) continue;
    line[static_cast<size_t>(use.id)] -= static_cast<float>(frequency * static_cast<double>(use.made) + presence);
  }
}

void penalise_chosen(std::span<float> line, std::span<const int64_t> chosen, double penalty) {
  for (const int64_t id : chosen) {
    if (has(line, id)) line[static_cast<size_t>(id)] -= static_cast<float>(penalty);
  }
}

void rule_out_repeated_ngrams(std::span<float> line, std::span<const int64_t> tokens, int64_t size) {
  const auto width = static_cast<size_t>(size);
  if (size <= 0 || tokens.size() < width) return;
  const std::span<const int64_t> end = tokens.last(width - 1);
  for (size_t i = 0; i + width <= tokens.size(); ++i) {
    if (std::ranges::equal(tokens.subspan(i, width - 1), end)) rule_out(line, tokens.subspan(i + width - 1, 1));
  }
}

void rule_out_sequences(std::span<float> line, std::span<const int64_t> tokens,
                        std::span<const std::vector<int64_t>> sequences) {
  for (const std::vector<int64_t>& sequence : sequences) {
    if (would_complete(tokens, sequence)) rule_out(line, std::span(sequence).last(1));
  }
}

void favour_ends(std::span<float> line, std::span<const int64_t> ends, const LengthDecay& decay, int64_t made) {
  if (made <= decay.start) return;
  constexpr float kLargest = std::numeric_limits<float>::max();
  const double growth = std::pow(decay.factor, static_cast<double>(made - decay.start)) - 1;
  const auto factor = static_cast<float>(std::min<double>(growth, kLargest));
  for (const int64_t id : ends) {
    if (!has(line, id) || !std::isfinite(line[static_cast<size_t>(id)])) continue;
    float& logit = line[static_cast<size_t>(id)];
    logit = std::min(logit + std::fabs(logit) * factor, kLargest);
  }
}

void remove_invalid_values(std::span<float> line) {
  for (float& logit : line) {
    if (std::isnan(logit)) logit = 0;
    logit = std::clamp(logit, std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max());
  }
}

void log_softmax(std::span<float> line) {
  const float largest = line.empty() ? kOut : std::ranges::max(line);
  if (largest == kOut) return;
  double sum = 0;
  for (const float logit : line) sum += std::exp(logit - largest);
  const auto log_sum = static_cast<float>(std::log(sum));
  for (float& logit : line) logit = logit - largest - log_sum;
}

}  // namespace gamut
