// How much memory the machine has and how much this process may still use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace gamut {

/// Bytes; 0 when unknown.
struct MemoryInfo {
  int64_t total = 0;
  int64_t available = 0;         ///< what can be had now: the machine's, or what the control group leaves, if less
  std::optional<int64_t> limit;  ///< of the control group
  std::optional<int64_t> address_space;  ///< of the process (ulimit -v)
  int64_t swap_total = 0;
  int64_t swap_free = 0;
  std::string huge_pages;  ///< transparent ones: "always", "madvise", "never"; empty when unknown
};

/// Reads the figures anew. `root` is where /proc and /sys are looked for.
MemoryInfo read_memory_info(const std::filesystem::path& root = "/");

/// `read_memory_info().available`.
int64_t available_memory();

}  // namespace gamut
