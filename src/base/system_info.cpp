#include "base/system_info.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "base/system_text.h"

namespace gamut {
namespace {

std::string compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#elif defined(__GNUC__)
  return fmt::format("GCC {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
  return "unknown";
#endif
}

constexpr const char* kArchitecture =
#if defined(__x86_64__)
    "x86_64";
#elif defined(__aarch64__)
    "aarch64";
#else
    "other";
#endif

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front()) {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

}  // namespace

BuildReport build_info() {
  return {GAMUT_VERSION,        compiler(),   GAMUT_BUILD_TYPE, std::string(trimmed(GAMUT_BUILD_FLAGS)),
          GAMUT_BUILD_SANITIZE, kArchitecture};
}

SystemReport read_system_info(const std::filesystem::path& root) {
  SystemReport info;
  const std::string release = read_system_text(below(root, "etc/os-release"));
  info.name = one_line(unquoted(field(release, "PRETTY_NAME", '=')));
  struct utsname names;
  if (::uname(&names) == 0) info.kernel = one_line(fmt::format("{} {}", names.sysname, names.release));
#ifdef __GLIBC__
  info.libc = fmt::format("glibc {}", ::gnu_get_libc_version());
#endif
  return info;
}

}  // namespace gamut
