// The weights of a model directory: which tensors exist, where they lie, and their bytes, without a copy if possible.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/pytorch/archive.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/stored_tensor.h"
#include "gamut/tensor.h"

namespace gamut {

class MappedFile;

/// A set of named tensors: a file, the shards of an index, or tensors in memory. Cheap to move; tensors stay valid
/// after the checkpoint is gone. Const functions may be called from several threads.
class Checkpoint {
 public:
  /// Opens the weights of a model directory: `model.safetensors`, else `model.safetensors.index.json` and its shards,
  /// else `pytorch_model.bin`, else `pytorch_model.bin.index.json` and its shards. What a file is says its first bytes.
  /// A shard is a plain relative name inside `dir`. It may be a symbolic link (the Hub cache keeps its files so), and
  /// the link may only lead into `dir` or, for a Hub snapshot, into the `blobs` folder of the same repository. Throws
  /// Error{kNotFound} when there are no weights, Error{kInvalidFile} when a file is malformed or index and shards
  /// disagree on any tensor, Error{kUnsupported} for what a PyTorch file may hold and gamut does not read.
  static Checkpoint open(const std::filesystem::path& dir);
  /// Opens one file, of safetensors or PyTorch.
  static Checkpoint open_file(const std::filesystem::path& path);
  /// Gives the file that an index names, or throws.
  using ShardOpener = std::function<std::shared_ptr<const MappedFile>(const std::string& name)>;
  /// Takes the text of an index, which messages call `source`, and opens each of its shards once. Throws as `open`.
  static Checkpoint open_shards(std::string_view index, const std::string& source, const ShardOpener& open_shard);
  /// A checkpoint over tensors in memory, for tests and generated weights.
  static Checkpoint from_tensors(const NamedTensors& tensors);

  /// Every tensor, in the order of files and bytes (in memory: of names).
  const std::vector<TensorEntry>& entries() const { return entries_; }
  /// The tensor of that name, or null.
  const TensorEntry* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }

  /// The tensor's bytes, to be copied. Throws Error{kNotFound}.
  StoredTensor stored(std::string_view name) const;

  /// The tensor's bytes where they lie in the map, which the result keeps alive; see MappedFile. A copy when they are
  /// not aligned or have strides. Throws Error{kNotFound}.
  Tensor tensor(std::string_view name) const;
  Tensor tensor(const TensorEntry& entry) const;

  /// Lets the tensor's pages leave resident memory; they come back from the file when touched. In memory: nothing.
  void release(std::string_view name) const;
  void release_all() const;

  /// Throws Error{kIo} when a file is shorter now than when it was opened; see MappedFile.
  void require_whole() const;

  /// Compares the bytes of every storage of a PyTorch archive with the checksum that the archive states, which takes
  /// reading them all. Throws Error{kInvalidFile}.
  void verify() const;

  /// Bytes of all tensors together.
  uint64_t total_bytes() const { return total_bytes_; }
  /// The files in the order of TensorEntry::file; empty in memory.
  std::vector<std::filesystem::path> files() const;
  /// What a careful user wants to know and what does not stop the load, one sentence each.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  Checkpoint() = default;
  static Checkpoint open_index(const std::filesystem::path& dir, const std::string& name);
  void add_file(std::shared_ptr<const MappedFile> file);
  void build_index();
  const TensorEntry& require(std::string_view name) const;

  std::vector<TensorEntry> entries_;
  std::vector<uint32_t> by_name_;  ///< positions in entries_, sorted by name
  std::vector<std::shared_ptr<const MappedFile>> files_;
  std::vector<Tensor> memory_;                        ///< parallel to entries_ when the tensors lie in memory
  std::vector<std::vector<ArchiveMember>> storages_;  ///< parallel to files_, of PyTorch's zip form
  std::vector<std::string> warnings_;
  uint64_t total_bytes_ = 0;
};

}  // namespace gamut
