// What gamut was built with and what it runs on.
#pragma once

#include <filesystem>
#include <string>

namespace gamut {

struct BuildInfo {
  std::string version;       ///< of gamut
  std::string compiler;      ///< "GCC 12.2.0"
  std::string type;          ///< CMake's: "Release"
  std::string flags;         ///< of the compiler, those for single targets apart
  std::string sanitizers;    ///< "address,undefined"; empty: none
  std::string architecture;  ///< "x86_64"
};
BuildInfo build_info();

struct SystemInfo {
  std::string name;    ///< of the distribution: "Debian GNU/Linux 12 (bookworm)"; empty when unknown
  std::string kernel;  ///< "Linux 6.1.0-18-amd64"
  std::string libc;    ///< "glibc 2.36"; empty when unknown
};

/// Asks anew. `root` is where /etc is looked for.
SystemInfo read_system_info(const std::filesystem::path& root = "/");

}  // namespace gamut
