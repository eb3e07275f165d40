// The JSON of `gamut doctor`; docs/DOCTOR.md lists its keys.
#include <nlohmann/json.hpp>

#include "base/edge.h"
#include "gamut/doctor.h"

namespace gamut {
namespace {

using OrderedJson = nlohmann::ordered_json;

/// An absent value is null: a text that is empty, a size or count that is 0.
OrderedJson known(const std::string& text) { return text.empty() ? OrderedJson() : OrderedJson(text); }
OrderedJson known(int64_t number) { return number == 0 ? OrderedJson() : OrderedJson(number); }
template <typename T>
OrderedJson known(const std::optional<T>& value) {
  return value ? OrderedJson(*value) : OrderedJson();
}

OrderedJson processor_json(const ProcessorReport& report) {
  return {{"model", known(report.model)},
          {"instruction_set", report.instruction_set},
          {"instruction_sets", report.instruction_sets},
          {"cores", report.cores},
          {"online", known(int64_t{report.online})},
          {"affinity", report.affinity},
          {"quota", known(report.quota)},
          {"l1d_bytes", known(report.l1d_bytes)},
          {"l2_bytes", known(report.l2_bytes)},
          {"l3_bytes", known(report.l3_bytes)}};
}

OrderedJson memory_json(const MemoryReport& report) {
  return {{"total_bytes", known(report.total)},
          {"available_bytes", report.available},
          {"control_group_limit_bytes", known(report.control_group_limit)},
          {"address_space_limit_bytes", known(report.address_space_limit)},
          {"swap_total_bytes", report.swap_total},
          {"swap_free_bytes", report.swap_free},
          {"huge_pages", known(report.huge_pages)}};
}

OrderedJson accelerators_json(const std::vector<AcceleratorReport>& reports) {
  OrderedJson list = OrderedJson::array();
  for (const AcceleratorReport& report : reports) {
    list.push_back({{"vendor", known(report.vendor)},
                    {"model", known(report.model)},
                    {"address", known(report.address)},
                    {"driver", known(report.driver)},
                    {"device", known(report.device)},
                    {"accessible", report.problem.empty()},
                    {"problem", known(report.problem)},
                    {"hint", known(report.hint)}});
  }
  return list;
}

OrderedJson nvidia_json(const NvidiaReport& report) {
  OrderedJson devices = OrderedJson::array();
  for (const NvidiaReport::Device& device : report.devices) {
    devices.push_back({{"name", device.name},
                       {"compute_capability", known(device.compute_capability)},
                       {"memory_bytes", known(device.memory_bytes)}});
  }
  return {{"driver_version", known(report.kernel_version)},
          {"library", known(report.library)},
          {"cuda_version", known(report.cuda_version)},
          {"devices", devices},
          {"problem", known(report.problem)}};
}

/// "ok", or what is wrong.
std::string self_test_text(const BackendReport& report) {
  if (!report.available) return "not run: " + report.problem;
  if (!report.problem.empty()) return report.problem;
  for (const BackendReport::Device& device : report.devices) {
    if (!device.failure.empty()) return device.name + ": " + device.failure;
  }
  return "ok";
}

OrderedJson backend_json(const BackendReport& report) {
  OrderedJson names = OrderedJson::array(), tests = OrderedJson::array();
  for (const BackendReport::Device& device : report.devices) {
    names.push_back(device.name);
    tests.push_back({{"device", device.name},
                     {"description", known(device.description)},
                     {"self_test", device.failure.empty() ? "ok" : device.failure},
                     {"error", device.error},
                     {"ms", device.milliseconds}});
  }
  return {{"name", report.name},
          {"available", report.available},
          {"version", known(report.version)},
          {"devices", names},
          {"self_test", self_test_text(report)},
          {"device_tests", tests},
          {"problem", known(report.problem)},
          {"install", known(report.install)}};
}

OrderedJson dependency_json(const DependencyReport& report) {
  return {{"name", report.name},       {"available", report.available},    {"version", known(report.version)},
          {"enables", report.enables}, {"problem", known(report.problem)}, {"install", known(report.install)}};
}

OrderedJson findings_json(const std::vector<Finding>& findings) {
  OrderedJson list = OrderedJson::array();
  for (const Finding& finding : findings) list.push_back({{"message", finding.message}, {"hint", known(finding.hint)}});
  return list;
}

OrderedJson cache_json(const CacheReport& report) {
  return {{"folder", known(report.folder)},
          {"exists", report.exists},
          {"writable", report.writable},
          {"free_bytes", known(report.free_bytes)}};
}

OrderedJson diagnosis_json(const Diagnosis& diagnosis) {
  OrderedJson backends = OrderedJson::array(), dependencies = OrderedJson::array();
  for (const BackendReport& report : diagnosis.backends) backends.push_back(backend_json(report));
  for (const DependencyReport& report : diagnosis.dependencies) dependencies.push_back(dependency_json(report));
  const BuildReport& build = diagnosis.build;
  const SystemReport& system = diagnosis.system;
  return {{"healthy", diagnosis.healthy()},
          {"failures", findings_json(diagnosis.failures)},
          {"warnings", findings_json(diagnosis.warnings)},
          {"version", build.version},
          {"build",
           {{"compiler", build.compiler},
            {"type", known(build.type)},
            {"flags", build.flags},
            {"sanitizers", known(build.sanitizers)},
            {"architecture", build.architecture}}},
          {"system", {{"name", known(system.name)}, {"kernel", known(system.kernel)}, {"libc", known(system.libc)}}},
          {"processor", processor_json(diagnosis.processor)},
          {"memory", memory_json(diagnosis.memory)},
          {"gpus", accelerators_json(diagnosis.gpus)},
          {"npus", accelerators_json(diagnosis.npus)},
          {"nvidia", nvidia_json(diagnosis.nvidia)},
          {"backends", backends},
          {"dependencies", dependencies},
          {"cache", cache_json(diagnosis.cache)}};
}

}  // namespace

std::string to_json(const Diagnosis& diagnosis) {
  return at_edge([&] { return diagnosis_json(diagnosis).dump(-1, ' ', false, OrderedJson::error_handler_t::replace); });
}

}  // namespace gamut
