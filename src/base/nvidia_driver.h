// What NVIDIA's driver says of itself, asked through the library that it brings.
#pragma once

#include <filesystem>
#include <string>

#include "gamut/machine.h"

namespace gamut {

/// Asks anew. `root` is where /proc is looked for, `library` what dlopen is asked for. Starts the driver in this
/// process when there is one, which takes up to a second.
NvidiaReport read_nvidia_driver(const std::filesystem::path& root = "/", const std::string& library = "libcuda.so.1");

}  // namespace gamut
