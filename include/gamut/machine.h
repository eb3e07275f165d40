// What gamut is built with and what it finds on the machine, each as one probe gives it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gamut {

struct BuildReport {
  std::string version;       ///< of gamut
  std::string compiler;      ///< "GCC 12.2.0"
  std::string type;          ///< CMake's: "Release"
  std::string flags;         ///< of the compiler, those for single targets apart
  std::string sanitizers;    ///< "address,undefined"; empty: none
  std::string architecture;  ///< "x86_64"
};

struct SystemReport {
  std::string name;    ///< of the distribution: "Debian GNU/Linux 12 (bookworm)"; empty when unknown
  std::string kernel;  ///< "Linux 6.1.0-18-amd64"
  std::string libc;    ///< "glibc 2.36"; empty when unknown
};

/// Bytes; 0 when unknown.
struct MemoryReport {
  int64_t total = 0;
  int64_t available = 0;  ///< what can be had now: the machine's, or what the control group leaves, if less
  std::optional<int64_t> control_group_limit;
  std::optional<int64_t> address_space_limit;  ///< of the process (ulimit -v)
  int64_t swap_total = 0;
  int64_t swap_free = 0;
  std::string huge_pages;  ///< transparent ones: "always", "madvise", "never"; empty when unknown
};

enum class AcceleratorKind { kGpu, kNpu };

/// A GPU or NPU that the operating system shows, whether or not a backend uses it.
struct AcceleratorReport {
  AcceleratorKind kind = AcceleratorKind::kGpu;
  std::string vendor;   ///< "NVIDIA", "Intel", "AMD", else the PCI number, "0x1af4"; empty when unknown
  std::string model;    ///< as the driver calls it, else the PCI number of the device
  std::string address;  ///< on its bus: "0000:01:00.0"
  std::string driver;   ///< the kernel's: "nvidia", "i915", "intel_vpu"; empty: none is bound
  std::string device;   ///< the file to open: "/dev/dri/renderD128"; empty: none
  std::string problem;  ///< why it cannot be opened; empty: it can
  std::string hint;     ///< what would help
};

/// The GPUs of NVIDIA's driver, as it tells them.
struct NvidiaReport {
  struct Device {
    std::string name;
    int64_t memory_bytes = 0;
    std::string compute_capability;  ///< "9.0"
  };
  std::string kernel_version;  ///< of the kernel module, "580.95.05"; empty: not loaded
  std::string library;         ///< the file of libcuda; empty: none can be opened
  std::string cuda_version;    ///< the newest that it serves, "13.0"
  std::vector<Device> devices;
  std::string problem;  ///< the first thing that went wrong; empty: devices are all there
};

}  // namespace gamut
