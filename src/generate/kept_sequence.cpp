#include "generate/kept_sequence.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "generate/prefixes.h"

namespace gamut {
namespace {

/// How many turns one can go back without computing them again, where states cannot be cut.
constexpr size_t kSnapshots = 4;

}  // namespace

KeptSequence::KeptSequence(const Session& session, size_t budget)
    : session_(session), state_(session.make_state(budget)) {
  can_be_cut_ = std::ranges::all_of(
      session.program().states, [](const StateSpec& spec) { return spec.kind == StateKind::kKv && spec.window == 0; });
}

void KeptSequence::clear() {
  while (drop_snapshot()) {
  }
  if (sequence_ >= 0) state_->drop(std::exchange(sequence_, -1));
  tokens_.clear();
}

bool KeptSequence::drop_snapshot() {
  if (snapshots_.empty()) return false;
  state_->drop(snapshots_.front().sequence);
  snapshots_.erase(snapshots_.begin());
  return true;
}

/// Leaves at most the first `length` tokens: as many as can be had.
void KeptSequence::go_back(int64_t length) {
  while (!snapshots_.empty() && snapshots_.back().length > length) {
    state_->drop(snapshots_.back().sequence);
    snapshots_.pop_back();
  }
  if (sequence_ < 0) sequence_ = state_->add();
  if (length == this->length()) return;
  try {
    state_->truncate(sequence_, length);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) throw;
    state_->drop(std::exchange(sequence_, -1));
    tokens_.clear();
    if (snapshots_.empty()) {
      sequence_ = state_->add();
    } else {
      // The snapshot itself, not a fork: memory for both may not be there.
      sequence_ = snapshots_.back().sequence;
      snapshots_.pop_back();
    }
  }
}

Generated KeptSequence::generate(GenerationRequest request, int64_t settled) {
  if (request.prompts.size() != 1) fail(ErrorCode::kInternal, "{} prompts for one sequence", request.prompts.size());
  const std::vector<int64_t>& prompt = request.prompts.front();
  try {
    const auto wanted = static_cast<int64_t>(prompt.size());
    // Tokens that were computed in a row of another class are others, however few of them are left.
    const auto& length_class = session_.program().length_class;
    if (length_class && length_class(length()) != length_class(wanted)) clear();
    go_back(std::min(common_length(tokens_, prompt), std::max<int64_t>(wanted - 1, 0)));
    GoOn go_on{.sequence = sequence_, .make_room = [this] { return drop_snapshot(); }};
    if (!can_be_cut_) go_on.snapshot_at = std::min(settled, wanted - 1);
    request.go_on = std::move(go_on);
    Generated result = std::move(generate_tokens(session_, *state_, request).front());
    tokens_ = prompt;
    tokens_.insert(tokens_.end(), result.tokens.begin(), result.tokens.end());
    tokens_.resize(static_cast<size_t>(state_->length(sequence_)));
    if (result.snapshot >= 0) snapshots_.push_back({state_->length(result.snapshot), result.snapshot});
    if (snapshots_.size() > kSnapshots) drop_snapshot();
    return result;
  } catch (...) {
    clear();
    throw;
  }
}

}  // namespace gamut
