#include "backend/backend.h"

#include "backend/cpu/cpu_backend.h"
#include "backend/reference/reference_backend.h"
#include "base/error.h"

namespace gamut {
namespace {

const Backend* const* all_backends(size_t* count) {
  static const Backend* const backends[] = {&cpu::backend(), &reference::backend()};
  *count = std::size(backends);
  return backends;
}

}  // namespace

std::vector<std::string> backend_names() {
  size_t count = 0;
  const Backend* const* backends = all_backends(&count);
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back(backends[i]->name());
  return names;
}

const Backend& find_backend(const std::string& name) {
  size_t count = 0;
  const Backend* const* backends = all_backends(&count);
  std::string known;
  for (size_t i = 0; i < count; ++i) {
    if (backends[i]->name() == name) return *backends[i];
    known += (i > 0 ? ", " : "") + backends[i]->name();
  }
  fail(ErrorCode::kUnsupported, "backend \"{}\" is not part of this build; available: {}", name, known);
}

Precision parse_precision(const std::string& name) {
  if (name == "auto") return Precision::kAuto;
  if (name == "f32") return Precision::kF32;
  fail(ErrorCode::kUnsupported, "precision \"{}\" is not available; expected auto or f32", name);
}

const char* precision_name(Precision precision) { return precision == Precision::kAuto ? "auto" : "f32"; }

}  // namespace gamut
