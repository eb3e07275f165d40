// How much memory the machine has and how much this process may still use.
#pragma once

#include <cstdint>
#include <filesystem>

#include "gamut/machine.h"

namespace gamut {

/// Reads the figures anew. `root` is where /proc and /sys are looked for.
MemoryReport read_memory_info(const std::filesystem::path& root = "/");

/// `read_memory_info().available`.
int64_t available_memory();

}  // namespace gamut
