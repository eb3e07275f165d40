// What this machine gives gamut and what of it works: hardware, drivers, backends that are really run, dependencies.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "gamut/machine.h"

namespace gamut {

struct DoctorOptions {
  std::filesystem::path cache_folder;  ///< to be looked at; empty: none
};

struct ProcessorReport {
  std::string model;                          ///< empty when unknown
  std::string instruction_set;                ///< the best whose kernels are used: "baseline", "avx2", "avx512", "amx"
  std::vector<std::string> instruction_sets;  ///< and extensions, above the baseline, that can be used
  int cores = 0;                              ///< that gamut uses by default
  int online = 0;                             ///< processors of the machine; 0 when unknown
  int affinity = 0;                           ///< processors that this process may be given
  std::optional<double> quota;                ///< of the control group, in cores
  int64_t l1d_bytes = 0, l2_bytes = 0, l3_bytes = 0;  ///< 0 when unknown
};

struct BackendReport {
  struct Device {
    std::string name, description;
    std::string failure;  ///< of the self-test; empty: passed
    double error = 0;     ///< largest difference from the reference, relative to the largest number
    double milliseconds = 0;
  };
  std::string name;
  bool available = false;
  std::string version;          ///< of the engine
  std::vector<Device> devices;  ///< the default first
  std::string problem;          ///< why it is not available, or why it cannot even be asked for its devices
  std::string install;          ///< what would make it available; empty when it is

  /// Available, and the self-test passes on each of its devices.
  bool works() const;
};

/// Something that gamut can do without.
struct DependencyReport {
  std::string name;
  bool available = false;
  std::string version;  ///< or the file that was found
  std::string enables;
  std::string problem;  ///< why it is not available
  std::string install;
};

struct CacheReport {
  std::string folder;  ///< empty: there is none
  bool exists = false;
  bool writable = false;   ///< it is, or can be made
  int64_t free_bytes = 0;  ///< of its file system; 0 when unknown
};

/// Something that the reader should know, and what to do about it.
struct Finding {
  std::string message, hint;
};

struct Diagnosis {
  BuildReport build;
  SystemReport system;
  ProcessorReport processor;
  MemoryReport memory;
  std::vector<AcceleratorReport> gpus, npus;
  NvidiaReport nvidia;
  std::vector<BackendReport> backends;
  std::vector<DependencyReport> dependencies;
  CacheReport cache;
  std::vector<Finding> failures;  ///< an available backend that does not work
  std::vector<Finding> warnings;  ///< hardware that could be used and cannot, folders that cannot be written

  bool healthy() const { return failures.empty(); }
};

/// Probes the machine anew and runs a small graph on each device of each backend. What fails is in the result; throws
/// only Error{kResourceLimit} when there is no memory.
Diagnosis diagnose(const DoctorOptions& options = {});

/// The diagnosis as JSON; docs/DOCTOR.md lists its keys, which stay.
std::string to_json(const Diagnosis& diagnosis);

}  // namespace gamut
