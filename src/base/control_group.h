// What the control groups of Linux, both versions, allow this process: a container's share of the machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace gamut {

/// The tightest limits from this process's group up to the root of the hierarchy.
struct ControlGroup {
  std::optional<double> cpu_quota;      ///< in cores, above 0
  std::optional<int64_t> memory_limit;  ///< bytes
  std::optional<int64_t>
      memory_available;  ///< bytes that the limits leave; what the kernel can take back counts as left
};

/// Reads the limits anew. `root` is where /proc and /sys are looked for.
ControlGroup read_control_group(const std::filesystem::path& root = "/");

/// The content of a version-2 group's `cpu.max` ("max 100000", "150000 100000") in cores; nothing when there is no
/// limit or the text is something else.
std::optional<double> parse_cpu_max(std::string_view text);

}  // namespace gamut
