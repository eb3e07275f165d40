#include "cache_folder.h"

#include <cstdlib>

namespace gamut::cli {
namespace {

std::filesystem::path from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

std::filesystem::path cache_folder() {
  if (const auto own = from_environment("GAMUT_CACHE_DIR"); !own.empty()) return own;
  if (const auto caches = from_environment("XDG_CACHE_HOME"); !caches.empty()) return caches / "gamut";
  if (const auto home = from_environment("HOME"); !home.empty()) return home / ".cache" / "gamut";
  return {};
}

}  // namespace gamut::cli
