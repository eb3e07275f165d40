#include "cache_folder.h"

#include <cstdlib>

namespace gamut::cli {
namespace {

/// Only absolute paths count, as the XDG Base Directory Specification says.
std::filesystem::path from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && value[0] == '/' ? value : "";
}

}  // namespace

std::filesystem::path cache_folder() {
  // Of the user's own making, so that it may be relative.
  if (const char* own = std::getenv("GAMUT_CACHE_DIR"); own != nullptr && own[0] != '\0') return own;
  if (const auto caches = from_environment("XDG_CACHE_HOME"); !caches.empty()) return caches / "gamut";
  if (const auto home = from_environment("HOME"); !home.empty()) return home / ".cache" / "gamut";
  return {};
}

}  // namespace gamut::cli
