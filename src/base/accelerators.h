// The GPUs and NPUs that Linux shows, whether or not anything here can use them: what they are, their driver, and
// whether this process may open them.
#pragma once

#include <filesystem>
#include <vector>

#include "gamut/machine.h"

namespace gamut {

/// Reads what is there anew, GPUs first. `root` is where /proc, /sys and /dev are looked for. Looks at no more than
/// 4,096 devices.
std::vector<AcceleratorReport> find_accelerators(const std::filesystem::path& root = "/");

}  // namespace gamut
