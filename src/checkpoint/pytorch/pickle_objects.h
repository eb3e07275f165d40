// What a pickle makes: plain values, and tensors that are views of storages. Nothing of it is code.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/pytorch/pickle_globals.h"
#include "gamut/tensor.h"

namespace gamut {

enum class PickleKind : uint8_t {
  kNone,
  kBool,
  kInt,
  kLong,  ///< an integer of more than 64 bits
  kFloat,
  kText,
  kBytes,
  kTuple,
  kList,
  kDict,
  kGlobal,
  kStorage,
  kTensor,
  kOpaque,  ///< a value that holds no tensor and that nobody asks for
};

/// "a tuple", "a number" …, for messages.
std::string_view kind_name(PickleKind kind);

/// A value, or where it lies in PickleObjects.
struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  uint32_t size = 0;     ///< of kText, kBytes, kLong, kTuple; of kDict 1 when it is an OrderedDict
  uint64_t payload = 0;  ///< the value, a position in the pickle's bytes, or an index

  int64_t number() const { return static_cast<int64_t>(payload); }
};

/// A storage that the pickle names; where its bytes lie is the container's business.
struct PickledStorage {
  std::string key;
  const TorchType* type = nullptr;
  int64_t count = 0;  ///< elements
  uint64_t at = 0;    ///< the byte of the pickle that names it

  int64_t bytes() const { return count * type->bytes; }
};

/// A range of a storage's bytes, with a type.
struct StorageView {
  uint32_t storage = 0;
  const TorchType* type = nullptr;
  int64_t begin = 0, bytes = 0;
};

/// A tensor: elements of a storage.
struct PickledTensor {
  uint32_t storage = 0;
  const TorchType* type = nullptr;  ///< null while an old form has not given it its data
  int64_t begin = 0;                ///< byte of the storage
  Dims dims, strides;               ///< strides in elements
  uint64_t at = 0;                  ///< the byte of the pickle that makes it
  bool is_set = false;
};

/// Everything that one pickle made.
struct PickleObjects {
  std::string bytes;                                 ///< the pickle itself, which holds the texts
  std::vector<PickleValue> tuples;                   ///< the items of all tuples
  std::vector<std::vector<PickleValue>> containers;  ///< of lists their items, of dicts keys and values in turn
  std::vector<Global> globals;
  std::vector<PickledStorage> storages;
  std::vector<StorageView> views;
  std::vector<PickledTensor> tensors;

  /// Of kText, kBytes and kLong.
  std::string_view text(const PickleValue& value) const {
    return std::string_view(bytes).substr(static_cast<size_t>(value.payload), value.size);
  }
  /// Of kTuple, kList and kDict; valid until the next value is made.
  std::span<const PickleValue> items(const PickleValue& value) const {
    if (value.kind == PickleKind::kTuple) return std::span(tuples).subspan(value.payload, value.size);
    return containers.at(value.payload);
  }
};

}  // namespace gamut
