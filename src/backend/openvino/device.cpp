#include "backend/openvino/device.h"

#include <fmt/format.h>

#include <algorithm>

#include <openvino/runtime/properties.hpp>
#include "backend/weights.h"
#include "base/cpu_info.h"

namespace gamut::openvino {
namespace {

bool computes_in(const std::string& device, const char* capability) {
  if (device == "AUTO") return false;
  const std::vector<std::string> capabilities = core().get_property(device, ov::device::capabilities);
  return std::ranges::count(capabilities, capability) > 0;
}

ov::element::Type find_precision(Precision wanted, const std::string& device, const Checkpoint& checkpoint) {
  switch (wanted) {
    case Precision::kF32: return ov::element::f32;
    case Precision::kBf16: return ov::element::bf16;
    case Precision::kF16: return ov::element::f16;
    case Precision::kAuto: break;
  }
  const DType own = main_dtype(checkpoint);
  if (own == DType::kBf16 && computes_in(device, ov::device::capability::BF16)) return ov::element::bf16;
  // A processor that lists FP16 may still compute in bf16, which has fewer digits.
  if (own == DType::kF16 && device != "CPU" && computes_in(device, ov::device::capability::FP16)) {
    return ov::element::f16;
  }
  return ov::element::f32;
}

/// "GPU" stands for the first of "GPU.0" and "GPU.1".
bool is_device(const std::string& wanted, const std::string& found) {
  return found == wanted || found.starts_with(wanted + ".");
}

}  // namespace

std::vector<Precision> precisions_of(const std::string& device) {
  std::vector<Precision> precisions{Precision::kF32};
  if (computes_in(device, ov::device::capability::BF16)) precisions.push_back(Precision::kBf16);
  if (computes_in(device, ov::device::capability::FP16)) precisions.push_back(Precision::kF16);
  return precisions;
}

ov::Core& core() {
  static ov::Core* const instance = new ov::Core();
  return *instance;
}

ov::AnyMap Device::properties() const {
  ov::AnyMap map{ov::hint::inference_precision(precision),
                 ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY)};
  if (name == "CPU") {
    map.insert(ov::inference_num_threads(threads));
    map.insert(ov::num_streams(1));
    map.insert(
        ov::hint::dynamic_quantization_group_size(0));    // it would round what meets quantised weights to eight bits
    map.insert(ov::hint::kv_cache_precision(precision));  // it would keep keys and values in eight bits
  }
  return map;
}

Device find_device(const CompileOptions& options, const Checkpoint& checkpoint) {
  if (!options.instruction_set.empty()) {
    fail(ErrorCode::kUnsupported, "instruction set \"{}\": the openvino backend chooses its own",
         options.instruction_set);
  }
  const std::string name = options.device.empty() ? "CPU" : options.device;
  // To list the devices OpenVINO opens every plugin and driver, which takes longer than all else here.
  const std::vector<std::string> found =
      name == "CPU" ? std::vector<std::string>{name} : core().get_available_devices();
  const bool is_there =
      name == "AUTO" ? !found.empty()
                     : std::ranges::any_of(found, [&](const std::string& device) { return is_device(name, device); });
  if (!is_there) {
    fail_with_hint(
        ErrorCode::kUnsupported,
        fmt::format("device \"{}\" is not one that OpenVINO finds here; it finds: {}", name, fmt::join(found, ", ")),
        "A GPU or NPU needs its driver; AUTO takes what there is.");
  }
  return {name, find_precision(options.precision, name, checkpoint),
          options.threads > 0 ? options.threads : cpu_info().cores};
}

Precision require_precision(const ov::CompiledModel& model, const Device& device) {
  // AUTO has no precision of its own.
  const bool is_one_device = device.name != "AUTO";
  const ov::element::Type found = is_one_device ? model.get_property(ov::hint::inference_precision) : device.precision;
  if (found == device.precision) return parse_precision(found.get_type_name());
  fail(ErrorCode::kUnsupported, "precision {}: OpenVINO computes in {} on the device {}",
       device.precision.get_type_name(), found.get_type_name(), device.name);
}

}  // namespace gamut::openvino
