// Compiled models on disk: what a graph became on a device; where they can stay in the checkpoint's file, without
// weights.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/openvino/device.h"
#include "base/file.h"
#include "graph/graph.h"

namespace gamut::openvino {

/// What tells a device, its driver and its plugin from others, one line each. `property` gives the text of a property
/// of the device and throws for one that it does not have.
using DeviceProperty = std::function<std::string(const std::string& name)>;
std::string device_identity(const std::vector<std::string>& properties, const DeviceProperty& property);

/// One compiled model's place in a cache folder. Whatever goes wrong with the folder or a file in it means that the
/// model is compiled anew, and is no error.
class CompileCache {
 public:
  /// Nothing when there is no folder, for a device that keeps no models (AUTO), and where the file would have to hold
  /// more weights than a file may.
  static std::optional<CompileCache> open(const CompileOptions& options, const Graph& graph,
                                          const Checkpoint& checkpoint, const Device& device);

  /// What the compiled model depends on, one line each: versions, device with its driver, precision and threads, the
  /// checkpoint's files with their sizes and times of change, the graph.
  const std::string& key() const { return key_; }
  const std::filesystem::path& file() const { return file_; }
  /// Whether the compiled model refers to the checkpoint's file instead of holding the weights: for the CPU, which
  /// reads them from one file.
  bool leaves_weights() const { return !weights_.empty(); }

  /// The compiled model; nothing when it is not there, is another's or is damaged.
  std::optional<ov::CompiledModel> load(const Device& device) const;
  /// Keeps the model, and removes those longest unused when the folder grows beyond its limit.
  void store(ov::CompiledModel& model) const;

  /// What the device must be told for `load` and `store`.
  ov::AnyMap properties(const Device& device) const;

 private:
  CompileCache() = default;
  std::string head(std::string_view model) const;
  std::string_view model_in(const MappedFile& file) const;

  std::string key_;
  std::filesystem::path file_;
  std::filesystem::path weights_;  // empty: the compiled model holds them
};

}  // namespace gamut::openvino
