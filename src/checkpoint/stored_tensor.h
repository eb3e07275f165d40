// The bytes of one tensor of a checkpoint, in its file or in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "checkpoint/tensor_entry.h"
#include "gamut/tensor.h"

namespace gamut {

class MappedFile;

/// The bytes of one tensor, to be copied whole or piece by piece. Nothing it does touches a memory map, so a file that
/// becomes shorter is an error and no crash. Cheap to copy; stays valid after the checkpoint is gone. Const functions
/// may be called from several threads.
class StoredTensor {
 public:
  /// A tensor in memory.
  explicit StoredTensor(Tensor memory) : memory_(std::move(memory)), dtype_(memory_.dtype()), dims_(memory_.dims()) {}
  /// A tensor of a file, without strides.
  StoredTensor(const TensorEntry& entry, std::shared_ptr<const MappedFile> file)
      : file_(std::move(file)), offset_(entry.offset), bytes_(entry.bytes), dtype_(entry.dtype), dims_(entry.dims) {}

  DType dtype() const { return dtype_; }
  const Dims& dims() const { return dims_; }
  size_t bytes() const { return file_ == nullptr ? memory_.bytes() : bytes_; }
  /// The bytes, when they lie in memory already; else null.
  const void* data() const { return file_ == nullptr ? memory_.data() : nullptr; }

  /// The whole tensor in memory that nobody else changes. Throws Error{kIo} that names the file and where it ends.
  Tensor load() const;
  /// Copies bytes [begin, begin + count) of the tensor; false when they cannot be read.
  bool try_read(uint64_t begin, size_t count, void* to) const noexcept;
  /// Throws the Error{kIo} that says why bytes [begin, begin + count) cannot be read.
  [[noreturn]] void refuse(uint64_t begin, size_t count) const;

 private:
  Tensor memory_;
  std::shared_ptr<const MappedFile> file_;
  uint64_t offset_ = 0;
  uint64_t bytes_ = 0;
  DType dtype_;
  Dims dims_;
};

}  // namespace gamut
