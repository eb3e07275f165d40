#include "backend/backend.h"

#include <fmt/format.h>

#include <algorithm>

#include "backend/cpu/cpu_backend.h"
#include "backend/module.h"
#include "backend/reference/reference_backend.h"
#include "base/error.h"

namespace gamut {
namespace {

constexpr std::string_view kPrecisions[] = {"auto", "f32", "bf16", "f16"};

BackendStatus in_a_module(const char* name, const char* install) {
  const BackendModuleLoad& load = load_backend_module(name);
  return {name, load.backend, load.problem, install};
}

}  // namespace

std::vector<BackendStatus> backend_statuses() {
  return {{"cpu", &cpu::backend(), "", ""},
          in_a_module("openvino", "scripts/openvino.sh gets OpenVINO; scripts/build.sh release then builds with it."),
          {"reference", &reference::backend(), "", ""}};
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const BackendStatus& status : backend_statuses()) {
    if (status.backend != nullptr) names.push_back(status.name);
  }
  return names;
}

const Backend& find_backend(const std::string& name) {
  if (name == "cpu") return cpu::backend();  // without a look at the modules
  std::string known;
  for (const BackendStatus& status : backend_statuses()) {
    if (status.name == name && status.backend != nullptr) return *status.backend;
    if (status.name == name) {
      fail_with_hint(ErrorCode::kUnsupported, fmt::format("backend {} cannot be used here: {}", name, status.problem),
                     status.install);
    }
    if (status.backend != nullptr) known += (known.empty() ? "" : ", ") + status.name;
  }
  fail(ErrorCode::kUnsupported, "backend \"{}\" is unknown; available: {}", name, known);
}

void require_plain_options(const Backend& backend, const CompileOptions& options) {
  const BackendInfo info = backend.probe();
  if (options.precision != Precision::kAuto && std::ranges::count(info.precisions, options.precision) == 0) {
    std::string known = "auto";
    for (const Precision precision : info.precisions) known += std::string(", ") + precision_name(precision);
    fail(ErrorCode::kUnsupported, "precision {} is not available on the backend {}; it has: {}",
         precision_name(options.precision), backend.name(), known);
  }
  const std::vector<std::string>& devices = info.devices;
  if (options.device.empty() || std::ranges::count(devices, options.device) > 0) return;
  fail(ErrorCode::kUnsupported, "device \"{}\" is not one of the backend {}; it has: {}", options.device,
       backend.name(), fmt::join(devices, ", "));
}

Precision parse_precision(const std::string& name) {
  for (size_t i = 0; i < std::size(kPrecisions); ++i) {
    if (name == kPrecisions[i]) return static_cast<Precision>(i);
  }
  fail(ErrorCode::kUnsupported, "precision \"{}\" is not available; expected one of: {}", name,
       fmt::join(kPrecisions, ", "));
}

const char* precision_name(Precision precision) { return kPrecisions[static_cast<size_t>(precision)].data(); }

}  // namespace gamut
