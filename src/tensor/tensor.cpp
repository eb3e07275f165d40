#include "gamut/tensor.h"

#include <cstring>
#include <new>

#include "base/checked.h"
#include "base/error.h"

namespace gamut {
namespace {

struct DTypeInfo {
  DType dtype;
  const char* name;
  int bits;
};

/// In the order of the enum; names and bit sizes as the safetensors crate spells them.
constexpr DTypeInfo kDTypes[] = {
    {DType::kBool, "BOOL", 8},
    {DType::kU8, "U8", 8},
    {DType::kI8, "I8", 8},
    {DType::kF4, "F4", 4},
    {DType::kF6E2M3, "F6_E2M3", 6},
    {DType::kF6E3M2, "F6_E3M2", 6},
    {DType::kF8E5M2, "F8_E5M2", 8},
    {DType::kF8E4M3, "F8_E4M3", 8},
    {DType::kF8E5M2Fnuz, "F8_E5M2FNUZ", 8},
    {DType::kF8E4M3Fnuz, "F8_E4M3FNUZ", 8},
    {DType::kF8E8M0, "F8_E8M0", 8},
    {DType::kI16, "I16", 16},
    {DType::kU16, "U16", 16},
    {DType::kF16, "F16", 16},
    {DType::kBf16, "BF16", 16},
    {DType::kI32, "I32", 32},
    {DType::kU32, "U32", 32},
    {DType::kF32, "F32", 32},
    {DType::kC64, "C64", 64},
    {DType::kF64, "F64", 64},
    {DType::kI64, "I64", 64},
    {DType::kU64, "U64", 64},
};

/// Elements and bytes of a tensor; throws when a dim is negative or the product overflows.
void measure(DType dtype, const Dims& dims, int64_t* count, size_t* bytes) {
  Checked n(1);
  for (int64_t dim : dims) {
    if (dim < 0) fail(ErrorCode::kInvalidArgument, "tensor {}: negative dimension", to_string(dims));
    n = n * dim;
  }
  Checked bits = n * dtype_bits(dtype);
  if (!bits.valid()) fail(ErrorCode::kResourceLimit, "tensor {}: size overflows 64 bits", to_string(dims));
  *count = *n.value();
  *bytes = static_cast<size_t>((*bits.value() + 7) / 8);
}

}  // namespace

std::string_view dtype_name(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].name; }

int dtype_bits(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].bits; }

bool parse_dtype(std::string_view name, DType* dtype) {
  for (const DTypeInfo& info : kDTypes) {
    if (name == info.name) {
      *dtype = info.dtype;
      return true;
    }
  }
  return false;
}

Tensor::Tensor(DType dtype, Dims dims, const void* data, std::shared_ptr<const void> owner)
    : dtype_(dtype), dims_(std::move(dims)), data_(data), owner_(std::move(owner)) {
  measure(dtype_, dims_, &count_, &bytes_);
}

Tensor Tensor::allocate(DType dtype, Dims dims) {
  constexpr std::align_val_t kAlign{64};
  int64_t count = 0;
  size_t bytes = 0;
  measure(dtype, dims, &count, &bytes);
  void* data = nullptr;
  try {
    data = ::operator new(bytes == 0 ? 64 : bytes, kAlign);
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kResourceLimit, "tensor {}: cannot allocate {} bytes", to_string(dims), bytes);
  }
  std::shared_ptr<const void> owner(data, [](const void* p) { ::operator delete(const_cast<void*>(p), kAlign); });
  return Tensor(dtype, std::move(dims), data, std::move(owner));
}

Tensor Tensor::from(Dims dims, std::span<const float> values) {
  Tensor t = allocate(DType::kF32, std::move(dims));
  if (t.count() != static_cast<int64_t>(values.size())) {
    fail(ErrorCode::kInvalidArgument, "tensor {}: {} values given", to_string(t.dims()), values.size());
  }
  if (!values.empty()) std::memcpy(t.mutable_data(), values.data(), t.bytes());
  return t;
}

Tensor Tensor::from(Dims dims, std::span<const int64_t> values) {
  Tensor t = allocate(DType::kI64, std::move(dims));
  if (t.count() != static_cast<int64_t>(values.size())) {
    fail(ErrorCode::kInvalidArgument, "tensor {}: {} values given", to_string(t.dims()), values.size());
  }
  if (!values.empty()) std::memcpy(t.mutable_data(), values.data(), t.bytes());
  return t;
}

namespace {
void require(const Tensor& t, DType dtype) {
  if (t.dtype() != dtype) {
    fail(ErrorCode::kInvalidArgument, "tensor {}: dtype {}, expected {}", to_string(t.dims()), dtype_name(t.dtype()),
         dtype_name(dtype));
  }
}
}  // namespace

std::span<const float> Tensor::f32() const {
  require(*this, DType::kF32);
  return {static_cast<const float*>(data_), static_cast<size_t>(count_)};
}

std::span<const int64_t> Tensor::i64() const {
  require(*this, DType::kI64);
  return {static_cast<const int64_t*>(data_), static_cast<size_t>(count_)};
}

std::span<float> Tensor::mutable_f32() {
  require(*this, DType::kF32);
  return {static_cast<float*>(mutable_data()), static_cast<size_t>(count_)};
}

std::span<int64_t> Tensor::mutable_i64() {
  require(*this, DType::kI64);
  return {static_cast<int64_t*>(mutable_data()), static_cast<size_t>(count_)};
}

Tensor Tensor::reshaped(Dims dims) const {
  Tensor t(dtype_, std::move(dims), data_, owner_);
  if (t.count_ != count_) {
    fail(ErrorCode::kInvalidArgument, "tensor {}: cannot be reshaped to {}", to_string(dims_), to_string(t.dims_));
  }
  return t;
}

std::string to_string(const Dims& dims) {
  std::string out = "[";
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) out += ',';
    out += std::to_string(dims[i]);
  }
  return out + "]";
}

}  // namespace gamut
