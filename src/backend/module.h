// Backends in a file of their own beside the program, opened when first asked for: an engine's libraries cost nothing
// where they are not used, and the program starts where they are not installed.
#pragma once

#include <string>

#include "backend/backend.h"

namespace gamut {

/// What a module's `gamut_backend_module` returns.
struct BackendModule {
  const char* version;     ///< of the sources that it is built from
  const Backend* backend;  ///< lives as long as the process
};
using BackendModuleEntry = const BackendModule* (*)();

/// The version that program and module must share.
const char* module_version();

struct BackendModuleLoad {
  const Backend* backend = nullptr;
  std::string problem;  ///< why there is none
};

/// Opens `gamut_<name>.so` from the folder of the running program, once per process.
const BackendModuleLoad& load_backend_module(const std::string& name);

}  // namespace gamut
