// What NVIDIA's driver says of itself, asked through the library that it brings.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gamut {

struct NvidiaDevice {
  std::string name;
  int64_t memory = 0;              ///< bytes
  std::string compute_capability;  ///< "9.0"
};

struct NvidiaDriver {
  std::string kernel_version;  ///< of the kernel module, "580.95.05"; empty: not loaded
  std::string library;         ///< the file of libcuda; empty: none can be opened
  std::string cuda_version;    ///< the newest that it serves, "13.0"
  std::vector<NvidiaDevice> devices;
  std::string problem;  ///< the first thing that went wrong; empty: devices are all there
};

/// Asks anew. `root` is where /proc is looked for, `library` what dlopen is asked for. Starts the driver in this
/// process when there is one, which takes up to a second.
NvidiaDriver read_nvidia_driver(const std::filesystem::path& root = "/", const std::string& library = "libcuda.so.1");

}  // namespace gamut
