// Plain loops of wkv, linear_scan and delta_rule; see recurrent_ops.h, which calls them.
#pragma once

#include "backend/recurrent_ops.h"

namespace gamut {

/// Each runs one row; `out` is at its first token.
void run_wkv(const Node& node, std::span<const HostTensor> inputs, float* out, const RecurrentRow& row);
void run_linear_scan(const Node& node, std::span<const HostTensor> inputs, float* out, const RecurrentRow& row);
void run_delta_rule(const Node& node, std::span<const HostTensor> inputs, float* out, const RecurrentRow& row);

}  // namespace gamut
