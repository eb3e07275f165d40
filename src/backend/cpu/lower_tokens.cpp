// Steps that know about sequences: attention, pooling over tokens, table look-up.
#include <atomic>
#include <cmath>
#include <span>

#include "backend/cpu/attention.h"
#include "backend/cpu/lower.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "ops/pool_rows.h"

namespace gamut::cpu {
namespace {

Pooling kernel_of(PoolKind kind) {
  switch (kind) {
    case PoolKind::kFirst: return Pooling::kFirst;
    case PoolKind::kLast: return Pooling::kLast;
    case PoolKind::kMean: return Pooling::kMean;
    case PoolKind::kMax: return Pooling::kMax;
    case PoolKind::kSum:
    case PoolKind::kMeanSqrt: return Pooling::kSum;
  }
  return Pooling::kSum;
}

}  // namespace

Step lower_attention(Lowering& lowering, const Node& node) {
  const int q = node.inputs[0], k = node.inputs[1], v = node.inputs[2], out = node.outputs[0];
  const int rows = input_or_none(node, 3), bias = input_or_none(node, 4);
  for (int value : {q, k, v, rows, bias}) {
    if (value >= 0) lowering.make_resident(value);
  }
  const float scale = static_cast<float>(node.attributes.num("scale"));
  const int64_t window_right = node.attributes.b("causal") ? 0 : -1, window = node.attributes.i("window");
  const int64_t head_dim = *lowering.graph.info(q).shape[3].constant();
  const int64_t value_dim = *lowering.graph.info(v).shape[3].constant();
  lowering.need_scratch(attention_scratch_bytes(lowering.kernels, head_dim, value_dim, lowering.pool.size()));
  return [=](Run& run) {
    const Dims &dq = run.dims(q), &dk = run.dims(k);
    AttentionArgs args{.q = run.f32(q), .k = run.f32(k), .v = run.f32(v), .out = run.f32(out)};
    args.heads = dq[2], args.kv_heads = dk[2], args.head_dim = head_dim, args.value_dim = value_dim;
    args.q_token_stride = args.heads * head_dim, args.q_head_stride = head_dim;
    args.k_token_stride = args.kv_heads * head_dim, args.k_head_stride = head_dim;
    args.v_token_stride = args.kv_heads * value_dim, args.v_head_stride = value_dim;
    args.out_token_stride = args.heads * value_dim, args.out_head_stride = value_dim;
    args.scale = scale;
    args.window_right = window_right;
    args.window_left = window > 0 ? window - 1 : -1;
    const int64_t tokens = dq[0] * dq[1];
    std::vector<int64_t>& lines = run.workspace.segments;
    if (rows >= 0) {
      run.segments(rows, tokens);
    } else {
      lines.clear();
      for (int64_t b = 0; b <= dq[0]; ++b) lines.push_back(b * dq[1]);
    }
    args.rows = static_cast<int64_t>(lines.size()) - 1;
    args.q_offsets = args.kv_offsets = lines.data();
    if (bias >= 0) {
      args.bias = run.f32(bias);
      args.bias_head_stride = run.dims(bias)[0] == 1 ? 0 : dq[1] * dq[1];
      args.bias_q_stride = dq[1];
    }
    attention(run.pool, run.kernels, args, run.scratch());
  };
}

Step lower_pool_rows(Lowering& lowering, const Node& node) {
  const int x = node.inputs[0], rows = node.inputs[1], out = node.outputs[0];
  const PoolKind kind = pool_kind(node);
  lowering.make_resident(x);
  lowering.make_resident(rows);
  return [=](Run& run) {
    const int64_t columns = run.columns(x), count = run.dims(rows)[0];
    run.segments(rows, run.lines(x));  // checks the table
    const int64_t* table = run.i64(rows);
    run.pool.run_ranges(count, 4, [&](int64_t begin, int64_t end) {
      for (int64_t n = begin; n < end; ++n) {
        const int64_t bounds[2] = {table[2 * n], table[2 * n] + table[2 * n + 1]};
        SegmentPoolArgs args{.cols = columns, .x = run.f32(x), .x_stride = columns, .offsets = bounds};
        args.y = run.f32(out) + n * columns;
        args.y_stride = columns;
        args.kind = kernel_of(kind);
        run.kernels.segment_pool(args, 0, 1);
        if (kind != PoolKind::kMeanSqrt || table[2 * n + 1] == 0) continue;
        const float scale = 1.0f / std::sqrt(static_cast<float>(table[2 * n + 1]));
        for (int64_t i = 0; i < columns; ++i) args.y[i] *= scale;
      }
    });
  };
}

namespace {

/// Larger tables stay in their file, since a run reads few of their lines.
constexpr size_t kResidentTableBytes = 1 << 20;

void check_ids(const std::string& label, std::span<const int64_t> ids, int64_t lines) {
  for (int64_t id : ids) {
    if (id < 0 || id >= lines)
      fail(ErrorCode::kInvalidArgument, "{}: index {} is outside a table of {} lines", label, id, lines);
  }
}

/// Look-up in a table that lies in its file.
Step gather_from_file(Lowering& lowering, const Node& node, const StoredTensor& lying, Source source) {
  const int ids = node.inputs[1], out = node.outputs[0];
  const int64_t table_rows = lying.dims()[0], columns = lying.dims()[1];
  const size_t line_bytes = static_cast<size_t>(columns) * (source == Source::kF32 ? 4 : 2);
  const size_t buffer_bytes = (line_bytes + 63) / 64 * 64;
  lowering.make_resident(ids);
  lowering.need_scratch(buffer_bytes * static_cast<size_t>(lowering.pool.size()));
  return [=, label = node.label](Run& run) {
    constexpr int64_t kLinesPerTask = 16;
    const int64_t count = run.lines(ids) * run.columns(ids);
    const int64_t* id = run.i64(ids);
    check_ids(label, {id, static_cast<size_t>(count)}, table_rows);
    std::atomic<int64_t> unread{-1};
    run.pool.run((count + kLinesPerTask - 1) / kLinesPerTask, [&](int64_t task, int worker) {
      char* buffer = static_cast<char*>(run.scratch()) + buffer_bytes * static_cast<size_t>(worker);
      for (int64_t i = task * kLinesPerTask; i < std::min(count, (task + 1) * kLinesPerTask); ++i) {
        float* y = run.f32(out) + i * columns;
        void* to = source == Source::kF32 ? static_cast<void*>(y) : buffer;
        if (!lying.try_read(static_cast<uint64_t>(id[i]) * line_bytes, line_bytes, to)) return unread.store(id[i]);
        if (source != Source::kF32) run.kernels.widen(source, buffer, y, columns);
      }
    });
    if (unread >= 0) lying.refuse(static_cast<uint64_t>(unread) * line_bytes, line_bytes);
  };
}

}  // namespace

Step lower_gather_rows(Lowering& lowering, const Node& node) {
  const int table = node.inputs[0], ids = node.inputs[1], out = node.outputs[0];
  const Node* weight = lowering.leaf(table);
  const ValueInfo& info = lowering.graph.info(table);
  if (info.dtype != DType::kF32 || info.shape.size() != 2) return lower_host_op(lowering, node);
  if (weight != nullptr && weight->op == &kWeight) {
    const StoredTensor stored = lowering.weights.stored(weight->attributes.s("name"));
    Source source = Source::kF32;
    const bool is_large = stored.bytes() > kResidentTableBytes && stored.data() == nullptr;
    if (is_large && find_source(stored.dtype(), &source)) return gather_from_file(lowering, node, stored, source);
  }
  lowering.make_resident(table);
  lowering.make_resident(ids);
  return [=, label = node.label](Run& run) {
    const int64_t columns = run.columns(table), count = run.lines(ids) * run.columns(ids);
    GatherArgs args{.cols = columns, .table_rows = run.dims(table)[0], .table_stride = columns};
    args.table = run.f32(table);
    args.ids = run.i64(ids);
    args.y = run.f32(out);
    args.y_stride = columns;
    check_ids(label, {args.ids, static_cast<size_t>(count)}, args.table_rows);
    run.pool.run_ranges(count, 16, [&](int64_t begin, int64_t end) { run.kernels.gather_rows(args, begin, end); });
  };
}

}  // namespace gamut::cpu
