// What gamut was built with and what it runs on.
#pragma once

#include <filesystem>

#include "gamut/machine.h"

namespace gamut {

BuildReport build_info();

/// Asks anew. `root` is where /etc is looked for.
SystemReport read_system_info(const std::filesystem::path& root = "/");

}  // namespace gamut
