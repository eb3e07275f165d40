#include "generate/logits_filters.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "generate/weighted_place.h"

namespace gamut {
namespace {

constexpr size_t kEntropyTokens = 100;
constexpr size_t kParts = 16;  // of sums and maxima, which do not wait for each other

/// e^x for x <= 0, to the last place or the one before it, without a branch so that compilers make vectors of it: 2^n
/// times a Taylor polynomial for the rest, which lies within ln(2) / 2.
float exp_of_negative(float x) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: floats near it are whole numbers
  x = std::max(x, -87.0f);
  const float n = (x * 1.44269504f + kRound) - kRound;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float sum = 1.0f / 5040;
  for (const float factor : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) sum = sum * r + factor;
  return sum * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

/// Keeps the candidates for whose place `keep(place)` is true.
template <typename Keep>
void keep_if(Candidates* candidates, Keep keep) {
  size_t kept = 0;
  for (size_t i = 0; i < candidates->size(); ++i) {
    if (!keep(i)) continue;
    candidates->ids[kept] = candidates->ids[i];
    candidates->logits[kept] = candidates->logits[i];
    ++kept;
  }
  candidates->ids.resize(kept);
  candidates->logits.resize(kept);
}

/// The `count`-th largest number; minus infinity when there are fewer.
float nth_largest(std::span<const float> values, size_t count) {
  if (values.size() <= count) return -std::numeric_limits<float>::infinity();
  if (count == 1) return largest_of(values);
  std::vector<float> best(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
  if (count > values.size() / 64) {
    best.assign(values.begin(), values.end());
    const auto place = best.begin() + static_cast<std::ptrdiff_t>(count) - 1;
    std::ranges::nth_element(best, place, std::greater<>());
    return *place;
  }
  // A heap of the largest ones so far, its smallest on top: almost all numbers fail the one comparison with it.
  std::ranges::make_heap(best, std::greater<>());
  for (const float value : values.subspan(count)) {
    if (value <= best.front()) continue;
    std::ranges::pop_heap(best, std::greater<>());
    best.back() = value;
    std::ranges::push_heap(best, std::greater<>());
  }
  return best.front();
}

/// The entropy of the candidates in nats, of the probabilities that find_probabilities made with `sum`.
double entropy_of(const Candidates& candidates, double sum) {
  const float largest = largest_of(candidates.logits);
  const double log_sum = std::log(sum);
  double entropy = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    entropy -= candidates.probabilities[i] * (static_cast<double>(candidates.logits[i]) - largest - log_sum);
  }
  return entropy;
}

/// Keeps what has a probability of `limit` or more, and the `least` largest.
void keep_likely(Candidates* candidates, double limit, size_t least) {
  const float lowest = nth_largest(candidates->logits, least);
  keep_if(candidates, [&, floor = static_cast<float>(limit)](size_t i) {
    return candidates->probabilities[i] >= floor || candidates->logits[i] >= lowest;
  });
}

}  // namespace

float largest_of(std::span<const float> values) {
  std::array<float, kParts> parts;
  parts.fill(-std::numeric_limits<float>::infinity());
  size_t i = 0;
  for (; i + kParts <= values.size(); i += kParts) {
    for (size_t part = 0; part < kParts; ++part) parts[part] = std::max(parts[part], values[i + part]);
  }
  for (; i < values.size(); ++i) parts[0] = std::max(parts[0], values[i]);
  return std::ranges::max(parts);
}

double sum_of(std::span<const float> values) {
  std::array<double, kParts> parts{};
  size_t i = 0;
  for (; i + kParts <= values.size(); i += kParts) {
    for (size_t part = 0; part < kParts; ++part) parts[part] += values[i + part];
  }
  for (; i < values.size(); ++i) parts[0] += values[i];
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

std::vector<size_t> largest_places(std::span<const float> values, size_t count) {
  count = std::min(count, values.size());
  if (count == 0) return {};
  const float lowest = nth_largest(values, count);
  // Everything above the last one belongs to them, and of its equals the first so many as there is room for.
  std::vector<size_t> places;
  size_t above = 0;
  for (const float value : values) above += value > lowest ? 1 : 0;
  size_t equals = count - std::min(count, above);
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] > lowest || (values[i] == lowest && equals > 0 && equals-- > 0)) places.push_back(i);
  }
  std::ranges::stable_sort(places, [&](size_t a, size_t b) { return values[a] > values[b]; });
  return places;
}

void take_candidates(std::span<const float> line, Candidates* candidates) {
  candidates->ids.resize(line.size());
  candidates->logits.resize(line.size());
  size_t count = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    candidates->ids[count] = static_cast<int32_t>(i);
    candidates->logits[count] = line[i];
    count += line[i] > -std::numeric_limits<float>::infinity() ? 1 : 0;
  }
  candidates->ids.resize(count);
  candidates->logits.resize(count);
}

double find_probabilities(Candidates* candidates) {
  std::vector<float>& probabilities = candidates->probabilities;
  probabilities.resize(candidates->size());
  if (candidates->size() == 0) return 0;
  const float largest = largest_of(candidates->logits);
  for (size_t i = 0; i < candidates->size(); ++i) probabilities[i] = exp_of_negative(candidates->logits[i] - largest);
  const double sum = sum_of(probabilities);
  const auto scale = static_cast<float>(1 / sum);
  for (float& probability : probabilities) probability *= scale;
  return sum;
}

void scale_by_temperature(Candidates* candidates, double temperature) {
  const auto divisor = static_cast<float>(temperature);
  for (float& logit : candidates->logits) logit /= divisor;
}

void keep_top_k(Candidates* candidates, size_t k) {
  if (k >= candidates->size()) return;
  const float lowest = nth_largest(candidates->logits, k);
  keep_if(candidates, [&](size_t i) { return candidates->logits[i] >= lowest; });
}

void keep_top_p(Candidates* candidates, double p, size_t least) {
  if (candidates->size() <= least) return;
  find_probabilities(candidates);
  const std::vector<float>& logits = candidates->logits;
  const size_t first = weighted_place(logits, candidates->probabilities, 1 - p);
  const float limit = first < logits.size() ? logits[first] : std::numeric_limits<float>::infinity();
  const std::vector<size_t> best = largest_places(logits, least);
  const float always = logits[best.back()];
  keep_if(candidates, [&](size_t i) {
    if (logits[i] > always || logits[i] > limit || (logits[i] == limit && i >= first)) return true;
    return logits[i] == always && std::ranges::find(best, i) != best.end();
  });
}

void keep_top_h(Candidates* candidates, double h) {
  if (candidates->size() == 0) return;
  const std::vector<size_t> places = largest_places(candidates->logits, kEntropyTokens);
  Candidates best;
  for (const size_t place : places) {
    best.ids.push_back(static_cast<int32_t>(place));
    best.logits.push_back(candidates->logits[place]);
  }
  const double limit = entropy_of(best, find_probabilities(&best)) * h;
  std::vector<bool> kept(candidates->size());
  double sum = 0;
  for (size_t i = 0; i < best.size(); ++i) {
    // A probability of zero makes a NaN: neither it nor what is even less likely is kept.
    sum -= best.probabilities[i] * static_cast<double>(std::log(best.probabilities[i]));
    if (i == 0 || sum <= limit) kept[places[i]] = true;
  }
  keep_if(candidates, [&](size_t i) { return kept[i]; });
}

void keep_min_p(Candidates* candidates, double p, size_t least) {
  if (candidates->size() == 0) return;
  find_probabilities(candidates);
  keep_likely(candidates, static_cast<float>(p) * largest_of(candidates->probabilities), least);
}

void keep_typical(Candidates* candidates, double mass, size_t least) {
  if (candidates->size() <= least) return;
  const double sum = find_probabilities(candidates);
  const float largest = largest_of(candidates->logits);
  const auto entropy = static_cast<float>(entropy_of(*candidates, sum));
  const auto log_sum = static_cast<float>(std::log(sum));
  std::vector<float> distances(candidates->size());
  for (size_t i = 0; i < distances.size(); ++i) {
    distances[i] = std::fabs(-(candidates->logits[i] - largest - log_sum) - entropy);
  }
  // The first place at which the sum is not below `mass`: it exceeds the number before it.
  const size_t last = weighted_place(distances, candidates->probabilities, std::nextafter(mass, 0.0));
  if (last == distances.size()) return;
  const float limit = distances[last];
  for (float& distance : distances) distance = -distance;
  const float always = nth_largest(distances, least);
  keep_if(candidates, [&](size_t i) { return -distances[i] <= limit || distances[i] >= always; });
}

void keep_above(Candidates* candidates, double epsilon, size_t least) {
  if (candidates->size() == 0) return;
  find_probabilities(candidates);
  keep_likely(candidates, epsilon, least);
}

void keep_eta(Candidates* candidates, double eta, size_t least) {
  if (candidates->size() == 0) return;
  const double entropy = entropy_of(*candidates, find_probabilities(candidates));
  keep_likely(candidates, std::min(eta, std::sqrt(eta) * std::exp(-entropy)), least);
}

}  // namespace gamut
