#include "generate/beam_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gamut {
namespace {

/// What counts as impossible, as a finite number: sums with it stay comparable.
constexpr float kImpossible = -1e9f;

/// Divided by length ^ penalty.
float normalised(float score, int64_t length, double penalty) {
  return score / static_cast<float>(std::pow(static_cast<double>(length), penalty));
}

/// The numbers of the `count` greatest scores, greatest first, of equal ones the first.
std::vector<size_t> best_of(const std::vector<float>& scores, size_t count) {
  std::vector<size_t> places(scores.size());
  for (size_t i = 0; i < places.size(); ++i) places[i] = i;
  std::ranges::stable_sort(places, [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  places.resize(std::min(count, places.size()));
  return places;
}

}  // namespace

BeamSearch::BeamSearch(BeamRules rules, const TokenHistory& prompt)
    : rules_(std::move(rules)), width_(std::max<size_t>(2, 1 + rules_.ends.size()) * rules_.beams) {
  for (size_t i = 0; i < rules_.beams; ++i) {
    running_.push_back({.history = prompt, .score = i == 0 ? 0 : kImpossible, .records = {}});
    finished_.push_back({.history = prompt, .score = kImpossible, .records = {}});
  }
}

bool BeamSearch::is_end(const Continuation& continuation) const {
  return std::ranges::binary_search(rules_.ends, continuation.token);
}

bool BeamSearch::hits_end(const Continuation& continuation) const {
  return running_[continuation.beam].history.length() + 1 >= rules_.greatest_length || is_end(continuation);
}

Beam BeamSearch::beam_of(const Continuation& continuation, const Recorder& record) const {
  Beam beam = running_[continuation.beam];
  beam.history.push(continuation.token);
  beam.parent = continuation.beam;
  if (record) beam.records.push_back(record(continuation.beam, continuation.token));
  return beam;
}

std::vector<Beam> BeamSearch::next_running(const std::vector<Continuation>& best, const Recorder& record) const {
  std::vector<float> scores;
  const bool is_last = running_.front().history.length() + 1 >= rules_.greatest_length;
  for (const Continuation& one : best) {
    scores.push_back(one.score + (hits_end(one) ? kImpossible : 0));
    // Nothing runs on from the last place; what could have is what other groups of beams turn away from.
    if (is_last && is_end(one)) scores.back() += kImpossible;
  }
  std::vector<Beam> next;
  for (const size_t place : best_of(scores, rules_.beams)) {
    next.push_back(beam_of(best[place], record));
    next.back().score = scores[place];
  }
  return next;
}

bool BeamSearch::all_finished() const { return std::ranges::all_of(finished_, &Beam::is_finished); }

void BeamSearch::finish(const std::vector<Continuation>& best, const Recorder& record) {
  const bool is_full = all_finished() && rules_.early_stopping == EarlyStopping::kYes;
  const int64_t length = running_.front().history.made() + 1;
  std::vector<float> scores;
  for (const Beam& beam : finished_) scores.push_back(beam.score);
  auto ends_now = [&](size_t i) { return i < rules_.beams && hits_end(best[i]); };
  for (size_t i = 0; i < best.size(); ++i) {
    float score = normalised(best[i].score, length, rules_.length_penalty);
    if (is_full) score += kImpossible;
    if (!can_improve_) score += kImpossible;
    if (!ends_now(i)) score += kImpossible;
    scores.push_back(score);
  }
  std::vector<Beam> merged;
  for (const size_t place : best_of(scores, rules_.beams)) {
    if (place < finished_.size()) {
      merged.push_back(finished_[place]);
      continue;
    }
    const size_t i = place - finished_.size();
    merged.push_back(beam_of(best[i], record));
    merged.back().score = scores[place];
    merged.back().is_finished = ends_now(i);
  }
  finished_ = std::move(merged);
}

/// Whether a running beam may still become better than one of the finished ones.
bool BeamSearch::may_improve() const {
  const TokenHistory& history = running_.front().history;
  const bool looks_ahead = rules_.early_stopping == EarlyStopping::kNever && rules_.length_penalty > 0;
  const int64_t length = looks_ahead ? rules_.greatest_length - history.prompt_length() : history.made();
  const float best = normalised(running_.front().score, length, rules_.length_penalty);
  const float worst = std::ranges::min(finished_, {}, &Beam::score).score;
  return std::ranges::any_of(finished_,
                             [&](const Beam& beam) { return best > (beam.is_finished ? worst : kImpossible); });
}

void BeamSearch::step(std::vector<Continuation> continuations, const Recorder& record) {
  std::ranges::stable_sort(continuations, [](const Continuation& a, const Continuation& b) { return a.rank > b.rank; });
  continuations.resize(std::min(continuations.size(), width_));
  const bool all_hit = std::ranges::all_of(continuations, [&](const Continuation& one) { return hits_end(one); });
  finish(continuations, record);
  running_ = next_running(continuations, record);
  can_improve_ = can_improve_ && may_improve();
  const bool has_enough = all_finished() && rules_.early_stopping == EarlyStopping::kYes;
  is_done_ = !can_improve_ || has_enough || all_hit;
}

}  // namespace gamut
