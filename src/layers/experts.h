// Mixtures of experts: how routers choose, and where checkpoints of each generation keep the experts' weights.
#pragma once

#include <cstdint>
#include <string>

#include "layers/scope.h"
#include "ops/experts.h"

namespace gamut::layer {

enum class RouterScore {
  kSoftmax,          // over all experts
  kSoftmaxOfChosen,  // over the chosen ones
  kSigmoid,
};

/// How a router makes shares of its logits.
struct Router {
  int64_t chosen = 1;
  RouterScore score = RouterScore::kSoftmax;
  /// Above 1: the experts stand in so many groups; those `chosen_groups` whose two best scores have the greatest sum
  /// take part.
  int64_t groups = 1, chosen_groups = 1;
  bool normalized = false;  // shares are divided by their sum …
  double floor = 0;         // … plus this
  double scale = 1;         // and multiplied by this
};

/// logits [B,S,E] -> shares [B,S,E], 0 for experts that are not chosen. `correction` [E], if there is one, is added to
/// the scores for the choice only. Of equal scores the first counts as greater, where torch.topk says nothing. Throws
/// Error{kInvalidFile} that names the scope when the router asks for more experts or groups than there are.
Value route(const Scope& s, const Router& router, Value logits, Value correction = {});

/// What a checkpoint calls the weights of one expert where each has tensors of its own.
struct ExpertNames {
  std::string gate = "gate_proj", up = "up_proj", down = "down_proj";
};

/// The experts below `s` at work: x [B,S,D], shares [B,S,E] -> [B,S,D]. Their weights are the stacked `gate_up_proj`
/// and `down_proj` (with `_bias` each, if there are any) where the checkpoint has them, else `N.gate_proj.weight` and
/// so on.
Value experts(const Scope& s, Value x, Value shares, const ExpertNames& names = {}, const ExpertsForm& form = {});

}  // namespace gamut::layer
