// activation(kind): the non-linearities of feed-forward layers, as transformers names them.
#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"

namespace gamut {

enum class ActivationKind {
  kIdentity,
  kGelu,
  kGeluTanh,
  kGelu10,
  kQuickGelu,
  kRelu,
  kRelu2,
  kRelu6,
  kLeakyRelu,
  kSigmoid,
  kSilu,
  kHardswish,
  kTanh,
  kMish,
  kLaplace,
  kSqrtSoftplus,
};

std::string_view activation_name(ActivationKind kind);
/// The kind in attribute `activation` of a node; kIdentity when it has none.
ActivationKind activation_kind(const Node& node);
/// The kind that transformers' `hidden_act` spells ("gelu_new" -> kGeluTanh). Throws Error{kUnsupported} with the list.
ActivationKind parse_activation(const std::string& hidden_act);
/// The function itself, in double.
double apply_activation(ActivationKind kind, double x);

namespace op {

/// The operator.
extern const OpSchema kActivation;

/// x [...] f32 -> [...].
Value activation(ActivationKind kind, Value x);

}  // namespace op
}  // namespace gamut
