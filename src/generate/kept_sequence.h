// A sequence that stays between calls, so that a text which grows is computed once.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "generate/generator.h"

namespace gamut {

/// What earlier calls have computed of one text, in a state of its own. For one thread at a time; the session must
/// outlive it.
class KeptSequence {
 public:
  /// `budget`: bytes for the state. Throws what Session::make_state throws.
  KeptSequence(const Session& session, size_t budget);

  /// Runs a request with one prompt; only the tokens behind what the prompt has in common with the text so far go
  /// through the program. `settled`: so many tokens will most likely begin the next prompt as well, however what comes
  /// behind changes; states that cannot be cut back are kept as they were there.
  Generated generate(GenerationRequest request, int64_t settled);

  /// Forgets the text; its memory is free.
  void clear();
  /// Tokens whose states are there.
  int64_t length() const { return static_cast<int64_t>(tokens_.size()); }
  StateUse use() const { return state_->use(); }

 private:
  struct Snapshot {
    int64_t length, sequence;
  };

  void go_back(int64_t length);
  bool drop_snapshot();

  const Session& session_;
  std::unique_ptr<State> state_;
  bool can_be_cut_ = true;
  int64_t sequence_ = -1;
  std::vector<int64_t> tokens_;      // of the sequence
  std::vector<Snapshot> snapshots_;  // of its beginnings, the shortest first
};

}  // namespace gamut
