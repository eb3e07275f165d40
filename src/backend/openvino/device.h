// Which device of OpenVINO runs a graph, and how it is set up.
#pragma once

#include <string>

#include <openvino/core/except.hpp>
#include <openvino/runtime/core.hpp>
#include "backend/backend.h"
#include "base/error.h"

namespace gamut::openvino {

/// One for the process. It is never taken down: its threads may outlive whoever would do it.
ov::Core& core();

/// What `options` come to on this machine.
struct Device {
  std::string name;  ///< "CPU", "GPU.1", "AUTO"
  ov::element::Type precision;
  int threads = 1;

  /// The properties of a compilation.
  ov::AnyMap properties() const;
};

/// What the device says it computes in, f32 first.
std::vector<Precision> precisions_of(const std::string& device);

/// Throws Error{kUnsupported} when OpenVINO does not find the device, or for options that it does not have.
Device find_device(const CompileOptions& options, const Checkpoint& checkpoint);

/// What the compiled model computes in. Throws Error{kUnsupported} when that is not what was asked for.
Precision require_precision(const ov::CompiledModel& model, const Device& device);

/// Calls `action` and turns what OpenVINO throws into Error{kInternal} that says what was tried.
template <typename Action>
auto translated(const char* what, Action action) {
  try {
    return action();
  } catch (const ov::Exception& error) {
    fail(ErrorCode::kInternal, "openvino: {} failed: {}", what, error.what());
  }
}

}  // namespace gamut::openvino
