// Steps of linear and matmul.
#include <array>
#include <utility>

#include "backend/cpu/lower.h"
#include "backend/cpu/matmul.h"
#include "base/error.h"
#include "checkpoint/convert.h"
#include "graph/op_schema.h"

namespace gamut::cpu {

bool find_source(DType dtype, Source* source) {
  if (dtype == DType::kF32) return *source = Source::kF32, true;
  if (dtype == DType::kF16) return *source = Source::kF16, true;
  if (dtype == DType::kBf16) return *source = Source::kBf16, true;
  return false;
}

namespace {

/// Packs the weight [out,in] of a linear, which is read piece by piece where its dtype allows.
Tensor pack(Lowering& lowering, const Node& weight) {
  const MatmulKernel& kernel = lowering.weight_kernel;
  const std::string name = weight.op == &kConstant ? "" : weight.attributes.s("name");
  StoredTensor stored = weight.op == &kConstant ? StoredTensor(weight.constant) : lowering.weights.stored(name);
  PackArgs args{.n = stored.dims().at(0), .k = stored.dims().at(1)};
  if (!find_source(stored.dtype(), &args.type)) {
    stored = StoredTensor(to_f32(stored.load()));
    args.type = Source::kF32;
  }
  const size_t bytes = kernel.packed_bytes(args.n, args.k);
  const HugeArena::Piece piece = lowering.packed.allocate(bytes);
  Tensor packed(DType::kU8, {static_cast<int64_t>(bytes)}, piece.data, piece.owner);
  args.packed = piece.data;
  const int64_t row_bytes = args.k * dtype_bits(stored.dtype()) / 8;
  const int64_t unread = pack_weight(lowering.pool, kernel, args, [&](int64_t begin, int64_t end, void* to) {
    return stored.try_read(static_cast<uint64_t>(begin * row_bytes), static_cast<size_t>((end - begin) * row_bytes),
                           to);
  });
  if (unread >= 0) stored.refuse(static_cast<uint64_t>(unread * row_bytes), static_cast<size_t>(row_bytes));
  lowering.packed_bytes += packed.bytes();
  return packed;
}

struct Linear {
  int x = -1, w = -1, bias = -1, residual = -1, factor = -1, y = -1;
  Unary activation = Unary::kIdentity;
  Tensor packed;  // w, when it is a weight

  Linear(Lowering& lowering, const Node& node)
      : x(node.inputs[0]),
        w(node.inputs[1]),
        bias(input_or_none(node, 2)),
        residual(input_or_none(node, 3)),
        factor(input_or_none(node, 4)),
        y(node.outputs[0]) {
    check_internal(find_kernel(activation_kind(node), &activation), "linear: activation without a kernel");
    if (const Node* weight = lowering.leaf(w)) packed = pack(lowering, *weight);
    for (int value : {x, bias, residual, factor}) {
      if (value >= 0) lowering.make_resident(value);
    }
  }

  MatmulArgs bind(const Run& run) const {
    MatmulArgs args{.m = run.lines(x), .n = run.columns(y), .k = run.columns(x)};
    args.a = run.f32(x);
    args.a_stride = args.k;
    args.packed = packed.empty() ? nullptr : packed.data();
    args.w = packed.empty() ? run.f32(w) : nullptr;
    args.w_n_stride = args.k;
    args.w_k_stride = 1;
    args.c = run.f32(y);
    args.c_stride = args.n;
    args.epilogue.activation = activation;
    if (bias >= 0) args.epilogue.bias = run.f32(bias);
    if (residual >= 0) args.epilogue.residual = run.f32(residual);
    if (factor >= 0) args.epilogue.residual = run.f32(factor), args.epilogue.residual_multiplies = true;
    args.epilogue.residual_stride = args.n;
    return args;
  }
};

}  // namespace

Step lower_linears(Lowering& lowering, std::span<const Node* const> nodes) {
  check_internal(!nodes.empty() && nodes.size() <= kMostJoinedLinears, "linear: too many to be joined");
  std::vector<Linear> linears;
  for (const Node* node : nodes) linears.emplace_back(lowering, *node);
  const MatmulKernel& kernel = lowering.weight_kernel;
  lowering.need_scratch(matmul_scratch_bytes(kernel, lowering.pool.size()));
  return [linears = std::move(linears), &kernel](Run& run) {
    std::array<MatmulArgs, kMostJoinedLinears> products;
    for (size_t i = 0; i < linears.size(); ++i) products[i] = linears[i].bind(run);
    matmul(run.pool, kernel, std::span(products.data(), linears.size()), run.scratch());
  };
}

Step lower_gated_linears(Lowering& lowering, const Node& gate, const Node& up) {
  const MatmulKernel& kernel = lowering.weight_kernel;
  lowering.need_scratch(matmul_scratch_bytes(kernel, lowering.pool.size()));
  return [gate = Linear(lowering, gate), up = Linear(lowering, up), &kernel](Run& run) {
    gated_matmul(run.pool, kernel, gate.bind(run), up.bind(run), run.scratch());
  };
}

Step lower_matmul(Lowering& lowering, const Node& node) {
  const int a = node.inputs[0], b = node.inputs[1], c = node.outputs[0];
  const bool transposed = node.attributes.b("transpose_b");
  lowering.make_resident(a);
  lowering.make_resident(b);
  const MatmulKernel& kernel = lowering.kernels.matmul_f32;
  lowering.need_scratch(matmul_scratch_bytes(kernel, lowering.pool.size()));
  return [=, &kernel](Run& run) {
    const Dims &da = run.dims(a), &db = run.dims(b), &dc = run.dims(c);
    const size_t rank = dc.size();
    MatmulArgs args{.m = dc[rank - 2], .n = dc[rank - 1], .k = da.back()};
    args.a_stride = args.k;
    args.w_n_stride = transposed ? args.k : 1;
    args.w_k_stride = transposed ? 1 : args.n;
    args.c_stride = args.n;
    // Element offsets of an operand from one matrix to the next along a batch axis; 0 where it is broadcast.
    auto stride = [&](const Dims& dims, size_t axis, int64_t matrix) -> int64_t {
      const size_t missing = rank - dims.size();
      if (axis < missing || dims[axis - missing] == 1) return 0;
      for (size_t i = axis + 1; i + 2 < rank; ++i) matrix *= i < missing ? 1 : dims[i - missing];
      return matrix;
    };
    const int64_t a_matrix = args.m * args.k, b_matrix = args.k * args.n, c_matrix = args.m * args.n;
    const size_t levels = std::min<size_t>(rank - 2, 2), outer_axes = rank - 2 - levels;
    MatmulBatch batch;
    if (levels >= 1) {
      const size_t inner = rank - 3;
      batch.inner = dc[inner];
      batch.a_inner = stride(da, inner, a_matrix), batch.w_inner = stride(db, inner, b_matrix),
      batch.c_inner = c_matrix;
    }
    if (levels == 2) {
      const size_t outer = rank - 4;
      batch.outer = dc[outer];
      batch.a_outer = stride(da, outer, a_matrix), batch.w_outer = stride(db, outer, b_matrix);
      batch.c_outer = c_matrix * batch.inner;
    }
    int64_t repeats = 1;
    for (size_t axis = 0; axis < outer_axes; ++axis) repeats *= dc[axis];
    for (int64_t r = 0; r < repeats; ++r) {
      int64_t rest = r, a_offset = 0, b_offset = 0;
      for (size_t axis = outer_axes; axis-- > 0;) {
        const int64_t index = rest % dc[axis];
        rest /= dc[axis];
        a_offset += index * stride(da, axis, a_matrix);
        b_offset += index * stride(db, axis, b_matrix);
      }
      args.a = run.f32(a) + a_offset;
      args.w = run.f32(b) + b_offset;
      args.c = run.f32(c) + r * batch.outer * batch.inner * c_matrix;
      batched_matmul(run.pool, kernel, args, batch, run.scratch());
    }
  };
}

}  // namespace gamut::cpu
