#include "generate/generator.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "generate/beam_generation.h"
#include "generate/prefixes.h"
#include "generate/prompt.h"
#include "generate/token_choice.h"

namespace gamut {
namespace {

/// A prompt on its way.
struct Row {
  size_t result = 0;
  int64_t sequence = -1;
  TokenHistory history;
  int64_t greatest_length = 0;
  RandomStream stream;
  int64_t forks = 0;    ///< results after this one that start from the same prompt
  SharedPrefix shared;  ///< of rows by their results
  bool waits = false;   ///< for its parent to come to the length of the fork

  const std::vector<int64_t>& tokens() const { return history.tokens(); }
  int64_t length() const { return history.length(); }
};

Tensor copy_line(std::span<const float> line) {
  Tensor own = Tensor::allocate(DType::kF32, {static_cast<int64_t>(line.size())});
  std::ranges::copy(line, own.mutable_f32().begin());
  return own;
}

/// One call's rows, from their prompts to their ends.
class Generation {
 public:
  Generation(const Session& session, State& state, const GenerationRequest& request)
      : session_(session),
        state_(state),
        request_(request),
        pipeline_(request.decoding, request.limits.stop_ids, request.limits.min_new_tokens),
        choice_(pipeline_),
        results_(request.prompts.size() * static_cast<size_t>(request.decoding.num_return_sequences)) {}
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;
  ~Generation() {
    for (const Row& row : rows_) drop(row);
  }

  std::vector<Generated> run();

 private:
  /// What a step runs: rows by number, and how many of their tokens.
  struct Part {
    size_t row;
    int64_t tokens;
  };

  void admit(size_t prompt);
  void share(const std::vector<size_t>& rows);
  void fork_waiting(const Row& parent);
  void free_waiting(const Row& parent);
  void take_snapshot(const Row& row);
  int64_t next_stop(const Row& row) const;
  bool some_wait() const { return std::ranges::any_of(rows_, &Row::waits); }
  std::vector<Part> plan() const;
  void reserve(const Row& row, int64_t tokens);
  void step(std::vector<Part> parts);
  void take_logits(const std::vector<Part>& parts, const Tensor& logits);
  std::vector<Row> fork(Row* row);
  void take_line(Row* row, std::span<const float> line);
  void add_token(Row* row, int64_t token);
  void refuse(const Row& row, const Error& error);
  void cancel_all();
  void remove_finished();
  void drop(const Row& row) const;

  const Session& session_;
  State& state_;
  const GenerationRequest& request_;
  const LogitsPipeline pipeline_;
  TokenChoice choice_;
  std::vector<Generated> results_;
  std::vector<Row> rows_;
};

void Generation::drop(const Row& row) const {
  if (row.sequence >= 0 && !request_.go_on) state_.drop(row.sequence);
}

void Generation::refuse(const Row& row, const Error& error) {
  for (size_t i = row.result; i <= row.result + static_cast<size_t>(row.forks); ++i) {
    results_[i].error = error;
    results_[i].reason = FinishReason::kError;
  }
}

void Generation::admit(size_t prompt) {
  const int64_t copies = request_.decoding.num_return_sequences;
  Row row{.result = prompt * static_cast<size_t>(copies), .forks = copies - 1};
  try {
    const std::vector<int64_t>& tokens = request_.prompts[prompt];
    check_prompt(session_.program(), request_.limits, tokens);
    if (request_.limits.max_new_tokens <= 0) return;
    row.history = TokenHistory(tokens);
    row.greatest_length = greatest_length(session_.program(), request_.limits, row.length());
    row.stream = RandomStream(request_.seeds.empty() ? 0 : request_.seeds[prompt], 0);
    rows_.push_back(std::move(row));
  } catch (const Error& error) {
    refuse(row, error);
  }
}

/// Lets rows without a sequence begin: those that share a prefix wait for the one that has it.
void Generation::share(const std::vector<size_t>& rows) {
  std::vector<std::vector<int64_t>> prompts;
  // Rows whose tokens depend on the row's length are computed as a whole, each alone.
  if (!session_.program().length_class) {
    for (const size_t r : rows) prompts.push_back(rows_[r].tokens());
  }
  const std::vector<SharedPrefix> shared = share_prefixes(prompts);
  for (size_t i = 0; i < rows.size(); ++i) {
    Row& row = rows_[rows[i]];
    row.shared = i < shared.size() && shared[i].length > 0
                     ? SharedPrefix{rows_[rows[shared[i].parent]].result, shared[i].length}
                     : SharedPrefix{};
    row.waits = row.shared.length > 0;
    if (row.waits) continue;
    try {
      row.sequence = request_.go_on ? request_.go_on->sequence : state_.add();
    } catch (const Error& error) {
      refuse(row, error);
    }
  }
  for (const size_t r : rows) {
    if (results_[rows_[r].result].error) free_waiting(rows_[r]);
  }
}

/// Gives the rows that wait for what `parent` has now computed their fork of it.
void Generation::fork_waiting(const Row& parent) {
  for (Row& row : rows_) {
    if (!row.waits || row.shared.parent != parent.result) continue;
    if (row.shared.length != state_.length(parent.sequence)) continue;
    row.waits = false;
    try {
      row.sequence = state_.fork(parent.sequence);
    } catch (const Error& error) {
      refuse(row, error);
      free_waiting(row);
    }
  }
}

/// Rows that wait for a row which has come to nothing begin anew, together.
void Generation::free_waiting(const Row& parent) {
  std::vector<size_t> orphans;
  for (size_t r = 0; r < rows_.size(); ++r) {
    if (rows_[r].waits && rows_[r].shared.parent == parent.result) orphans.push_back(r);
  }
  if (!orphans.empty()) share(orphans);
}

void Generation::take_snapshot(const Row& row) {
  if (!request_.go_on || state_.length(row.sequence) != request_.go_on->snapshot_at) return;
  try {
    results_[row.result].snapshot = state_.fork(row.sequence);
  } catch (const Error& error) {
    // Without one the next call computes more.
    if (error.code() != ErrorCode::kResourceLimit && error.code() != ErrorCode::kUnsupported) throw;
  }
}

/// The length at which the next row forks from this one, or the one that it goes to by itself.
int64_t Generation::next_stop(const Row& row) const {
  const int64_t past = state_.length(row.sequence);
  int64_t stop = row.length();
  for (const Row& other : rows_) {
    if (other.waits && other.shared.parent == row.result) stop = std::min(stop, other.shared.length);
  }
  if (request_.go_on && request_.go_on->snapshot_at > past) stop = std::min(stop, request_.go_on->snapshot_at);
  return stop;
}

/// All rows that wait for one token, and as much of the prompts as fits.
std::vector<Generation::Part> Generation::plan() const {
  std::vector<Part> parts;
  int64_t room = kPrefillTokens;
  const bool whole = session_.program().length_class != nullptr;
  const bool may_stop = request_.go_on || some_wait();
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].sequence < 0) continue;
    const int64_t next = whole || !may_stop ? rows_[i].length() : next_stop(rows_[i]);
    const int64_t waiting = next - state_.length(rows_[i].sequence);
    const int64_t tokens = whole || waiting == 1 ? waiting : std::min(waiting, std::max<int64_t>(room, 0));
    if (tokens == 0) continue;
    parts.push_back({i, tokens});
    room -= tokens;
  }
  return parts;
}

void Generation::add_token(Row* row, int64_t token) {
  row->history.push(token);
  Generated& result = results_[row->result];
  result.tokens.push_back(token);
  auto finish = [&](FinishReason reason) {
    result.reason = reason;
    drop(*row);
    row->sequence = -1;
  };
  const bool goes_on = !request_.on_token || request_.on_token(row->result, token);
  if (!goes_on) return finish(FinishReason::kCancelled);
  const bool is_end = std::ranges::binary_search(pipeline_.ends(), token);
  if (is_end && row->history.made() >= request_.limits.min_new_tokens) return finish(FinishReason::kStop);
  if (row->length() >= row->greatest_length) finish(FinishReason::kLength);
}

/// The rows that go on from the same prompt, once its logits are there, each with a stream of its own.
std::vector<Row> Generation::fork(Row* row) {
  std::vector<Row> rows;
  for (int64_t n = 1; n <= row->forks; ++n) {
    Row copy = *row;
    copy.result += static_cast<size_t>(n);
    copy.forks = 0;
    const size_t prompt = row->result / static_cast<size_t>(request_.decoding.num_return_sequences);
    copy.stream = RandomStream(request_.seeds.empty() ? 0 : request_.seeds[prompt], static_cast<uint32_t>(n));
    try {
      copy.sequence = state_.fork(row->sequence);
      rows.push_back(std::move(copy));
    } catch (const Error& error) {
      refuse(copy, error);
    }
  }
  row->forks = 0;
  return rows;
}

void Generation::take_line(Row* row, std::span<const float> line) {
  Generated& result = results_[row->result];
  try {
    const int64_t token = choice_.choose(line, {row->history, row->greatest_length}, row->stream);
    if (request_.keep_logits) result.logits.push_back(copy_line(line));
    if (const auto count = request_.decoding.logprobs) {
      result.logprobs.push_back(logprobs_of(line, token, static_cast<size_t>(*count)));
    }
    add_token(row, token);
  } catch (const Error& error) {
    refuse(*row, error);
    drop(*row);
    row->sequence = -1;
  }
}

void Generation::take_logits(const std::vector<Part>& parts, const Tensor& logits) {
  const auto width = static_cast<size_t>(logits.dim(1));
  std::vector<Row> added;
  for (size_t n = 0; n < parts.size(); ++n) {
    Row& row = rows_[parts[n].row];
    if (state_.length(row.sequence) < row.length()) continue;  // more of its prompt is to come
    const std::span<const float> line = logits.f32().subspan(n * width, width);
    std::vector<Row> forks = fork(&row);
    take_line(&row, line);
    for (Row& fork : forks) {
      take_line(&fork, line);
      if (fork.sequence >= 0) added.push_back(std::move(fork));
    }
  }
  for (Row& row : added) rows_.push_back(std::move(row));
}

void Generation::reserve(const Row& row, int64_t tokens) {
  for (bool again = true; again;) {
    again = false;
    try {
      state_.reserve(row.sequence, tokens);
    } catch (const Error& error) {
      const bool is_full = error.code() == ErrorCode::kResourceLimit && request_.go_on && request_.go_on->make_room;
      if (!is_full || !request_.go_on->make_room()) throw;
      again = true;
    }
  }
}

void Generation::step(std::vector<Part> parts) {
  // Each row asks for its memory alone, so that one that gets none does not stop the others.
  std::erase_if(parts, [&](const Part& part) {
    Row& row = rows_[part.row];
    try {
      reserve(row, part.tokens);
      return false;
    } catch (const Error& error) {
      refuse(row, error);
      drop(row);
      row.sequence = -1;
      free_waiting(row);
      return true;
    }
  });
  if (parts.empty()) return;
  std::vector<std::vector<int64_t>> tokens;
  std::vector<int64_t> sequences;
  for (const Part& part : parts) {
    const Row& row = rows_[part.row];
    const auto begin = row.tokens().begin() + state_.length(row.sequence);
    tokens.emplace_back(begin, begin + part.tokens);
    sequences.push_back(row.sequence);
  }
  const NamedTensors results = session_.step(tokens, state_, sequences, Session::Wanted::kLast);
  const bool may_fork = some_wait();
  for (const Part& part : parts) {
    Generated& result = results_[rows_[part.row].result];
    if (result.tokens.empty()) result.computed += part.tokens;
    take_snapshot(rows_[part.row]);
    if (may_fork) fork_waiting(rows_[part.row]);
  }
  take_logits(parts, results.at("logits"));
}

void Generation::cancel_all() {
  for (Row& row : rows_) {
    for (size_t i = row.result; i <= row.result + static_cast<size_t>(row.forks); ++i) {
      results_[i].reason = FinishReason::kCancelled;
    }
    drop(row);
    row.sequence = -1;
  }
}

void Generation::remove_finished() {
  std::erase_if(rows_, [](const Row& row) { return row.sequence < 0 && !row.waits; });
}

std::vector<Generated> Generation::run() {
  for (size_t prompt = 0; prompt < request_.prompts.size(); ++prompt) admit(prompt);
  std::vector<size_t> all(rows_.size());
  std::iota(all.begin(), all.end(), size_t{0});
  share(all);
  remove_finished();
  while (!rows_.empty()) {
    if (request_.is_cancelled && request_.is_cancelled()) {
      cancel_all();
      break;
    }
    for (const Row& row : rows_) {
      if (row.sequence >= 0) restart_if_class_changed(session_.program(), state_, row.sequence, row.length());
    }
    step(plan());
    remove_finished();
  }
  return std::move(results_);
}

}  // namespace

const char* finish_reason_name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kLength: return "length";
    case FinishReason::kStop: return "stop";
    case FinishReason::kCancelled: return "cancelled";
    case FinishReason::kError: return "error";
  }
  return "error";
}

std::vector<Generated> generate_tokens(const Session& session, State& state, const GenerationRequest& request) {
  check_vocabulary(request.decoding, vocabulary_of(session.program()));
  const bool has_several = request.decoding.num_beams > 1 || request.decoding.num_return_sequences > 1;
  check_internal(!request.go_on || !has_several, "one sequence goes on in one text");
  if (request.decoding.num_beams > 1) return generate_beams(session, state, request);
  return Generation(session, state, request).run();
}

}  // namespace gamut
