// The states of a program between runs: sequences that grow, fork and go, in memory that a backend owns.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/state.h"

namespace gamut {

/// How much of a state's budget is in use.
struct StateUse {
  size_t bytes = 0;   ///< held by sequences; what several of them share counts once
  size_t budget = 0;  ///< never exceeded
};

/// What a program keeps of many sequences. Made by Backend::make_state and used by one thread at a time; runs that use
/// one state do not overlap. Numbers of sequences are never used twice. Every function throws Error{kNotFound} for a
/// sequence that is not there and changes nothing when it throws.
class State {
 public:
  virtual ~State() = default;

  /// A new sequence without tokens.
  virtual int64_t add() = 0;
  /// A new sequence with the tokens of `sequence`, whose memory it shares until one of them grows.
  virtual int64_t fork(int64_t sequence) = 0;
  /// Forgets all but the first `length` tokens. Throws Error{kUnsupported} when that cannot be done: a recurrence
  /// remembers no earlier token, a window has let them go.
  virtual void truncate(int64_t sequence, int64_t length) = 0;
  /// Forgets the sequence; its memory is free for others.
  virtual void drop(int64_t sequence) = 0;
  /// How many tokens it has.
  virtual int64_t length(int64_t sequence) const = 0;

  /// Takes the memory for `tokens` more. Throws Error{kResourceLimit} that says what is missing.
  virtual void reserve(int64_t sequence, int64_t tokens) = 0;
  /// The `tokens` that a run has just written, and reserve made room for, belong to the sequence.
  virtual void advance(int64_t sequence, int64_t tokens) = 0;

  virtual StateUse use() const = 0;
};

/// Whose tokens the rows of a run are: row n of the rows table goes on with sequences[n], which are all different and
/// have reserved the row's length.
struct StateRun {
  State* state = nullptr;  ///< null: every row starts anew and leaves nothing
  std::span<const int64_t> sequences;
};

}  // namespace gamut
