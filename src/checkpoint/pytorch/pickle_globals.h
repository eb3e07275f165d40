// The fixed table of what a checkpoint's pickle may name: nothing is imported, and a name that is not here is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gamut/tensor.h"

namespace gamut {

/// An element type of PyTorch.
struct TorchType {
  std::string_view name;          ///< "float32"
  std::string_view class_prefix;  ///< "Float" of FloatStorage and FloatTensor; empty when there are none
  uint8_t bytes;                  ///< of an element
  std::optional<DType> dtype;     ///< nothing when a tensor of it is refused
};

/// Bytes without a type: torch.storage.UntypedStorage.
const TorchType& untyped();

/// What a name stands for.
enum class GlobalKind : uint8_t {
  kType,                 ///< torch.float32
  kStorage,              ///< torch.FloatStorage
  kTensorClass,          ///< torch.FloatTensor, torch.Tensor
  kOrderedDict,          ///< also Counter
  kSize,                 ///< torch.Size
  kParameter,            ///< torch.nn.parameter.Parameter
  kRebuildTensor,        ///< (storage, offset, size, stride)
  kRebuildTensorV2,      ///< … requires_grad, hooks[, metadata]
  kRebuildTensorV3,      ///< … requires_grad, hooks, dtype[, metadata]
  kRebuildParameter,     ///< (tensor, requires_grad, hooks[, state])
  kRebuildFromType,      ///< (function, type, arguments, state)
  kRebuildDeviceTensor,  ///< (tensor, dtype, device, requires_grad)
  kEncode,               ///< _codecs.encode: bytes of protocol 2
  kBytes,                ///< bytearray
  kSet,                  ///< set
  kOpaque,               ///< a value that holds no tensor: complex, torch.device, a layout
  kRefused,              ///< PyTorch knows it and gamut does not: sparse, quantised, wrapped tensors
};

struct Global {
  GlobalKind kind;
  const TorchType* type = nullptr;  ///< of kType, kStorage and kTensorClass
};

/// What `module`.`name` stands for, or nothing. The names are those that torch.load(weights_only=True) knows, as
/// Python 3 and, for protocol 2, Python 2 spell them.
std::optional<Global> find_global(std::string_view module, std::string_view name);

}  // namespace gamut
