// wkv, linear_scan and delta_rule on OpenVINO: a TensorIterator along the lines of tokens.
#pragma once

#include "backend/openvino/lower_recurrent.h"

namespace gamut::openvino {

/// See lower_recurrence, which calls them.
Recurrence lower_wkv(Lowering& lowering, const Node& node, const Out& initial);
Recurrence lower_linear_scan(Lowering& lowering, const Node& node, const Out& initial);
Recurrence lower_delta_rule(Lowering& lowering, const Node& node, const Out& initial);

}  // namespace gamut::openvino
