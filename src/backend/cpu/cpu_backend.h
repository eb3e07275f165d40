// The CPU backend: fused graphs, packed weights, one block of memory per run, kernels of the best instruction set.
#pragma once

#include "backend/backend.h"

namespace gamut::cpu {

const Backend& backend();

}  // namespace gamut::cpu
