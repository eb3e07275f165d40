// Weights as constants over the checkpoint's file, which know where in it they lie.
#pragma once

#include <map>
#include <string>

#include "backend/openvino/lower.h"

namespace gamut::openvino {

/// The graph's weights that OpenVINO can read in the map of the checkpoint's one file, by name. A compiled model that
/// is exported refers to them by their place in the file instead of carrying them along. The caller keeps `checkpoint`
/// as long as the constants live.
std::map<std::string, Out> read_file_weights(const Graph& graph, const Weights& weights);

/// True when a tensor of the checkpoint can be a constant where it lies: its dtype is one that OpenVINO widens to the
/// graph's `wanted`, and its bytes are aligned.
bool can_share(const Tensor& tensor, DType wanted);

}  // namespace gamut::openvino
