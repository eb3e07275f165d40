// Conversion: the weights of a model folder as safetensors, beside everything else that the folder holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "gamut/error.h"

namespace gamut {

/// How a model folder is converted.
struct ConvertOptions {
  uint64_t shard_bytes = 5'000'000'000;  ///< more than this goes into several files; a larger tensor has its own
  bool force = false;                    ///< write into a folder that exists
};

/// What a conversion wrote.
struct Converted {
  std::vector<std::string> files;     ///< the weights' file, or its shards and then the index
  std::vector<std::string> copied;    ///< the other files, relative to the folder
  std::vector<std::string> warnings;  ///< what a careful user wants to know, one sentence each
  uint64_t tensors = 0;
  uint64_t bytes = 0;
};

/// Writes the weights of `folder`, in any form that a checkpoint may have, to `out` as safetensors of the same names,
/// dtypes and values, and copies the other files; hidden files, and weights that are not the folder's own, stay. `out`
/// appears complete or not at all; with `force` a folder that exists gets each file complete, the weights last. One
/// tensor is in memory at a time. Throws Error that names the file, tensor or value that is wrong, and
/// Error{kInvalidArgument} when `out` exists and `force` is not set.
Converted convert(const std::filesystem::path& folder, const std::filesystem::path& out,
                  const ConvertOptions& options = {});

}  // namespace gamut
