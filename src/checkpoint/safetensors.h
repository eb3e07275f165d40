// The safetensors file format: a strict memory-mapped reader and a writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/stored_tensor.h"
#include "checkpoint/tensor_entry.h"
#include "gamut/tensor.h"

namespace gamut {

class MappedFile;

/// Limits of a safetensors header, enforced before the work.
struct SafetensorsLimits {
  size_t max_header_bytes = 100'000'000;  ///< the limit of the format itself
  size_t max_tensors = 1u << 18;          ///< keeps the index of a hostile header near the header's own size
  size_t max_rank = 16;
  size_t max_metadata = 1u << 16;  ///< keys of `__metadata__`
};

/// The content of one header.
struct SafetensorsHeader {
  std::vector<TensorEntry> entries;             ///< in the order of their bytes
  std::map<std::string, std::string> metadata;  ///< `__metadata__`
};

/// Parses and checks the header of a whole safetensors file that lies in memory. Refused are: a length that does not
/// fit the file, anything but one JSON object followed by spaces, duplicate and unknown keys, unknown dtypes, shapes
/// that overflow or do not match their bytes, and bytes that belong to no tensor or to two. Throws Error{kInvalidFile}
/// or Error{kResourceLimit} naming `source`, the byte, the value found and what was expected.
SafetensorsHeader parse_safetensors(std::string_view file, const std::string& source,
                                    const SafetensorsLimits& limits = {});

/// The same for a file of `file_bytes` bytes of which `head` holds at least the header.
SafetensorsHeader parse_safetensors_head(std::string_view head, uint64_t file_bytes, const std::string& source,
                                         const SafetensorsLimits& limits = {});

/// Reads the header from `file` and parses it. The file may become shorter meanwhile: that is an Error{kIo}.
SafetensorsHeader read_safetensors_header(const MappedFile& file);

/// A tensor over the bytes of `entry` in `file`, which it keeps alive. Copies only when the bytes are not aligned to
/// the element, as in files of early writers.
Tensor map_tensor(const TensorEntry& entry, const std::shared_ptr<const MappedFile>& file);

/// Reads every tensor of a file into memory of its own. Throws as `read_safetensors_header` and MappedFile::open.
NamedTensors read_safetensors(const std::filesystem::path& path);

/// A tensor to write, whose bytes are asked for when their turn comes.
struct SafetensorsItem {
  std::string name;
  DType dtype = DType::kF32;
  Dims dims;
  std::function<StoredTensor()> open;
};

/// Writes a safetensors file as below, one tensor after the other, so that no more than one is in memory.
void stream_safetensors(const std::filesystem::path& path, std::vector<SafetensorsItem> items,
                        const std::map<std::string, std::string>& metadata = {});

/// Writes a safetensors file: wider dtypes first, then by name, bytes aligned to 8. The file appears under its name
/// only when it is complete. Throws Error{kIo}, and Error{kInvalidArgument} for a name or shape the format cannot hold.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace gamut
