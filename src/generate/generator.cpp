#include "generate/generator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "base/error.h"
#include "generate/prefixes.h"

namespace gamut {
namespace {

/// Tokens of prompts that one step takes: enough to keep the matrix products busy, few enough that their intermediate
/// values stay small.
constexpr int64_t kPrefillTokens = 1024;

/// A prompt on its way.
struct Row {
  size_t prompt = 0;
  int64_t sequence = -1;
  std::vector<int64_t> tokens;  // prompt and new tokens
  size_t prompt_length = 0;
  SharedPrefix shared;  // of prompts by number
  bool waits = false;   // for its parent to come to the length of the fork

  int64_t length() const { return static_cast<int64_t>(tokens.size()); }
  int64_t made() const { return length() - static_cast<int64_t>(prompt_length); }
};

/// The place of the largest number, the first of several; -1 when one is NaN or infinite.
int64_t argmax(std::span<const float> logits) {
  int64_t best = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!std::isfinite(logits[i])) return -1;
    if (logits[i] > logits[static_cast<size_t>(best)]) best = static_cast<int64_t>(i);
  }
  return best;
}

Tensor copy_line(const Tensor& logits, size_t line) {
  const int64_t width = logits.dim(1);
  Tensor own = Tensor::allocate(DType::kF32, {width});
  std::copy_n(logits.f32().data() + static_cast<int64_t>(line) * width, width, own.mutable_f32().data());
  return own;
}

/// One call's rows, from their prompts to their ends.
class Generation {
 public:
  Generation(const Session& session, State& state, const GenerationRequest& request)
      : session_(session), state_(state), request_(request), results_(request.prompts.size()) {}
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
  void check_prompt(const std::vector<int64_t>& tokens) const;
  void share(const std::vector<size_t>& rows);
  void fork_waiting(const Row& parent);
  void free_waiting(const Row& parent);
  void take_snapshot(const Row& row);
  int64_t next_stop(const Row& row) const;
  void restart_if_class_changed(Row* row) const;
  std::vector<Part> plan() const;
  void reserve(const Row& row, int64_t tokens);
  void step(std::vector<Part> parts);
  void take_logits(const std::vector<Part>& parts, const Tensor& logits);
  bool changes_logits(const Row& row) const;
  std::vector<float> penalised(const Row& row, std::span<const float> line) const;
  void add_token(Row* row, int64_t token);
  void refuse(const Row& row, const Error& error);
  void cancel_all();
  void remove_finished();
  void drop(const Row& row) const;

  const Session& session_;
  State& state_;
  const GenerationRequest& request_;
  std::vector<Generated> results_;
  std::vector<Row> rows_;
};

void Generation::drop(const Row& row) const {
  if (row.sequence >= 0 && !request_.go_on) state_.drop(row.sequence);
}

void Generation::refuse(const Row& row, const Error& error) {
  results_[row.prompt].error = error;
  results_[row.prompt].reason = FinishReason::kError;
}

void Generation::check_prompt(const std::vector<int64_t>& tokens) const {
  if (tokens.empty()) fail(ErrorCode::kInvalidArgument, "the prompt has no tokens");
  const Program& program = session_.program();
  int64_t longest = program.max_length;
  if (const int64_t context = request_.limits.context; context > 0) {
    longest = longest > 0 ? std::min(longest, context) : context;
  }
  if (longest > 0 && static_cast<int64_t>(tokens.size()) > longest) {
    fail(ErrorCode::kInvalidArgument, "the prompt has {} tokens, the model's context {}", tokens.size(), longest);
  }
  for (const ProgramInput& input : program.inputs) {
    if (input.name != "input_ids") continue;
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i] >= 0 && tokens[i] < input.limit) continue;
      fail(ErrorCode::kInvalidArgument, "input_ids: {} at {} is outside [0, {})", tokens[i], i, input.limit);
    }
  }
}

void Generation::admit(size_t prompt) {
  Row row{.prompt = prompt};
  try {
    const std::vector<int64_t>& tokens = request_.prompts[prompt];
    check_prompt(tokens);
    row.tokens = tokens;
    row.prompt_length = tokens.size();
    if (request_.limits.max_new_tokens <= 0) return;
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
    for (const size_t r : rows) prompts.push_back(rows_[r].tokens);
  }
  const std::vector<SharedPrefix> shared = share_prefixes(prompts);
  for (size_t i = 0; i < rows.size(); ++i) {
    Row& row = rows_[rows[i]];
    row.shared = i < shared.size() && shared[i].length > 0
                     ? SharedPrefix{rows_[rows[shared[i].parent]].prompt, shared[i].length}
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
    if (results_[rows_[r].prompt].error) free_waiting(rows_[r]);
  }
}

/// Gives the rows that wait for what `parent` has now computed their fork of it.
void Generation::fork_waiting(const Row& parent) {
  for (Row& row : rows_) {
    if (!row.waits || row.shared.parent != parent.prompt) continue;
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
    if (rows_[r].waits && rows_[r].shared.parent == parent.prompt) orphans.push_back(r);
  }
  if (!orphans.empty()) share(orphans);
}

void Generation::take_snapshot(const Row& row) {
  if (!request_.go_on || state_.length(row.sequence) != request_.go_on->snapshot_at) return;
  try {
    results_[row.prompt].snapshot = state_.fork(row.sequence);
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
    if (other.waits && other.shared.parent == row.prompt) stop = std::min(stop, other.shared.length);
  }
  if (request_.go_on && request_.go_on->snapshot_at > past) stop = std::min(stop, request_.go_on->snapshot_at);
  return stop;
}

/// Where the same token would now be computed in another way, all of the row is computed again.
void Generation::restart_if_class_changed(Row* row) const {
  const auto& length_class = session_.program().length_class;
  const int64_t past = state_.length(row->sequence);
  if (!length_class || past == 0 || length_class(past) == length_class(row->length())) return;
  state_.truncate(row->sequence, 0);
}

/// All rows that wait for one token, and as much of the prompts as fits.
std::vector<Generation::Part> Generation::plan() const {
  std::vector<Part> parts;
  int64_t room = kPrefillTokens;
  const bool whole = session_.program().length_class != nullptr;
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].sequence < 0) continue;
    const int64_t next = whole ? rows_[i].length() : next_stop(rows_[i]);
    const int64_t waiting = next - state_.length(rows_[i].sequence);
    const int64_t tokens = whole || waiting == 1 ? waiting : std::min(waiting, std::max<int64_t>(room, 0));
    if (tokens == 0) continue;
    parts.push_back({i, tokens});
    room -= tokens;
  }
  return parts;
}

void Generation::add_token(Row* row, int64_t token) {
  const GenerationLimits& limits = request_.limits;
  row->tokens.push_back(token);
  Generated& result = results_[row->prompt];
  result.tokens.push_back(token);
  const int64_t made = row->made();
  auto finish = [&](FinishReason reason) {
    result.reason = reason;
    drop(*row);
    row->sequence = -1;
  };
  const bool goes_on = !request_.on_token || request_.on_token(row->prompt, token);
  if (!goes_on) return finish(FinishReason::kCancelled);
  if (made >= limits.min_new_tokens && std::ranges::count(limits.stop_ids, token) > 0) {
    return finish(FinishReason::kStop);
  }
  const int64_t longest = session_.program().max_length;
  const bool is_full =
      (limits.context > 0 && row->length() >= limits.context) || (longest > 0 && row->length() > longest);
  if (made >= limits.max_new_tokens || is_full) finish(FinishReason::kLength);
}

bool Generation::changes_logits(const Row& row) const {
  const GenerationLimits& limits = request_.limits;
  return limits.repetition_penalty != 1 || (row.made() < limits.min_new_tokens && !limits.stop_ids.empty());
}

/// What the limits make of the logits.
std::vector<float> Generation::penalised(const Row& row, std::span<const float> line) const {
  const GenerationLimits& limits = request_.limits;
  std::vector<float> logits(line.begin(), line.end());
  if (limits.repetition_penalty != 1) {
    const auto penalty = static_cast<float>(limits.repetition_penalty);
    for (const int64_t id : std::set<int64_t>(row.tokens.begin(), row.tokens.end())) {
      float& logit = logits[static_cast<size_t>(id)];
      logit = logit < 0 ? logit * penalty : logit / penalty;
    }
  }
  if (row.made() >= limits.min_new_tokens) return logits;
  for (int64_t id : limits.stop_ids) {
    if (id >= 0 && id < static_cast<int64_t>(logits.size())) {
      logits[static_cast<size_t>(id)] = std::numeric_limits<float>::lowest();
    }
  }
  return logits;
}

void Generation::take_logits(const std::vector<Part>& parts, const Tensor& logits) {
  for (size_t n = 0; n < parts.size(); ++n) {
    Row& row = rows_[parts[n].row];
    if (state_.length(row.sequence) < row.length()) continue;  // more of its prompt is to come
    const auto width = static_cast<size_t>(logits.dim(1));
    const std::span<const float> line = logits.f32().subspan(n * width, width);
    int64_t best = argmax(line);
    if (best < 0) {
      refuse(row, Error(ErrorCode::kInvalidFile, fmt::format("the logits after {} tokens are not finite", row.length()),
                        "Weights that are NaN or infinite make such results."));
      drop(row);
      row.sequence = -1;
      continue;
    }
    if (request_.keep_logits) results_[row.prompt].logits.push_back(copy_line(logits, n));
    if (changes_logits(row)) best = argmax(penalised(row, line));
    add_token(&row, best);
  }
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
    const auto begin = row.tokens.begin() + state_.length(row.sequence);
    tokens.emplace_back(begin, begin + part.tokens);
    sequences.push_back(row.sequence);
  }
  const NamedTensors results = session_.step(tokens, state_, sequences, Session::Wanted::kLast);
  for (const Part& part : parts) {
    Generated& result = results_[rows_[part.row].prompt];
    if (result.tokens.empty()) result.computed += part.tokens;
    take_snapshot(rows_[part.row]);
    fork_waiting(rows_[part.row]);
  }
  take_logits(parts, results.at("logits"));
}

void Generation::cancel_all() {
  for (Row& row : rows_) {
    results_[row.prompt].reason = FinishReason::kCancelled;
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
    for (Row& row : rows_) {
      if (row.sequence >= 0) restart_if_class_changed(&row);
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

std::vector<Generated> generate_greedy(const Session& session, State& state, const GenerationRequest& request) {
  return Generation(session, state, request).run();
}

}  // namespace gamut
