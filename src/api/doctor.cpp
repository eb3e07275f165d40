// The probes of `gamut doctor`, put together.
#include "gamut/doctor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "backend/backend.h"
#include "backend/cpu/kernel_table.h"
#include "base/accelerators.h"
#include "base/cpu_info.h"
#include "base/edge.h"
#include "base/memory_info.h"
#include "base/nvidia_driver.h"
#include "base/shared_library.h"
#include "base/system_info.h"
#include "base/system_text.h"
#include "gamut/error.h"
#include "runtime/self_check.h"

namespace gamut {
namespace {

ProcessorReport examine_processor() {
  const CpuInfo info = detect_cpu();
  return {.model = info.model,
          .instruction_set = isa_name(cpu::best_isa()),
          .instruction_sets = feature_names(info),
          .cores = info.cores,
          .online = info.online,
          .affinity = info.affinity,
          .quota = info.quota,
          .l1d_bytes = info.l1d_bytes,
          .l2_bytes = info.l2_bytes,
          .l3_bytes = info.l3_bytes};
}

BackendReport examine_backend(const BackendStatus& status) {
  BackendReport report{.name = status.name, .problem = status.problem, .install = status.install};
  if (status.backend == nullptr) return report;
  report.available = true;
  report.install = "";
  try {
    const BackendInfo info = status.backend->probe();
    report.version = info.version;
    for (size_t i = 0; i < info.devices.size(); ++i) {
      const SelfCheck test = run_self_check(*status.backend, info.devices[i]);
      report.devices.push_back({.name = info.devices[i],
                                .description = i < info.descriptions.size() ? one_line(info.descriptions[i]) : "",
                                .failure = test.failure,
                                .error = test.error,
                                .milliseconds = test.milliseconds});
    }
    if (info.devices.empty()) report.problem = "it finds no device";
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    report.problem = one_line(error.what());
  }
  return report;
}

/// A library that OpenVINO opens by itself for one kind of device.
DependencyReport examine_library(const char* name, const char* file, const char* enables, const char* install) {
  const SharedLibrary library(file);
  return {.name = name,
          .available = library.is_open(),
          .version = library.file(),
          .enables = enables,
          .problem = library.problem(),
          .install = library.is_open() ? "" : install};
}

std::vector<DependencyReport> examine_dependencies(const std::vector<BackendReport>& backends) {
  std::vector<DependencyReport> dependencies;
  for (const BackendReport& backend : backends) {
    if (backend.name != "openvino") continue;
    dependencies.push_back({.name = "OpenVINO",
                            .available = backend.available,
                            .version = backend.version,
                            .enables = "the backend openvino, on Intel's processors, GPUs and NPUs",
                            .problem = backend.problem,
                            .install = backend.install});
  }
  dependencies.push_back(examine_library("OpenCL loader", "libOpenCL.so.1", "Intel GPUs in the backend openvino",
                                         "apt-get install intel-opencl-icd"));
  dependencies.push_back(examine_library("Level Zero loader", "libze_loader.so.1", "Intel NPUs in the backend openvino",
                                         "apt-get install libze1, and Intel's NPU driver (intel/linux-npu-driver)"));
  return dependencies;
}

CacheReport examine_cache(const std::filesystem::path& folder) {
  CacheReport report{.folder = folder.string()};
  if (folder.empty()) return report;
  std::error_code error;
  report.exists = std::filesystem::is_directory(folder, error);
  // Where nothing is yet, the nearest folder that is there decides.
  std::filesystem::path there = std::filesystem::absolute(folder, error);
  while (!std::filesystem::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  report.writable = std::filesystem::is_directory(there, error) && ::access(there.c_str(), W_OK | X_OK) == 0;
  const std::filesystem::space_info space = std::filesystem::space(there, error);
  if (!error) report.free_bytes = static_cast<int64_t>(std::min<uintmax_t>(space.available, INT64_MAX));
  return report;
}

void find_failures(Diagnosis* diagnosis) {
  for (const BackendReport& backend : diagnosis->backends) {
    if (!backend.available) continue;
    if (!backend.problem.empty()) {
      diagnosis->failures.push_back({fmt::format("backend {}: {}", backend.name, backend.problem), backend.install});
    }
    for (const BackendReport::Device& device : backend.devices) {
      if (device.failure.empty()) continue;
      diagnosis->failures.push_back(
          {fmt::format("backend {} fails its self-test on {}: {}", backend.name, device.name, device.failure),
           "Do not trust results of this backend here; choose another with --backend."});
    }
  }
}

void warn_of(const char* kind, const std::vector<AcceleratorReport>& devices, std::vector<Finding>* warnings) {
  for (const AcceleratorReport& device : devices) {
    if (device.problem.empty() || device.hint.empty()) continue;
    warnings->push_back({fmt::format("{} {} {}: {}", kind, device.vendor, device.model, device.problem), device.hint});
  }
}

void find_warnings(Diagnosis* diagnosis) {
  std::vector<Finding>& warnings = diagnosis->warnings;
  warn_of("GPU", diagnosis->gpus, &warnings);
  warn_of("NPU", diagnosis->npus, &warnings);
  const NvidiaReport& nvidia = diagnosis->nvidia;
  if (!nvidia.kernel_version.empty() && !nvidia.problem.empty()) {
    warnings.push_back({"NVIDIA's driver " + nvidia.kernel_version + " is loaded but does not serve: " + nvidia.problem,
                        "Install libcuda of the same version; in a container, start it with --gpus all."});
  }
  const auto& sets = diagnosis->processor.instruction_sets;
  if (std::ranges::count(sets, "amx_int8") > 0 && !has_isa(Isa::kAmx)) {
    warnings.push_back({"the processor has AMX, and Linux does not grant it", "Linux 5.16 or later grants it."});
  }
  if (!diagnosis->build.sanitizers.empty()) {
    warnings.push_back({"built with sanitizers (" + diagnosis->build.sanitizers + "): slow, and large in memory",
                        "scripts/build.sh release"});
  }
  if (!diagnosis->cache.folder.empty() && !diagnosis->cache.writable) {
    warnings.push_back({"cache folder " + diagnosis->cache.folder + " cannot be written",
                        "Set GAMUT_CACHE_DIR to a folder that can."});
  }
}

Diagnosis examine(const DoctorOptions& options) {
  Diagnosis diagnosis;
  diagnosis.build = build_info();
  diagnosis.system = read_system_info();
  diagnosis.processor = examine_processor();
  diagnosis.memory = read_memory_info();
  for (const AcceleratorReport& found : find_accelerators()) {
    (found.kind == AcceleratorKind::kGpu ? diagnosis.gpus : diagnosis.npus).push_back(found);
  }
  diagnosis.nvidia = read_nvidia_driver();
  for (const BackendStatus& status : backend_statuses()) diagnosis.backends.push_back(examine_backend(status));
  diagnosis.dependencies = examine_dependencies(diagnosis.backends);
  diagnosis.cache = examine_cache(options.cache_folder);
  find_failures(&diagnosis);
  find_warnings(&diagnosis);
  return diagnosis;
}

}  // namespace

bool BackendReport::works() const {
  return available && problem.empty() && !devices.empty() &&
         std::ranges::all_of(devices, [](const Device& device) { return device.failure.empty(); });
}

Diagnosis diagnose(const DoctorOptions& options) {
  return at_edge([&] { return examine(options); });
}

}  // namespace gamut
