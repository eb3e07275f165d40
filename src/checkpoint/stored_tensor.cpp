#include "checkpoint/stored_tensor.h"

#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace gamut {

Tensor StoredTensor::load() const {
  if (file_ == nullptr) return memory_;
  Tensor tensor = Tensor::allocate(dtype_, dims_);
  file_->read(offset_, bytes_, tensor.mutable_data());
  return tensor;
}

bool StoredTensor::try_read(uint64_t begin, size_t count, void* to) const noexcept {
  if (file_ != nullptr) return file_->try_read(offset_ + begin, count, to);
  std::memcpy(to, static_cast<const char*>(memory_.data()) + begin, count);
  return true;
}

void StoredTensor::refuse(uint64_t begin, size_t count) const {
  check_internal(file_ != nullptr, "a tensor in memory that cannot be read");
  std::vector<char> bytes(count);
  file_->read(offset_ + begin, count, bytes.data());
  fail(ErrorCode::kIo, "{}: bytes {} to {} could not be read for a moment", file_->path().string(), offset_ + begin,
       offset_ + begin + count);
}

}  // namespace gamut
