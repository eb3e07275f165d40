// Compiled models on disk: what a graph became on a device, without the weights, which stay in the checkpoint's file.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "backend/openvino/device.h"
#include "graph/graph.h"

namespace gamut::openvino {

/// One compiled model's place in a cache folder. Whatever goes wrong with the folder or a file in it means that the
/// model is compiled anew, and is no error.
class CompileCache {
 public:
  /// Nothing when there is no folder, or the weights are not one file that the compiled model could refer to.
  static std::optional<CompileCache> open(const CompileOptions& options, const Graph& graph,
                                          const Checkpoint& checkpoint, const Device& device);

  /// What the compiled model depends on, one line each: versions, device and its precision, the checkpoint's file with
  /// its size and time of change, the graph.
  const std::string& key() const { return key_; }
  const std::filesystem::path& file() const { return file_; }

  /// The compiled model; nothing when it is not there, is another's or is damaged.
  std::optional<ov::CompiledModel> load(const Device& device) const;
  /// Keeps the model, and removes the oldest when the folder grows beyond its limit.
  void store(ov::CompiledModel& model) const;

  /// What the device must be told for `load` and `store` to leave the weights where they are.
  ov::AnyMap properties(const Device& device) const;

 private:
  CompileCache() = default;
  std::string key_;
  std::filesystem::path file_;
  std::filesystem::path weights_;
};

}  // namespace gamut::openvino
