// The families of architectures, in a table that CMake makes from the files of this folder's areas.
#pragma once

#include <span>

#include "models/architecture.h"

namespace gamut {

std::span<const ArchitectureFamily* const> model_families();

}  // namespace gamut
