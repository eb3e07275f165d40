// The GPUs and NPUs that Linux shows, whether or not anything here can use them: what they are, their driver, and
// whether this process may open them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gamut {

enum class AcceleratorKind { kGpu, kNpu };

struct Accelerator {
  AcceleratorKind kind = AcceleratorKind::kGpu;
  std::string vendor;   ///< "NVIDIA", "Intel", "AMD", else the PCI number, "0x1af4"; empty when unknown
  std::string model;    ///< as the driver calls it, else the PCI number of the device
  std::string address;  ///< on its bus: "0000:01:00.0"
  std::string driver;   ///< the kernel's: "nvidia", "i915", "intel_vpu"; empty: none is bound
  std::string device;   ///< the file to open: "/dev/dri/renderD128"; empty: none
  std::string problem;  ///< why it cannot be opened; empty: it can
  std::string hint;     ///< what would help
};

/// Reads what is there anew, GPUs first. `root` is where /proc, /sys and /dev are looked for. Looks at no more than
/// 4,096 devices.
std::vector<Accelerator> find_accelerators(const std::filesystem::path& root = "/");

}  // namespace gamut
