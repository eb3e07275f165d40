#include "generate/beam_generation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "base/error.h"
#include "generate/beam_search.h"
#include "generate/logits_processors.h"
#include "generate/prompt.h"
#include "generate/token_choice.h"

namespace gamut {
namespace {

/// Beams that search by themselves, each with its sequence and its line of logits.
struct Group {
  BeamSearch search;
  std::vector<int64_t> sequences;
  std::vector<std::span<const float>> lines;
};

/// The search for one prompt.
class PromptSearch {
 public:
  PromptSearch(const Session& session, State& state, const GenerationRequest& request, size_t prompt);
  PromptSearch(const PromptSearch&) = delete;
  PromptSearch& operator=(const PromptSearch&) = delete;
  ~PromptSearch() { drop_all(); }

  std::vector<Generated> run();

 private:
  void prefill();
  void choose();
  void choose(size_t number, std::vector<int64_t>* chosen);
  std::vector<Continuation> continuations(const Group& group, size_t beam, std::span<const int64_t> chosen);
  void add_noise(size_t number, size_t beam, std::vector<float>* ranks) const;
  void move_sequences(Group* group);
  void run_tokens();
  bool is_done() const;
  Generated result_of(const Beam& beam) const;
  void drop_all();

  const Session& session_;
  State& state_;
  const GenerationRequest& request_;
  const LogitsPipeline pipeline_;
  const TokenHistory prompt_;
  const int64_t greatest_length_;
  const RandomStream stream_;
  std::vector<Group> groups_;
  int64_t first_sequence_ = -1;
  Tensor logits_;
  std::vector<float> line_;
  Candidates candidates_;
};

PromptSearch::PromptSearch(const Session& session, State& state, const GenerationRequest& request, size_t prompt)
    : session_(session),
      state_(state),
      request_(request),
      pipeline_(request.decoding, request.limits.stop_ids, request.limits.min_new_tokens),
      prompt_(request.prompts[prompt]),
      greatest_length_(greatest_length(session.program(), request.limits, prompt_.length())),
      stream_(request.seeds.empty() ? 0 : request.seeds[prompt], 0) {
  const DecodingSettings& settings = request.decoding;
  const BeamRules rules{.beams = static_cast<size_t>(settings.num_beams / settings.num_beam_groups),
                        .ends = pipeline_.ends(),
                        .greatest_length = greatest_length_,
                        .length_penalty = settings.length_penalty,
                        .early_stopping = settings.early_stopping};
  for (int64_t n = 0; n < settings.num_beam_groups; ++n) groups_.push_back({BeamSearch(rules, prompt_), {}, {}});
}

void PromptSearch::drop_all() {
  if (first_sequence_ >= 0) state_.drop(first_sequence_);
  first_sequence_ = -1;
  for (Group& group : groups_) {
    for (const int64_t sequence : std::exchange(group.sequences, {})) state_.drop(sequence);
  }
}

/// Runs the prompt once; all beams begin with its line and with forks of its sequence.
void PromptSearch::prefill() {
  first_sequence_ = state_.add();
  const std::vector<int64_t>& tokens = prompt_.tokens();
  const bool whole = session_.program().length_class != nullptr;
  const size_t piece = whole ? tokens.size() : static_cast<size_t>(kPrefillTokens);
  for (size_t begin = 0; begin < tokens.size(); begin += piece) {
    const std::span<const int64_t> part = std::span(tokens).subspan(begin, std::min(piece, tokens.size() - begin));
    logits_ =
        session_.step({{part.begin(), part.end()}}, state_, {&first_sequence_, 1}, Session::Wanted::kLast).at("logits");
  }
  for (Group& group : groups_) {
    const size_t beams = group.search.running().size();
    group.lines.assign(beams, logits_.f32());
    while (group.sequences.size() < beams) group.sequences.push_back(state_.fork(first_sequence_));
  }
  state_.drop(std::exchange(first_sequence_, -1));
}

/// Gumbel's noise: the greatest sums of it with logarithms of weights are draws without replacement.
void PromptSearch::add_noise(size_t number, size_t beam, std::vector<float>* ranks) const {
  const auto step = static_cast<uint64_t>(groups_[number].search.running()[beam].history.made());
  const auto width = static_cast<uint32_t>(ranks->size());
  for (uint32_t id = 0; id < width; ++id) {
    float& rank = (*ranks)[id];
    if (rank == -std::numeric_limits<float>::infinity()) continue;
    const double uniform = stream_.uniform(step, static_cast<uint32_t>(beam) * width + id);
    rank -= static_cast<float>(std::log(-std::log(uniform)));
  }
}

std::vector<Continuation> PromptSearch::continuations(const Group& group, size_t beam,
                                                      std::span<const int64_t> chosen) {
  const Beam& running = group.search.running()[beam];
  const std::span<const float> logits = group.lines[beam];
  if (!request_.decoding.remove_invalid_values) require_finite(logits, running.history.length());
  line_.assign(logits.begin(), logits.end());
  log_softmax(line_);
  pipeline_.process(line_, {running.history, greatest_length_, chosen});
  std::vector<float> ranks;
  if (request_.decoding.do_sample) {
    take_candidates(line_, &candidates_);
    pipeline_.filter(&candidates_);
    std::ranges::fill(line_, -std::numeric_limits<float>::infinity());
    for (size_t i = 0; i < candidates_.size(); ++i) {
      line_[static_cast<size_t>(candidates_.ids[i])] = candidates_.logits[i];
    }
    ranks = line_;
    add_noise(static_cast<size_t>(&group - groups_.data()), beam, &ranks);
  }
  const std::vector<float>& by = ranks.empty() ? line_ : ranks;
  std::vector<Continuation> found;
  for (const size_t id : largest_places(by, group.search.width())) {
    const float score = line_[id] + running.score;
    const double noise = line_[id] == by[id] ? 0 : static_cast<double>(by[id]) - line_[id];
    found.push_back({beam, static_cast<int64_t>(id), score, score + noise});
  }
  return found;
}

void PromptSearch::choose(size_t number, std::vector<int64_t>* chosen) {
  Group& group = groups_[number];
  std::vector<Continuation> all;
  for (size_t beam = 0; beam < group.lines.size(); ++beam) {
    std::ranges::copy(continuations(group, beam, *chosen), std::back_inserter(all));
  }
  BeamSearch::Recorder record;
  if (request_.keep_logits || request_.decoding.logprobs) {
    record = [&](size_t beam, int64_t token) {
      const std::span<const float> line = group.lines[beam];
      TokenRecord made;
      if (const auto count = request_.decoding.logprobs) {
        made.logprobs = logprobs_of(line, token, static_cast<size_t>(*count));
      }
      if (request_.keep_logits) {
        made.logits = Tensor::allocate(DType::kF32, {static_cast<int64_t>(line.size())});
        std::ranges::copy(line, made.logits.mutable_f32().begin());
      }
      return std::make_shared<const TokenRecord>(std::move(made));
    };
  }
  group.search.step(std::move(all), record);
  for (const Beam& beam : group.search.running()) chosen->push_back(beam.history.tokens().back());
  move_sequences(&group);
}

/// Each beam goes on with the sequence of its parent, or with a fork of it when several do.
void PromptSearch::move_sequences(Group* group) {
  std::vector<int64_t> before = std::exchange(group->sequences, {});
  std::vector<int64_t> next;
  if (!group->search.is_done()) {
    try {
      std::vector<bool> taken(before.size());
      for (const Beam& beam : group->search.running()) {
        next.push_back(taken[beam.parent] ? state_.fork(before[beam.parent]) : before[beam.parent]);
        taken[beam.parent] = true;
      }
    } catch (...) {
      std::ranges::copy_if(next, std::back_inserter(before),
                           [&](int64_t sequence) { return std::ranges::count(before, sequence) == 0; });
      group->sequences = std::move(before);
      throw;
    }
  }
  for (const int64_t sequence : before) {
    if (std::ranges::count(next, sequence) == 0) state_.drop(sequence);
  }
  group->sequences = std::move(next);
}

void PromptSearch::choose() {
  std::vector<int64_t> chosen;
  for (size_t number = 0; number < groups_.size(); ++number) {
    if (!groups_[number].search.is_done()) choose(number, &chosen);
  }
}

/// Runs what the sequences of all groups have not seen yet, and hands each beam its line.
void PromptSearch::run_tokens() {
  std::vector<std::vector<int64_t>> tokens;
  std::vector<int64_t> sequences;
  for (const Group& group : groups_) {
    for (size_t beam = 0; beam < group.sequences.size(); ++beam) {
      const TokenHistory& history = group.search.running()[beam].history;
      const int64_t sequence = group.sequences[beam];
      restart_if_class_changed(session_.program(), state_, sequence, history.length());
      tokens.emplace_back(history.tokens().begin() + state_.length(sequence), history.tokens().end());
      sequences.push_back(sequence);
    }
  }
  logits_ = session_.step(tokens, state_, sequences, Session::Wanted::kLast).at("logits");
  const auto width = static_cast<size_t>(logits_.dim(1));
  size_t row = 0;
  for (Group& group : groups_) {
    group.lines.clear();
    for (size_t i = 0; i < group.sequences.size(); ++i) {
      group.lines.push_back(std::as_const(logits_).f32().subspan(row++ * width, width));
    }
  }
}

bool PromptSearch::is_done() const {
  return std::ranges::all_of(groups_, [](const Group& group) { return group.search.is_done(); });
}

Generated PromptSearch::result_of(const Beam& beam) const {
  Generated result;
  const std::span<const int64_t> tokens = beam.history.new_tokens();
  result.tokens.assign(tokens.begin(), tokens.end());
  result.score = beam.score;
  const bool is_end = !tokens.empty() && std::ranges::binary_search(pipeline_.ends(), tokens.back());
  result.reason = is_end ? FinishReason::kStop : FinishReason::kLength;
  for (const std::shared_ptr<const TokenRecord>& record : beam.records) {
    if (request_.keep_logits) result.logits.push_back(record->logits);
    if (request_.decoding.logprobs) result.logprobs.push_back(record->logprobs);
  }
  return result;
}

std::vector<Generated> PromptSearch::run() {
  prefill();
  for (choose(); !is_done(); choose()) run_tokens();
  std::vector<const Beam*> found;
  for (const Group& group : groups_) {
    for (const Beam& beam : group.search.finished()) found.push_back(&beam);
  }
  std::ranges::stable_sort(found, [](const Beam* a, const Beam* b) { return a->score > b->score; });
  std::vector<Generated> results;
  for (int64_t n = 0; n < request_.decoding.num_return_sequences; ++n) {
    results.push_back(result_of(*found[static_cast<size_t>(n)]));
  }
  return results;
}

/// Passes the tokens on now that they are settled; the caller may cut the text after any of them.
void pass_on(const TokenCallback& on_token, size_t number, Generated* result) {
  for (size_t i = 0; on_token && i < result->tokens.size(); ++i) {
    if (on_token(number, result->tokens[i])) continue;
    result->reason = FinishReason::kCancelled;
    result->tokens.resize(i + 1);
    if (!result->logits.empty()) result->logits.resize(i + 1);
    if (!result->logprobs.empty()) result->logprobs.resize(i + 1);
  }
}

}  // namespace

std::vector<Generated> generate_beams(const Session& session, State& state, const GenerationRequest& request) {
  std::vector<Generated> all;
  for (size_t prompt = 0; prompt < request.prompts.size(); ++prompt) {
    std::vector<Generated> results(static_cast<size_t>(request.decoding.num_return_sequences));
    if (request.is_cancelled && request.is_cancelled()) {
      for (Generated& result : results) result.reason = FinishReason::kCancelled;
      std::ranges::move(results, std::back_inserter(all));
      continue;
    }
    try {
      check_prompt(session.program(), request.limits, request.prompts[prompt]);
      if (request.limits.max_new_tokens > 0) results = PromptSearch(session, state, request, prompt).run();
    } catch (const Error& error) {
      for (Generated& result : results) {
        result.error = error;
        result.reason = FinishReason::kError;
      }
    }
    for (Generated& result : results) {
      pass_on(request.on_token, all.size(), &result);
      all.push_back(std::move(result));
    }
  }
  return all;
}

}  // namespace gamut
