// Beam search over scores that somebody else makes: which continuations run on, which are finished, when there are
// enough.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "gamut/decoding.h"
#include "gamut/tensor.h"
#include "generate/token_history.h"

namespace gamut {

/// What a search goes by.
struct BeamRules {
  size_t beams = 1;
  std::vector<int64_t> ends;  ///< ids that finish a text, ascending
  int64_t greatest_length = 0;
  double length_penalty = 1;
  EarlyStopping early_stopping = EarlyStopping::kNo;
};

/// What the model said of one token of a beam.
struct TokenRecord {
  TokenLogprobs logprobs;
  Tensor logits;
};
using TokenRecords = std::vector<std::shared_ptr<const TokenRecord>>;

/// A text on its way, or a finished one.
struct Beam {
  TokenHistory history;
  float score = 0;  ///< sum over the new tokens; of a finished one divided by their number ^ length_penalty
  bool is_finished = false;
  size_t parent = 0;  ///< the running beam of the step before that it goes on from
  TokenRecords records;
};

/// A token that may follow a running beam.
struct Continuation {
  size_t beam = 0;
  int64_t token = 0;
  float score = 0;  ///< of the beam with the token
  double rank = 0;  ///< the greatest are taken: the score, or the score with the noise of a draw
};

/// The search of transformers' GenerationMixin._beam_search for one prompt, step by step.
class BeamSearch {
 public:
  /// Starts with rules.beams times the prompt, of which all but the first count as impossible.
  BeamSearch(BeamRules rules, const TokenHistory& prompt);

  /// Best first.
  const std::vector<Beam>& running() const { return running_; }
  /// Best first; as many as there are beams, some of them perhaps not finished before the search is done.
  const std::vector<Beam>& finished() const { return finished_; }
  bool is_done() const { return is_done_; }
  /// How many continuations a step looks at: enough that beams run on although all ends of text are among them.
  size_t width() const { return width_; }

  /// Makes a record of a token that beam number `beam` goes on with.
  using Recorder = std::function<std::shared_ptr<const TokenRecord>(size_t beam, int64_t token)>;

  /// One more token: of each running beam the `width` best continuations, or all when it has fewer. `record` may be
  /// empty.
  void step(std::vector<Continuation> continuations, const Recorder& record = {});

 private:
  bool is_end(const Continuation& continuation) const;
  bool hits_end(const Continuation& continuation) const;
  Beam beam_of(const Continuation& continuation, const Recorder& record) const;
  std::vector<Beam> next_running(const std::vector<Continuation>& best, const Recorder& record) const;
  void finish(const std::vector<Continuation>& best, const Recorder& record);
  bool may_improve() const;
  bool all_finished() const;

  BeamRules rules_;
  size_t width_;
  std::vector<Beam> running_, finished_;
  bool can_improve_ = true, is_done_ = false;
};

}  // namespace gamut
