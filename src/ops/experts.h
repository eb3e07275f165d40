// experts: feed-forwards of which each token uses a few, weighed and added up.
#pragma once

#include <vector>

#include "graph/graph.h"
#include "ops/activation.h"

namespace gamut {

/// How an `experts` node holds its weights and what happens between them.
struct ExpertsForm {
  ActivationKind activation = ActivationKind::kSilu;
  bool transposed = false;   // stacked weights are [E,in,out]
  bool interleaved = false;  // of stacked weights: outputs 2i are gate, 2i + 1 up; else gate is the first half
  /// Above 0, in place of activation(gate) · up: (min(gate, limit) · sigmoid(gain · the same)) · (up, at most `limit`
  /// far from 0, + 1).
  double limit = 0;
  double gain = 1;
};

/// The form of an `experts` node.
ExpertsForm experts_form(const Node& node);

/// Of an `experts` node: the values that hold one matrix of an expert, and which part of them it is.
struct ExpertMatrices {
  int gate = -1, up = -1, down = -1;  // values; stacked: gate and up are the same
  bool stacked = false;
};
ExpertMatrices expert_matrices(const Node& node, int64_t expert);

namespace op {

/// The operator.
extern const OpSchema kExperts;

/// Weights of E experts, stacked or one tensor for each.
struct ExpertWeights {
  Value gate_up, down;                   // stacked: [E,2I,D] and [E,D,I], or as the form says
  std::vector<Value> gates, ups, downs;  // each: [I,D], [I,D], [D,I]
  Value gate_up_bias, down_bias;         // with stacked ones: [E,2I], [E,D]
};

/// x [B,S,D], shares [B,S,E] -> [B,S,D]: for each token the sum of share · down(activation(gate(x)) · up(x)) over the
/// experts, rising. An expert whose share is 0 is not asked. (Shares of all experts, mostly zeros, stand for pairs of
/// an expert and its weight: they cost next to nothing beside the experts, and a graph needs no operator with two
/// results.)
Value experts(Value x, Value shares, const ExpertWeights& weights, const ExpertsForm& form = {});

}  // namespace op
}  // namespace gamut
