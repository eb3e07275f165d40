// Steps that work line by line or element by element: norms, softmax, unary, binary, reduce.
#include "backend/cpu/lower.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "ops/binary.h"
#include "ops/reduce.h"

namespace gamut::cpu {
namespace {

/// Lines per task, so that a task is worth a few microseconds.
int64_t grain(int64_t columns) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(columns, 1)); }

using NormKernel = void (*)(const NormArgs&, int64_t, int64_t) noexcept;

Step lower_norm(Lowering& lowering, const Node& node, NormKernel kernel) {
  const int x = node.inputs[0], y = node.outputs[0];
  const int weight = input_or_none(node, 1), bias = input_or_none(node, 2), residual = input_or_none(node, 3);
  for (int value : {x, weight, bias, residual}) {
    if (value >= 0) lowering.make_resident(value);
  }
  const float eps = static_cast<float>(node.attributes.num("eps"));
  return [=](Run& run) {
    const int64_t columns = run.columns(x);
    NormArgs args{.cols = columns, .x = run.f32(x), .x_stride = columns, .eps = eps};
    if (residual >= 0) args.residual = run.f32(residual), args.residual_stride = columns;
    if (weight >= 0) args.weight = run.f32(weight);
    if (bias >= 0) args.bias = run.f32(bias);
    args.y = run.f32(y);
    args.y_stride = columns;
    run.pool.run_ranges(run.lines(x), grain(columns), [&](int64_t begin, int64_t end) { kernel(args, begin, end); });
  };
}

/// How an operand of shape `dims` is read for a result [lines, columns] of shape `out`; false when it takes more
/// strides.
bool find_strides(const Dims& dims, const Dims& out, int64_t* row_stride, int64_t* column_stride) {
  const int64_t columns = out.empty() ? 1 : out.back();
  int64_t count = 1, lines = 1;
  for (int64_t dim : dims) count *= dim;
  for (size_t i = 0; i + 1 < out.size(); ++i) lines *= out[i];
  if (dims == out) return *row_stride = columns, *column_stride = 1, true;
  if (count == 1) return *row_stride = 0, *column_stride = 0, true;
  if (!dims.empty() && dims.back() == columns && count == columns) return *row_stride = 0, *column_stride = 1, true;
  if (!dims.empty() && dims.back() == columns && count == columns * lines)
    return *row_stride = columns, *column_stride = 1, true;
  if (!dims.empty() && dims.back() == 1 && count == lines) return *row_stride = 1, *column_stride = 0, true;
  return false;
}

Binary kernel_of(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::kAdd: return Binary::kAdd;
    case BinaryKind::kSub: return Binary::kSub;
    case BinaryKind::kMul: return Binary::kMul;
    case BinaryKind::kDiv: return Binary::kDiv;
    case BinaryKind::kMax: return Binary::kMax;
    case BinaryKind::kMin: return Binary::kMin;
    case BinaryKind::kPow: return Binary::kPow;
  }
  return Binary::kAdd;
}

}  // namespace

Step lower_layer_norm(Lowering& lowering, const Node& node) {
  return lower_norm(lowering, node, lowering.kernels.layer_norm);
}

Step lower_l2_normalize(Lowering& lowering, const Node& node) {
  return lower_norm(lowering, node, lowering.kernels.l2_normalize);
}

Step lower_rms_norm(Lowering& lowering, const Node& node) {
  return lower_norm(lowering, node, lowering.kernels.rms_norm);
}

Step lower_rope(Lowering& lowering, const Node& node) {
  const int x = node.inputs[0], cos = node.inputs[1], sin = node.inputs[2], y = node.outputs[0];
  for (int value : node.inputs) lowering.make_resident(value);
  const bool interleaved = node.attributes.b("interleaved");
  return [=](Run& run) {
    const Dims& dims = run.dims(x);
    RopeArgs args{.heads = dims[2], .head_dim = dims[3], .half = run.columns(cos), .x = run.f32(x)};
    args.cos = run.f32(cos), args.sin = run.f32(sin), args.y = run.f32(y);
    args.interleaved = interleaved;
    run.pool.run_ranges(dims[0] * dims[1], grain(dims[2] * dims[3]),
                        [&](int64_t begin, int64_t end) { run.kernels.rope(args, begin, end); });
  };
}

Step lower_gated(Lowering& lowering, const Node& node, Unary activation) {
  const int gate = node.inputs[0], up = node.inputs[1], y = node.outputs[0];
  for (int value : node.inputs) lowering.make_resident(value);
  return [=](Run& run) {
    // A piece of the activated gate is still in L1 when it is multiplied.
    constexpr int64_t kPiece = 4096;
    const int64_t count = run.lines(gate) * run.columns(gate);
    run.pool.run((count + kPiece - 1) / kPiece, [&](int64_t task, int) {
      const int64_t begin = task * kPiece, size = std::min(kPiece, count - begin);
      run.kernels.unary(activation, run.f32(gate) + begin, run.f32(y) + begin, size);
      const BinaryArgs args{.cols = size, .a = run.f32(y) + begin, .b = run.f32(up) + begin, .y = run.f32(y) + begin};
      run.kernels.binary(Binary::kMul, args, 0, 1);
    });
  };
}

Step lower_softmax(Lowering& lowering, const Node& node) {
  const int x = node.inputs[0], y = node.outputs[0];
  lowering.make_resident(x);
  return [=](Run& run) {
    const int64_t columns = run.columns(x);
    const SoftmaxArgs args{.cols = columns, .x = run.f32(x), .x_stride = columns, .y = run.f32(y), .y_stride = columns};
    run.pool.run_ranges(run.lines(x), grain(columns),
                        [&](int64_t begin, int64_t end) { run.kernels.softmax(args, begin, end); });
  };
}

Step lower_unary(Lowering& lowering, const Node& node, Unary kind) {
  const int x = node.inputs[0], y = node.outputs[0];
  lowering.make_resident(x);
  return [=](Run& run) {
    const int64_t count = run.lines(x) * run.columns(x);
    run.pool.run_ranges(count, 16384, [&](int64_t begin, int64_t end) {
      run.kernels.unary(kind, run.f32(x) + begin, run.f32(y) + begin, end - begin);
    });
  };
}

Step lower_binary(Lowering& lowering, const Node& node) {
  const int a = node.inputs[0], b = node.inputs[1], y = node.outputs[0];
  Step plain = lower_host_op(lowering, node);  // also makes weights resident
  if (lowering.graph.info(y).dtype != DType::kF32) return plain;
  const Binary kind = kernel_of(binary_kind(node));
  return [=, plain = std::move(plain)](Run& run) {
    const Dims& out = run.dims(y);
    BinaryArgs args{
        .cols = run.columns(y), .a = run.f32(a), .b = run.f32(b), .y = run.f32(y), .y_row_stride = run.columns(y)};
    if (!find_strides(run.dims(a), out, &args.a_row_stride, &args.a_col_stride) ||
        !find_strides(run.dims(b), out, &args.b_row_stride, &args.b_col_stride)) {
      return plain(run);
    }
    run.pool.run_ranges(run.lines(y), grain(args.cols),
                        [&](int64_t begin, int64_t end) { run.kernels.binary(kind, args, begin, end); });
  };
}

Step lower_reduce(Lowering& lowering, const Node& node) {
  const int x = node.inputs[0], y = node.outputs[0];
  const std::vector<int64_t> axes = node.attributes.ints("axes");
  Step plain = lower_host_op(lowering, node);
  const int64_t last = static_cast<int64_t>(lowering.graph.info(x).shape.size()) - 1;
  if (axes.size() != 1 || axes[0] != last) return plain;
  Reduce kind = Reduce::kSum;
  if (reduce_kind(node) == ReduceKind::kMean) kind = Reduce::kMean;
  if (reduce_kind(node) == ReduceKind::kMax) kind = Reduce::kMax;
  return [=](Run& run) {
    const int64_t columns = run.columns(x);
    const ReduceArgs args{.cols = columns, .x = run.f32(x), .x_stride = columns, .y = run.f32(y)};
    run.pool.run_ranges(run.lines(x), grain(columns),
                        [&](int64_t begin, int64_t end) { run.kernels.reduce(kind, args, begin, end); });
  };
}

}  // namespace gamut::cpu
