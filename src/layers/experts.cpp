#include "layers/experts.h"

#include <limits>

#include "base/error.h"
#include "ops/binary.h"
#include "ops/compare.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/select.h"
#include "ops/softmax.h"
#include "ops/top_k_mask.h"
#include "ops/unary.h"

namespace gamut::layer {
namespace {

Value hide(Value is_seen, Value x) {
  Graph& g = *x.graph;
  return op::select(op::compare(CompareKind::kLess, g.scalar(0.0f), is_seen), x,
                    g.scalar(std::numeric_limits<float>::lowest()));
}

void check(const Scope& s, const Router& r, int64_t experts) {
  const int64_t in_group = r.groups > 0 && experts % r.groups == 0 ? experts / r.groups : 0;
  if (in_group == 0 || (r.groups > 1 && in_group < 2)) {
    fail(ErrorCode::kInvalidFile, "{}: {} experts in {} groups; expected groups of equal size, of at least 2", s.path(),
         experts, r.groups);
  }
  if (r.chosen_groups < 1 || r.chosen_groups > r.groups) {
    fail(ErrorCode::kInvalidFile, "{}: {} of {} groups of experts are to be chosen", s.path(), r.chosen_groups,
         r.groups);
  }
  if (r.chosen < 1 || r.chosen > r.chosen_groups * in_group) {
    fail(ErrorCode::kInvalidFile, "{}: {} of {} experts are to be chosen for a token", s.path(), r.chosen,
         r.chosen_groups * in_group);
  }
}

/// The scores of the groups that take part; the others' are as low as can be.
Value within_groups(const Router& r, Value scores) {
  const Shape shape(scores.shape().begin(), scores.shape().end());
  const Value apart = op::reshape(scores, {shape[0], shape[1], r.groups, floor_div(shape[2], r.groups)});
  const Value sums = op::reduce(ReduceKind::kSum, apart * op::top_k_mask(apart, 2), {-1});
  const Value chosen = op::top_k_mask(op::reshape(sums, {shape[0], shape[1], r.groups}), r.chosen_groups);
  return op::reshape(hide(op::reshape(chosen, {shape[0], shape[1], r.groups, 1}), apart), shape);
}

}  // namespace

Value route(const Scope& s, const Router& r, Value logits, Value correction) {
  LabelScope label(s.graph(), s.path());
  check(s, r, logits.extent(-1).constant().value_or(0));
  Value scores = logits;
  if (r.score == RouterScore::kSoftmax) scores = op::softmax(logits);
  if (r.score == RouterScore::kSigmoid) scores = op::unary(UnaryKind::kSigmoid, logits);
  Value choice = correction ? scores + correction : scores;
  if (r.groups > 1) choice = within_groups(r, choice);
  const Value chosen = op::top_k_mask(choice, r.chosen);
  Value shares = (r.score == RouterScore::kSoftmaxOfChosen ? op::softmax(hide(chosen, scores)) : scores) * chosen;
  if (r.normalized) {
    Value sum = op::reduce(ReduceKind::kSum, shares, {-1});
    if (r.floor > 0) sum = sum + static_cast<float>(r.floor);
    shares = shares / sum;
  }
  return r.scale == 1 ? shares : shares * static_cast<float>(r.scale);
}

Value experts(const Scope& s, Value x, Value shares, const ExpertNames& names, const ExpertsForm& form) {
  LabelScope label(s.graph(), s.path());
  for (const char* name : {"gate_up_proj_blocks", "down_proj_blocks"}) {
    if (!s.has(name)) continue;
    fail(ErrorCode::kUnsupported, "tensor {}.{}: weights in MXFP4 blocks are not supported; expected floats", s.path(),
         name);
  }
  op::ExpertWeights weights;
  if (s.has("gate_up_proj")) {
    weights.gate_up = s.weight("gate_up_proj"), weights.down = s.weight("down_proj");
    weights.gate_up_bias = s.weight_if("gate_up_proj_bias"), weights.down_bias = s.weight_if("down_proj_bias");
  } else {
    for (int64_t e = 0; e < shares.extent(-1).constant().value_or(0); ++e) {
      weights.gates.push_back((s / e / names.gate).weight("weight"));
      weights.ups.push_back((s / e / names.up).weight("weight"));
      weights.downs.push_back((s / e / names.down).weight("weight"));
    }
  }
  return op::experts(x, shares, weights, form);
}

}  // namespace gamut::layer
