#include "backend/host_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "backend/recurrent_ops.h"
#include "graph/op_schema.h"
#include "ops/binary.h"
#include "ops/broadcast.h"
#include "ops/cast.h"
#include "ops/compare.h"
#include "ops/concat.h"
#include "ops/dequantize.h"
#include "ops/gather_rows.h"
#include "ops/iota.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/row_index.h"
#include "ops/select.h"
#include "ops/slice.h"
#include "ops/transpose.h"
#include "ops/unary.h"

namespace gamut {
namespace {

using Inputs = std::span<const HostTensor>;

/// Row-major strides of `dims`, aligned at the end with `rank` axes; 0 where an axis is 1 or missing (broadcast).
std::vector<int64_t> broadcast_strides(const Dims& dims, size_t rank) {
  std::vector<int64_t> strides(rank, 0);
  int64_t step = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    if (dims[i] != 1) strides[i + rank - dims.size()] = step;
    step *= dims[i];
  }
  return strides;
}

int64_t product(const Dims& dims, size_t begin, size_t end) {
  int64_t n = 1;
  for (size_t i = begin; i < end; ++i) n *= dims[i];
  return n;
}

/// Calls body(out_index, offsets) for each element of `dims` in order; offsets[i] follows strides[i].
template <size_t N, typename Body>
void for_each(const Dims& dims, const std::array<std::vector<int64_t>, N>& strides, Body body) {
  const int64_t count = product(dims, 0, dims.size());
  std::vector<int64_t> index(dims.size(), 0);
  std::array<int64_t, N> offset{};
  for (int64_t i = 0; i < count; ++i) {
    body(i, offset);
    for (size_t axis = dims.size(); axis-- > 0;) {
      for (size_t n = 0; n < N; ++n) offset[n] += strides[n][axis];
      if (++index[axis] < dims[axis]) break;
      for (size_t n = 0; n < N; ++n) offset[n] -= strides[n][axis] * dims[axis];
      index[axis] = 0;
    }
  }
}

template <typename T>
T* as(const HostTensor& t) {
  return static_cast<T*>(t.data);
}

size_t element_bytes(DType dtype) { return static_cast<size_t>(dtype_bits(dtype)) / 8; }

void unary(const Node& node, Inputs in, const HostTensor& out, const SymbolValues&) {
  const UnaryKind kind = unary_kind(node);
  for (int64_t i = 0, n = out.count(); i < n; ++i) {
    as<float>(out)[i] = static_cast<float>(apply_unary(kind, as<const float>(in[0])[i]));
  }
}

int64_t apply_integer(BinaryKind kind, int64_t a, int64_t b) {
  switch (kind) {
    case BinaryKind::kAdd: return a + b;
    case BinaryKind::kSub: return a - b;
    case BinaryKind::kMul: return a * b;
    case BinaryKind::kMax: return std::max(a, b);
    case BinaryKind::kMin: return std::min(a, b);
    default: fail(ErrorCode::kUnsupported, "binary: {} of integers", binary_name(kind));
  }
}

void binary(const Node& node, Inputs in, const HostTensor& out, const SymbolValues&) {
  const BinaryKind kind = binary_kind(node);
  const size_t rank = out.dims->size();
  const std::array strides{broadcast_strides(*in[0].dims, rank), broadcast_strides(*in[1].dims, rank)};
  for_each<2>(*out.dims, strides, [&](int64_t i, const auto& at) {
    if (out.dtype == DType::kI64) {
      as<int64_t>(out)[i] = apply_integer(kind, as<const int64_t>(in[0])[at[0]], as<const int64_t>(in[1])[at[1]]);
    } else {
      as<float>(out)[i] =
          static_cast<float>(apply_binary(kind, as<const float>(in[0])[at[0]], as<const float>(in[1])[at[1]]));
    }
  });
}

template <typename T>
bool holds(CompareKind kind, T a, T b) {
  switch (kind) {
    case CompareKind::kEqual: return a == b;
    case CompareKind::kLess: return a < b;
    case CompareKind::kLessEqual: return a <= b;
  }
  return false;
}

void compare(const Node& node, Inputs in, const HostTensor& out, const SymbolValues&) {
  const CompareKind kind = compare_kind(node);
  const size_t rank = out.dims->size();
  const std::array strides{broadcast_strides(*in[0].dims, rank), broadcast_strides(*in[1].dims, rank)};
  for_each<2>(*out.dims, strides, [&](int64_t i, const auto& at) {
    as<bool>(out)[i] = in[0].dtype == DType::kI64
                           ? holds(kind, as<const int64_t>(in[0])[at[0]], as<const int64_t>(in[1])[at[1]])
                           : holds(kind, as<const float>(in[0])[at[0]], as<const float>(in[1])[at[1]]);
  });
}

void select(const Node&, Inputs in, const HostTensor& out, const SymbolValues&) {
  const size_t rank = out.dims->size(), size = element_bytes(out.dtype);
  const std::array strides{broadcast_strides(*in[0].dims, rank), broadcast_strides(*in[1].dims, rank),
                           broadcast_strides(*in[2].dims, rank)};
  for_each<3>(*out.dims, strides, [&](int64_t i, const auto& at) {
    const size_t which = as<const bool>(in[0])[at[0]] ? 1 : 2;
    std::memcpy(as<char>(out) + i * size, as<const char>(in[which]) + at[which] * size, size);
  });
}

/// Towards zero, and to the ends of the range: 2^63 is the first that an int64_t does not hold, and a double.
int64_t to_whole(double value) {
  constexpr double kEnd = 9223372036854775808.0;
  if (std::isnan(value)) return 0;
  if (value >= kEnd) return INT64_MAX;
  return value < -kEnd ? INT64_MIN : static_cast<int64_t>(value);
}

void cast(const Node&, Inputs in, const HostTensor& out, const SymbolValues&) {
  for (int64_t i = 0, n = out.count(); i < n; ++i) {
    double value = 0;
    int64_t whole = 0;
    switch (in[0].dtype) {
      case DType::kF32: value = as<const float>(in[0])[i], whole = to_whole(value); break;
      case DType::kI64: whole = as<const int64_t>(in[0])[i], value = static_cast<double>(whole); break;
      default: whole = as<const bool>(in[0])[i], value = static_cast<double>(whole); break;
    }
    switch (out.dtype) {
      case DType::kF32: as<float>(out)[i] = static_cast<float>(value); break;
      case DType::kI64: as<int64_t>(out)[i] = whole; break;
      default: as<bool>(out)[i] = value != 0; break;
    }
  }
}

void reduce(const Node& node, Inputs in, const HostTensor& out, const SymbolValues&) {
  const ReduceKind kind = reduce_kind(node);
  const Dims& dims = *in[0].dims;
  const int64_t count = out.count();
  std::vector<double> sums(count, kind == ReduceKind::kMax ? -std::numeric_limits<double>::infinity() : 0.0);
  const std::array strides{broadcast_strides(*out.dims, dims.size())};
  for_each<1>(dims, strides, [&](int64_t i, const auto& at) {
    const double value = as<const float>(in[0])[i];
    double& sum = sums[at[0]];
    sum = kind == ReduceKind::kMax ? apply_binary(BinaryKind::kMax, value, sum) : sum + value;
  });
  const double each = count == 0 ? 1 : static_cast<double>(in[0].count()) / static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i) {
    as<float>(out)[i] = static_cast<float>(kind == ReduceKind::kMean ? sums[i] / each : sums[i]);
  }
}

void matmul(const Node& node, Inputs in, const HostTensor& out, const SymbolValues&) {
  const Dims &a = *in[0].dims, &b = *in[1].dims, &c = *out.dims;
  const bool transposed = node.attributes.b("transpose_b");
  const size_t batch_rank = c.size() - 2;
  const int64_t m = c[batch_rank], n = c[batch_rank + 1], k = a.back();
  const Dims batch(c.begin(), c.end() - 2);
  auto strides_of = [&](const Dims& dims) { return broadcast_strides(Dims(dims.begin(), dims.end() - 2), batch_rank); };
  for_each<2>(batch, std::array{strides_of(a), strides_of(b)}, [&](int64_t index, const auto& at) {
    const float *x = as<const float>(in[0]) + at[0] * m * k, *y = as<const float>(in[1]) + at[1] * k * n;
    float* z = as<float>(out) + index * m * n;
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t l = 0; l < k; ++l)
          sum += static_cast<double>(x[i * k + l]) * (transposed ? y[j * k + l] : y[l * n + j]);
        z[i * n + j] = static_cast<float>(sum);
      }
    }
  });
}

void copy_bytes(const Node&, Inputs in, const HostTensor& out, const SymbolValues&) {
  const size_t bytes = static_cast<size_t>(out.count()) * element_bytes(out.dtype);
  if (bytes > 0 && out.data != in[0].data) std::memmove(out.data, in[0].data, bytes);
}

/// Copies element by element; `strides` says where the input element of each output axis step lies.
void copy_strided(const HostTensor& in, const HostTensor& out, std::vector<int64_t> strides) {
  const size_t size = element_bytes(out.dtype);
  for_each<1>(*out.dims, std::array{std::move(strides)}, [&](int64_t i, const auto& at) {
    std::memcpy(as<char>(out) + i * size, as<const char>(in) + at[0] * size, size);
  });
}

void transpose(const Node& node, Inputs in, const HostTensor& out, const SymbolValues&) {
  const Dims& dims = *in[0].dims;
  std::vector<int64_t> strides;
  for (int64_t axis : node.attributes.ints("permutation")) {
    strides.push_back(product(dims, static_cast<size_t>(axis) + 1, dims.size()));
  }
  copy_strided(in[0], out, std::move(strides));
}

void broadcast(const Node&, Inputs in, const HostTensor& out, const SymbolValues&) {
  copy_strided(in[0], out, broadcast_strides(*in[0].dims, out.dims->size()));
}

void concat(const Node& node, Inputs in, const HostTensor& out, const SymbolValues&) {
  const size_t axis = static_cast<size_t>(node.attributes.i("axis")), size = element_bytes(out.dtype);
  const Dims& dims = *out.dims;
  const int64_t outer = product(dims, 0, axis), inner = product(dims, axis + 1, dims.size());
  int64_t start = 0;
  for (const HostTensor& part : in) {
    const int64_t length = (*part.dims)[axis];
    for (int64_t o = 0; o < outer; ++o) {
      std::memcpy(as<char>(out) + (o * dims[axis] + start) * inner * size,
                  as<const char>(part) + o * length * inner * size, static_cast<size_t>(length * inner) * size);
    }
    start += length;
  }
}

void slice(const Node& node, Inputs in, const HostTensor& out, const SymbolValues& symbols) {
  const size_t axis = static_cast<size_t>(node.attributes.i("axis")), size = element_bytes(out.dtype);
  const Dims &from = *in[0].dims, &to = *out.dims;
  const int64_t begin = node.attributes.extent("begin").evaluate(symbols), length = to[axis];
  if (begin < 0 || begin > from[axis] || length > from[axis] - begin) {
    fail(ErrorCode::kInvalidArgument, "{}: slice [{}, {}+{}) is outside an axis of {}", node.label, begin, begin,
         length, from[axis]);
  }
  const int64_t outer = product(to, 0, axis), inner = product(to, axis + 1, to.size());
  for (int64_t o = 0; o < outer; ++o) {
    std::memcpy(as<char>(out) + o * length * inner * size,
                as<const char>(in[0]) + (o * from[axis] + begin) * inner * size,
                static_cast<size_t>(length * inner) * size);
  }
}

void gather_rows(const Node& node, Inputs in, const HostTensor& out, const SymbolValues&) {
  const Dims& table = *in[0].dims;
  const size_t line = static_cast<size_t>(product(table, 1, table.size())) * element_bytes(out.dtype);
  for (int64_t i = 0, n = in[1].count(); i < n; ++i) {
    const int64_t id = as<const int64_t>(in[1])[i];
    if (id < 0 || id >= table[0]) {
      fail(ErrorCode::kInvalidArgument, "{}: index {} is outside a table of {} lines", node.label, id, table[0]);
    }
    std::memcpy(as<char>(out) + i * line, as<const char>(in[0]) + id * line, line);
  }
}

void iota(const Node&, Inputs, const HostTensor& out, const SymbolValues&) {
  for (int64_t i = 0, n = out.count(); i < n; ++i) as<int64_t>(out)[i] = i;
}

void row_index(const Node& node, Inputs in, const HostTensor& out, const SymbolValues&) {
  const bool wants_row = node.attributes.s("kind") == "row";
  const int64_t tokens = out.count();
  std::fill_n(as<int64_t>(out), tokens, wants_row ? -1 : 0);
  for (int64_t n = 0; n < (*in[0].dims)[0]; ++n) {
    const int64_t start = as<const int64_t>(in[0])[2 * n], length = as<const int64_t>(in[0])[2 * n + 1];
    if (start < 0 || length < 0 || start > tokens || length > tokens - start) {
      fail(ErrorCode::kInvalidArgument, "rows: row {} [{}, {}+{}) is outside {} tokens", n, start, start, length,
           tokens);
    }
    for (int64_t i = 0; i < length; ++i) as<int64_t>(out)[start + i] = wants_row ? n : i;
  }
}

/// Code `index` of a quantised tensor; those of 4 bits lie two to a byte, the first in the lower half.
int code_at(const HostTensor& codes, int64_t bits, int64_t index) {
  const uint8_t byte = as<const uint8_t>(codes)[bits == 4 ? index / 2 : index];
  const int code = bits == 8 ? byte : index % 2 == 0 ? byte & 15 : byte >> 4;
  const int half = 1 << (bits - 1);
  return codes.dtype == DType::kI8 && code >= half ? code - 2 * half : code;
}

void dequantize(const Node& node, Inputs in, const HostTensor& out, const SymbolValues&) {
  const int64_t bits = node.attributes.i("bits"), width = out.dims->back(), groups = in[1].dims->back();
  const int64_t size = width / groups;
  for (int64_t i = 0, n = out.count(); i < n; ++i) {
    const int64_t group = i / width * groups + i % width / size;
    const int zero_point = in.size() > 2 ? code_at(in[2], 8, group) : 0;
    as<float>(out)[i] = static_cast<float>(code_at(in[0], bits, i) - zero_point) * as<const float>(in[1])[group];
  }
}

using HostFunctionPointer = void (*)(const Node&, Inputs, const HostTensor&, const SymbolValues&);

HostFunctionPointer find(const OpSchema* op) {
  static const std::pair<const OpSchema*, HostFunctionPointer> kTable[] = {
      {&op::kUnary, unary},
      {&op::kBinary, binary},
      {&op::kCompare, compare},
      {&op::kSelect, select},
      {&op::kCast, cast},
      {&op::kReduce, reduce},
      {&op::kMatmul, matmul},
      {&op::kReshape, copy_bytes},
      {&op::kTranspose, transpose},
      {&op::kBroadcast, broadcast},
      {&op::kConcat, concat},
      {&op::kSlice, slice},
      {&op::kGatherRows, gather_rows},
      {&op::kDequantize, dequantize},
      {&op::kIota, iota},
      {&op::kRowIndex, row_index},
  };
  for (const auto& [schema, function] : kTable) {
    if (schema == op) return function;
  }
  return nullptr;
}

}  // namespace

int64_t HostTensor::count() const { return product(*dims, 0, dims->size()); }

bool is_host_op(const Node& node) { return find(node.op) != nullptr || is_recurrent_op(node.op); }

void run_core_op(const Node& node, Inputs inputs, const HostTensor& output, const SymbolValues& symbols) {
  if (is_recurrent_op(node.op)) {
    const Dims& dims = *output.dims;
    return run_recurrent_op(node, inputs, output, recurrent_rows(inputs[1], dims[0] * dims[1]));
  }
  const HostFunctionPointer function = find(node.op);
  if (function == nullptr) fail(ErrorCode::kInternal, "{}: operator {} has no plain loop", node.label, node.op->name);
  function(node, inputs, output, symbols);
}

}  // namespace gamut
