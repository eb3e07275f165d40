#include "base/shared_library.h"

#include <dlfcn.h>
#include <link.h>

#include <filesystem>

#include "base/system_text.h"

namespace gamut {

SharedLibrary::SharedLibrary(const std::string& name, Life life) {
  const int flags = RTLD_LAZY | RTLD_LOCAL | (life == Life::kStays ? RTLD_NODELETE : 0);
  if (void* opened = ::dlopen(name.c_str(), flags)) {
    handle_ = std::shared_ptr<void>(opened, [](void* handle) { ::dlclose(handle); });
    return;
  }
  const char* reason = ::dlerror();
  problem_ = one_line(reason != nullptr ? reason : name + " cannot be opened");
}

std::string SharedLibrary::file() const {
  struct link_map* map = nullptr;
  if (!is_open() || ::dlinfo(handle_.get(), RTLD_DI_LINKMAP, &map) != 0 || map == nullptr) return "";
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(map->l_name, error);
  return error ? map->l_name : file.string();
}

void* SharedLibrary::symbol(const char* name) const { return is_open() ? ::dlsym(handle_.get(), name) : nullptr; }

}  // namespace gamut
