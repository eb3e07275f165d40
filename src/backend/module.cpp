#include "backend/module.h"

#include <dlfcn.h>

#include <filesystem>
#include <map>
#include <mutex>

#include "base/error.h"

namespace gamut {
namespace {

BackendModuleLoad load(const std::string& name) {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path file = program.parent_path() / ("gamut_" + name + ".so");
  if (error) return {nullptr, "the program's own folder cannot be found: " + error.message()};
  if (!std::filesystem::exists(file, error)) return {nullptr, "this build is without it: there is no " + file.string()};
  // Never closed: the engine's threads and the backend live to the end of the process.
  void* module = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) {
    const char* reason = ::dlerror();
    return {nullptr, shortened(reason != nullptr ? reason : file.string() + " cannot be opened")};
  }
  const auto entry = reinterpret_cast<BackendModuleEntry>(::dlsym(module, "gamut_backend_module"));
  if (entry == nullptr) return {nullptr, file.string() + " is no backend module"};
  const BackendModule* found = entry();
  if (std::string_view(found->version) != module_version()) {
    return {nullptr,
            fmt::format("{} is of version {}, this program of {}", file.string(), found->version, module_version())};
  }
  return {found->backend, ""};
}

}  // namespace

const char* module_version() { return GAMUT_VERSION; }

const BackendModuleLoad& load_backend_module(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, BackendModuleLoad> loads;
  std::lock_guard lock(mutex);
  auto found = loads.find(name);
  if (found == loads.end()) found = loads.emplace(name, load(name)).first;
  return found->second;
}

}  // namespace gamut
