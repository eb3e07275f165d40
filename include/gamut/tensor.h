// Tensors on the host: a dtype, a shape and shared, immutable bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gamut {

/// Every dtype of the safetensors format.
enum class DType : uint8_t {
  kBool,
  kU8,
  kI8,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kF8E5M2,
  kF8E4M3,
  kF8E5M2Fnuz,
  kF8E4M3Fnuz,
  kF8E8M0,
  kI16,
  kU16,
  kF16,
  kBf16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
};

/// The name of the safetensors format: "F32", "BF16", "I64" …
std::string_view dtype_name(DType dtype);
/// Bits per element: 4, 6, 8, 16, 32 or 64.
int dtype_bits(DType dtype);
/// Parses a safetensors dtype name; false when it is unknown.
bool parse_dtype(std::string_view name, DType* dtype);

using Dims = std::vector<int64_t>;

/// A dense row-major tensor on the host. Copies share the bytes; bytes are never changed after construction is
/// finished.
class Tensor {
 public:
  Tensor() = default;
  /// A tensor over foreign memory that `owner` keeps alive.
  Tensor(DType dtype, Dims dims, const void* data, std::shared_ptr<const void> owner);

  /// Uninitialised storage of its own, to be filled through `mutable_data` before it is shared.
  /// Throws Error{kResourceLimit} when the byte count overflows.
  static Tensor allocate(DType dtype, Dims dims);
  /// Copies `values`, whose count must equal the product of `dims`.
  static Tensor from(Dims dims, std::span<const float> values);
  static Tensor from(Dims dims, std::span<const int64_t> values);

  DType dtype() const { return dtype_; }
  const Dims& dims() const { return dims_; }
  int64_t dim(size_t axis) const { return dims_.at(axis); }
  int64_t count() const { return count_; }
  size_t bytes() const { return bytes_; }
  bool empty() const { return data_ == nullptr; }

  const void* data() const { return data_; }
  void* mutable_data() { return const_cast<void*>(data_); }

  /// Typed views; throw Error{kInvalidArgument} when the dtype differs.
  /// A view does not keep the tensor's bytes alive.
  std::span<const float> f32() const;
  std::span<const int64_t> i64() const;
  std::span<float> mutable_f32();
  std::span<int64_t> mutable_i64();

  /// The same bytes under other dims with the same element count.
  Tensor reshaped(Dims dims) const;

 private:
  DType dtype_ = DType::kF32;
  Dims dims_;
  int64_t count_ = 0;
  size_t bytes_ = 0;
  const void* data_ = nullptr;
  std::shared_ptr<const void> owner_;
};

/// Tensors by name, as in a safetensors file.
using NamedTensors = std::map<std::string, Tensor>;

/// "[2,128,768]".
std::string to_string(const Dims& dims);

}  // namespace gamut
