#include "base/accelerators.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/system_text.h"

namespace gamut {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostEntries = 4096;

/// The names in a folder, sorted; none when it cannot be read.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end && names.size() < kMostEntries;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

/// The first name in a folder that is `prefix` and a number: card0, not card0-HDMI-A-1.
std::string numbered(const fs::path& folder, std::string_view prefix) {
  for (const std::string& name : names_in(folder)) {
    if (name.size() > prefix.size() && name.starts_with(prefix) &&
        name.find_first_not_of("0123456789", prefix.size()) == name.npos) {
      return name;
    }
  }
  return "";
}

/// The last part of what a link leads to; empty when it is none.
std::string link_name(const fs::path& link) {
  std::error_code error;
  return one_line(fs::read_symlink(link, error).filename().string());
}

std::string vendor_name(const std::string& number) {
  if (number == "0x10de") return "NVIDIA";
  if (number == "0x8086") return "Intel";
  if (number == "0x1002" || number == "0x1022") return "AMD";
  return number;
}

std::string driver_hint(const AcceleratorReport& found) {
  if (found.vendor == "NVIDIA") return "Install NVIDIA's driver; in a container, start it with the GPU (--gpus all).";
  if (found.kind == AcceleratorKind::kNpu) return "Linux 6.8 or later has the driver of Intel's NPUs, intel_vpu.";
  return "Load the kernel's driver for it (i915 or xe for Intel, amdgpu for AMD).";
}

/// Says whether the device's file can be opened for work, without opening it.
void check_access(const fs::path& root, AcceleratorReport* found) {
  if (found->driver.empty()) {
    found->problem = "no driver is bound to it";
    found->hint = driver_hint(*found);
  } else if (found->device.empty()) {
    found->problem = "its driver " + found->driver + " offers no device for computing";
  } else if (const fs::path file = root / found->device.substr(1); ::access(file.c_str(), R_OK | W_OK) != 0) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    found->problem = found->device + (missing ? " is not there" : " may not be opened by this user");
    found->hint = missing ? "In a container, hand the device in (--device " + found->device + " or --gpus all)."
                          : "Add the user to the file's group, as `ls -l " + found->device + "` shows it.";
  }
}

/// Reads a device's folder under /sys.
AcceleratorReport read_device(const fs::path& folder, AcceleratorKind kind) {
  AcceleratorReport found{.kind = kind};
  found.vendor = vendor_name(one_line(read_system_text(folder / "vendor")));
  found.model = one_line(read_system_text(folder / "device"));
  found.driver = link_name(folder / "driver");
  const std::string node =
      kind == AcceleratorKind::kNpu ? numbered(folder / "accel", "accel") : numbered(folder / "drm", "renderD");
  if (!node.empty()) found.device = (kind == AcceleratorKind::kNpu ? "/dev/accel/" : "/dev/dri/") + node;
  if (found.driver == "nvidia") found.device = "/dev/nvidiactl";
  return found;
}

/// PCI devices of class 0x03 (display) and 0x12 (processing accelerator) that are there, driver or not.
std::vector<AcceleratorReport> pci_devices(const fs::path& root) {
  std::vector<AcceleratorReport> devices;
  const fs::path bus = root / "sys/bus/pci/devices";
  for (const std::string& address : names_in(bus)) {
    const std::string number = read_system_text(bus / address / "class");
    const bool display = number.starts_with("0x03"), accelerator = number.starts_with("0x12");
    if (!display && !accelerator) continue;
    devices.push_back(read_device(bus / address, display ? AcceleratorKind::kGpu : AcceleratorKind::kNpu));
    devices.back().address = one_line(address);
  }
  return devices;
}

bool has_address(const std::vector<AcceleratorReport>& devices, const std::string& address) {
  return std::ranges::any_of(devices, [&](const AcceleratorReport& device) { return device.address == address; });
}

/// What the graphics and accelerator classes know beside PCI: the GPUs and NPUs inside a chip.
void add_class(const fs::path& root, const char* name, AcceleratorKind kind, std::vector<AcceleratorReport>* devices) {
  const fs::path folder = root / "sys/class" / name;
  const std::string prefix = kind == AcceleratorKind::kGpu ? "card" : "accel";
  for (const std::string& entry : names_in(folder)) {
    if (!entry.starts_with(prefix) || entry.find_first_not_of("0123456789", prefix.size()) != entry.npos) continue;
    std::error_code error;
    const fs::path device = fs::canonical(folder / entry / "device", error);
    const std::string address = one_line(device.filename().string());
    if (error || has_address(*devices, address)) continue;
    devices->push_back(read_device(device, kind));
    devices->back().address = address;
  }
}

/// NVIDIA's driver tells the model, and in a container GPUs that /sys may not show.
void add_nvidia(const fs::path& root, std::vector<AcceleratorReport>* devices) {
  const fs::path folder = root / "proc/driver/nvidia/gpus";
  for (const std::string& name : names_in(folder)) {
    const std::string address = one_line(name);
    if (!has_address(*devices, address)) devices->push_back({.vendor = "NVIDIA", .address = address});
    const std::string information = read_system_text(folder / name / "information");
    for (AcceleratorReport& device : *devices) {
      if (device.address != address) continue;
      if (const std::string model = one_line(field(information, "Model", ':')); !model.empty()) device.model = model;
      device.driver = "nvidia";
      const auto minor = leading_number(field(information, "Device Minor", ':'));
      device.device = minor && *minor >= 0 ? "/dev/nvidia" + std::to_string(*minor) : "/dev/nvidiactl";
    }
  }
}

}  // namespace

std::vector<AcceleratorReport> find_accelerators(const fs::path& root) {
  std::vector<AcceleratorReport> devices = pci_devices(root);
  add_class(root, "drm", AcceleratorKind::kGpu, &devices);
  add_class(root, "accel", AcceleratorKind::kNpu, &devices);
  add_nvidia(root, &devices);
  for (AcceleratorReport& device : devices) check_access(root, &device);
  std::ranges::stable_sort(devices, {}, &AcceleratorReport::kind);
  return devices;
}

}  // namespace gamut
