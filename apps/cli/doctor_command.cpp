// gamut doctor: what this machine gives gamut and what of it works.
#include <algorithm>
#include <cstdio>
#include <string>

#include "cache_folder.h"
#include "commands.h"
#include "gamut/doctor.h"

namespace gamut::cli {
namespace {

constexpr int kFailure = 1;

std::string join(const std::vector<std::string>& words, const char* between = ", ") {
  std::string out;
  for (const std::string& word : words) out += (out.empty() || word.empty() ? "" : between) + word;
  return out;
}

std::string number(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

std::string size(int64_t bytes) {
  if (bytes < int64_t{1} << 20) return number("%.0f KiB", static_cast<double>(bytes) / 1024);
  if (bytes < int64_t{1} << 30) return number("%.3g MiB", static_cast<double>(bytes) / (1 << 20));
  return number("%.1f GiB", static_cast<double>(bytes) / (1 << 30));
}

std::string or_unknown(const std::string& text) { return text.empty() ? "unknown" : text; }

/// A line of a section: its name, only in front of the section's first line, and the text.
void line(const char* section, const std::string& text) { std::printf("%-14s%s\n", section, text.c_str()); }

/// A line of a list: how it stands, its name, what there is to say.
void item(const char* section, const char* standing, const std::string& name, const std::string& text) {
  std::printf("%-14s%-9s%-19s%s\n", section, standing, name.c_str(), text.c_str());
}

void print_findings(const char* kind, const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    line(kind, finding.message);
    if (!finding.hint.empty()) line("", finding.hint);
  }
}

/// The verdict first, and all that is wrong.
void print_verdict(const Diagnosis& diagnosis) {
  std::vector<std::string> working, failing;
  for (const BackendReport& backend : diagnosis.backends) {
    if (backend.available) (backend.works() ? working : failing).push_back(backend.name);
  }
  std::string verdict = failing.empty() ? "works" : "FAILS on " + join(failing);
  if (!working.empty()) verdict += (failing.empty() ? " on " : ", works on ") + join(working);
  std::printf("gamut %s %s\n\n", diagnosis.build.version.c_str(), verdict.c_str());
  print_findings("FAILURE", diagnosis.failures);
  print_findings("warning", diagnosis.warnings);
  if (!diagnosis.failures.empty() || !diagnosis.warnings.empty()) std::printf("\n");
}

void print_build(const Diagnosis& diagnosis) {
  const BuildReport& build = diagnosis.build;
  line("build", join({build.architecture, build.compiler, build.type, build.flags,
                      build.sanitizers.empty() ? "" : "sanitizers " + build.sanitizers}));
  const SystemReport& system = diagnosis.system;
  line("system", join({system.name, system.kernel, system.libc}));
}

void print_processor(const ProcessorReport& processor) {
  line("processor", or_unknown(processor.model));
  const std::string sets = join(processor.instruction_sets, " ");
  line("", "instruction set " + processor.instruction_set + (sets.empty() ? "" : " (" + sets + ")"));
  std::string cores = std::to_string(processor.cores) + " used";
  if (processor.online > 0) cores += " of " + std::to_string(processor.online);
  cores +=
      processor.affinity == processor.online ? ", no affinity" : ", affinity to " + std::to_string(processor.affinity);
  cores += processor.quota ? ", quota of " + number("%.3g", *processor.quota) : ", no quota";
  line("", "cores " + cores);
  auto cache = [](const char* name, int64_t bytes) { return bytes == 0 ? "" : std::string(name) + " " + size(bytes); };
  const std::string caches =
      join({cache("L1d", processor.l1d_bytes), cache("L2", processor.l2_bytes), cache("L3", processor.l3_bytes)});
  line("", "caches " + or_unknown(caches));
}

void print_memory(const MemoryReport& memory) {
  std::string text = size(memory.available) + " available of " + size(memory.total);
  text += memory.control_group_limit ? ", control group's limit " + size(*memory.control_group_limit)
                                     : ", no control group's limit";
  if (memory.address_space_limit) text += ", address space limited to " + size(*memory.address_space_limit);
  line("memory", text);
  line("", "swap " +
               (memory.swap_total == 0 ? "none" : size(memory.swap_free) + " free of " + size(memory.swap_total)) +
               ", huge pages " + or_unknown(memory.huge_pages));
}

void print_accelerators(const char* section, const std::vector<AcceleratorReport>& devices) {
  if (devices.empty()) line(section, "none");
  for (const AcceleratorReport& device : devices) {
    item(section, device.problem.empty() ? "ok" : "unusable", or_unknown(device.vendor),
         join({device.model, device.address, device.driver.empty() ? "" : "driver " + device.driver, device.device,
               device.problem}));
    section = "";
  }
}

void print_nvidia(const NvidiaReport& nvidia) {
  if (nvidia.kernel_version.empty() && nvidia.library.empty()) return;
  line("nvidia",
       join({"driver " + or_unknown(nvidia.kernel_version),
             nvidia.cuda_version.empty() ? "" : "CUDA " + nvidia.cuda_version, nvidia.library, nvidia.problem}));
  for (const NvidiaReport::Device& device : nvidia.devices) {
    line("",
         join({device.name, size(device.memory_bytes), "compute capability " + or_unknown(device.compute_capability)}));
  }
}

void print_backends(const std::vector<BackendReport>& backends) {
  const char* section = "backends";
  for (const BackendReport& backend : backends) {
    if (!backend.problem.empty()) {
      item(section, backend.available ? "FAILS" : "missing", backend.name, backend.problem);
      if (!backend.install.empty()) item("", "", "", backend.install);
      section = "";
    }
    for (const BackendReport::Device& device : backend.devices) {
      const bool passed = device.failure.empty();
      item(section, passed ? "ok" : "FAILS", backend.name,
           device.name + (device.description.empty() ? "" : " (" + device.description + ")") + ", version " +
               or_unknown(backend.version));
      item("", "", "",
           "self-test: " + (passed ? "error " + number("%.1g", device.error) + ", " : device.failure + ", ") +
               number("%.3g ms", device.milliseconds));
      section = "";
    }
  }
}

void print_dependencies(const Diagnosis& diagnosis) {
  const char* section = "optional";
  for (const DependencyReport& dependency : diagnosis.dependencies) {
    item(section, dependency.available ? "found" : "missing", dependency.name, "for " + dependency.enables);
    section = "";
    // What a backend says of itself stands there already.
    if (std::ranges::count(diagnosis.backends, dependency.problem, &BackendReport::problem) > 0) continue;
    for (const std::string& more : {dependency.version, dependency.problem, dependency.install}) {
      if (!more.empty()) item("", "", "", more);
    }
  }
}

void print_cache(const CacheReport& cache) {
  if (cache.folder.empty()) return line("cache", "none: neither GAMUT_CACHE_DIR, XDG_CACHE_HOME nor HOME is set");
  line("cache", join({cache.folder, cache.exists ? "" : "not made yet", cache.writable ? "writable" : "NOT writable",
                      cache.free_bytes == 0 ? "" : size(cache.free_bytes) + " free"}));
}

void print_text(const Diagnosis& diagnosis) {
  print_verdict(diagnosis);
  print_build(diagnosis);
  print_processor(diagnosis.processor);
  print_memory(diagnosis.memory);
  print_accelerators("GPUs", diagnosis.gpus);
  print_accelerators("NPUs", diagnosis.npus);
  print_nvidia(diagnosis.nvidia);
  print_backends(diagnosis.backends);
  print_dependencies(diagnosis);
  print_cache(diagnosis.cache);
}

}  // namespace

void add_doctor_command(CLI::App& app, CommonOptions& common) {
  Command command(app, "doctor", "What this machine gives gamut and what of it works");
  add_json_option(command, common);
  command.run([&common] {
    const Diagnosis diagnosis = diagnose({.cache_folder = cache_folder()});
    if (common.json) std::printf("%s\n", to_json(diagnosis).c_str());
    else print_text(diagnosis);
    if (!diagnosis.healthy()) common.exit_code = kFailure;
  });
}

}  // namespace gamut::cli
