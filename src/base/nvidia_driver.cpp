#include "base/nvidia_driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/shared_library.h"
#include "base/system_text.h"

namespace gamut {
namespace {

/// The part of the driver's interface that is asked, as its documentation declares it: 0 is success.
struct Cuda {
  int (*get_version)(int*) = nullptr;
  int (*init)(unsigned) = nullptr;
  int (*get_count)(int*) = nullptr;
  int (*get_device)(int*, int) = nullptr;
  int (*get_name)(char*, int, int) = nullptr;
  int (*get_memory)(size_t*, int) = nullptr;
  int (*get_attribute)(int*, int, int) = nullptr;
  int (*error_name)(int, const char**) = nullptr;
};

/// False when a function is missing, named in `problem`.
bool find_functions(const SharedLibrary& library, Cuda* cuda, std::string* problem) {
  auto find = [&](const char* name, auto** function) {
    library.find(name, function);
    if (*function == nullptr && problem->empty()) *problem = library.file() + " has no " + name;
  };
  find("cuDriverGetVersion", &cuda->get_version);
  find("cuInit", &cuda->init);
  find("cuDeviceGetCount", &cuda->get_count);
  find("cuDeviceGet", &cuda->get_device);
  find("cuDeviceGetName", &cuda->get_name);
  find("cuDeviceTotalMem_v2", &cuda->get_memory);
  find("cuDeviceGetAttribute", &cuda->get_attribute);
  find("cuGetErrorName", &cuda->error_name);
  return problem->empty();
}

NvidiaReport::Device describe(const Cuda& cuda, int index) {
  constexpr int kMajor = 75, kMinor = 76;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, …_MINOR
  NvidiaReport::Device device;
  int handle = 0, major = 0, minor = 0;
  size_t bytes = 0;
  std::array<char, 256> name{};
  if (cuda.get_device(&handle, index) != 0) return device;
  if (cuda.get_name(name.data(), static_cast<int>(name.size() - 1), handle) == 0) device.name = one_line(name.data());
  if (cuda.get_memory(&bytes, handle) == 0)
    device.memory_bytes = static_cast<int64_t>(std::min<size_t>(bytes, INT64_MAX));
  if (cuda.get_attribute(&major, kMajor, handle) == 0 && cuda.get_attribute(&minor, kMinor, handle) == 0) {
    device.compute_capability = fmt::format("{}.{}", major, minor);
  }
  return device;
}

void ask(const Cuda& cuda, NvidiaReport* driver) {
  constexpr int kMostDevices = 1024;
  auto refused = [&](const char* call, int status) {
    const char* name = nullptr;
    if (status == 0) return false;
    const bool named = cuda.error_name(status, &name) == 0 && name != nullptr;
    driver->problem = fmt::format("{}: {}", call, named ? one_line(name) : "error " + std::to_string(status));
    return true;
  };
  int version = 0, count = 0;
  if (refused("cuDriverGetVersion", cuda.get_version(&version))) return;
  driver->cuda_version = fmt::format("{}.{}", version / 1000, version % 1000 / 10);
  if (refused("cuInit", cuda.init(0))) return;
  if (refused("cuDeviceGetCount", cuda.get_count(&count))) return;
  for (int i = 0; i < std::min(count, kMostDevices); ++i) driver->devices.push_back(describe(cuda, i));
}

/// The first word of digits and at least one dot: "… Kernel Module  580.95.05  Tue …".
std::string version_word(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.find('.') != word.npos && word.find_first_not_of("0123456789.") == word.npos) return one_line(word);
  }
  return "";
}

}  // namespace

NvidiaReport read_nvidia_driver(const std::filesystem::path& root, const std::string& library) {
  NvidiaReport driver;
  driver.kernel_version =
      version_word(field(read_system_text(root / "proc/driver/nvidia/version"), "NVRM version", ':'));
  const SharedLibrary opened(library, SharedLibrary::Life::kStays);
  driver.library = opened.file();
  driver.problem = opened.problem();
  Cuda cuda;
  if (opened.is_open() && find_functions(opened, &cuda, &driver.problem)) ask(cuda, &driver);
  return driver;
}

}  // namespace gamut
