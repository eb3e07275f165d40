#include "checkpoint/pytorch/pickle_globals.h"

#include <algorithm>

namespace gamut {
namespace {

constexpr TorchType kUntyped{"uint8", "Untyped", 1, DType::kU8};

/// Types without a DType are refused where a tensor has them. float4 is: PyTorch counts pairs, safetensors single
/// values.
constexpr TorchType kTypes[] = {
    {"float32", "Float", 4, DType::kF32},
    {"float64", "Double", 8, DType::kF64},
    {"float16", "Half", 2, DType::kF16},
    {"bfloat16", "BFloat16", 2, DType::kBf16},
    {"int64", "Long", 8, DType::kI64},
    {"int32", "Int", 4, DType::kI32},
    {"int16", "Short", 2, DType::kI16},
    {"int8", "Char", 1, DType::kI8},
    {"uint8", "Byte", 1, DType::kU8},
    {"bool", "Bool", 1, DType::kBool},
    {"complex64", "ComplexFloat", 8, DType::kC64},
    {"complex128", "ComplexDouble", 16, std::nullopt},
    {"uint16", "", 2, DType::kU16},
    {"uint32", "", 4, DType::kU32},
    {"uint64", "", 8, DType::kU64},
    {"float8_e4m3fn", "", 1, DType::kF8E4M3},
    {"float8_e5m2", "", 1, DType::kF8E5M2},
    {"float8_e4m3fnuz", "", 1, DType::kF8E4M3Fnuz},
    {"float8_e5m2fnuz", "", 1, DType::kF8E5M2Fnuz},
    {"float8_e8m0fnu", "", 1, DType::kF8E8M0},
    {"float4_e2m1fn_x2", "", 1, std::nullopt},
    {"complex32", "", 4, std::nullopt},
    {"bcomplex32", "", 4, std::nullopt},
    {"qint8", "QInt8", 1, std::nullopt},
    {"qint32", "QInt32", 4, std::nullopt},
    {"quint8", "QUInt8", 1, std::nullopt},
    {"quint4x2", "QUInt4x2", 1, std::nullopt},
    {"quint2x4", "QUInt2x4", 1, std::nullopt},
    {"bits1x8", "", 1, std::nullopt},
    {"bits2x4", "", 1, std::nullopt},
    {"bits4x2", "", 1, std::nullopt},
    {"bits8", "", 1, std::nullopt},
    {"bits16", "", 2, std::nullopt},
};

struct Row {
  std::string_view module, name;
  Global global;
};

constexpr Row kRows[] = {
    {"collections", "OrderedDict", {GlobalKind::kOrderedDict}},
    {"collections", "Counter", {GlobalKind::kOrderedDict}},
    {"torch._utils", "_rebuild_tensor_v2", {GlobalKind::kRebuildTensorV2}},
    {"torch._utils", "_rebuild_tensor", {GlobalKind::kRebuildTensor}},
    {"torch._utils", "_rebuild_tensor_v3", {GlobalKind::kRebuildTensorV3}},
    {"torch._utils", "_rebuild_parameter", {GlobalKind::kRebuildParameter}},
    {"torch._utils", "_rebuild_parameter_with_state", {GlobalKind::kRebuildParameter}},
    {"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", {GlobalKind::kRebuildDeviceTensor}},
    {"torch._tensor", "_rebuild_from_type_v2", {GlobalKind::kRebuildFromType}},
    {"torch.nn.parameter", "Parameter", {GlobalKind::kParameter}},
    {"torch", "Size", {GlobalKind::kSize}},
    {"torch", "Tensor", {GlobalKind::kTensorClass, &kTypes[0]}},
    {"torch.storage", "UntypedStorage", {GlobalKind::kStorage, &kUntyped}},
    {"torch", "device", {GlobalKind::kOpaque}},
    {"torch.serialization", "_get_layout", {GlobalKind::kOpaque}},
    {"_codecs", "encode", {GlobalKind::kEncode}},
    {"builtins", "bytearray", {GlobalKind::kBytes}},
    {"builtins", "set", {GlobalKind::kSet}},
    {"builtins", "complex", {GlobalKind::kOpaque}},
    {"__builtin__", "bytearray", {GlobalKind::kBytes}},
    {"__builtin__", "set", {GlobalKind::kSet}},
    {"__builtin__", "complex", {GlobalKind::kOpaque}},
    {"torch._utils", "_rebuild_sparse_tensor", {GlobalKind::kRefused}},
    {"torch._utils", "_rebuild_qtensor", {GlobalKind::kRefused}},
    {"torch._utils", "_rebuild_meta_tensor_no_storage", {GlobalKind::kRefused}},
    {"torch._utils", "_rebuild_wrapper_subclass", {GlobalKind::kRefused}},
    {"torch._utils", "_rebuild_device_tensor_from_numpy", {GlobalKind::kRefused}},
    {"torch.storage", "TypedStorage", {GlobalKind::kRefused}},
};

/// FloatStorage, FloatTensor and their like.
std::optional<Global> find_class(std::string_view name) {
  for (const auto& [suffix, kind] : {std::pair<std::string_view, GlobalKind>{"Storage", GlobalKind::kStorage},
                                     std::pair<std::string_view, GlobalKind>{"Tensor", GlobalKind::kTensorClass}}) {
    if (!name.ends_with(suffix) || name.size() == suffix.size()) continue;
    const std::string_view prefix = name.substr(0, name.size() - suffix.size());
    const auto* type = std::ranges::find(kTypes, prefix, &TorchType::class_prefix);
    if (type != std::end(kTypes)) return Global{kind, type};
  }
  return std::nullopt;
}

}  // namespace

const TorchType& untyped() { return kUntyped; }

std::optional<Global> find_global(std::string_view module, std::string_view name) {
  const auto* row =
      std::ranges::find_if(kRows, [&](const Row& row) { return row.module == module && row.name == name; });
  if (row != std::end(kRows)) return row->global;
  if (module == "torch" || module == "torch.cuda") {
    if (const auto found = find_class(name)) return found;
  }
  if (module == "torch") {
    const auto* type = std::ranges::find(kTypes, name, &TorchType::name);
    if (type != std::end(kTypes)) return Global{GlobalKind::kType, type};
  }
  if ((module == "torch.sparse" || module == "torch.cuda.sparse") && find_class(name)) {
    return Global{GlobalKind::kRefused};
  }
  return std::nullopt;
}

}  // namespace gamut
