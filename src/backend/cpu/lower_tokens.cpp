// Steps that know about sequences: attention, pooling over tokens, table look-up.
#include <atomic>
#include <cmath>
#include <span>

#include "backend/cpu/attention.h"
#include "backend/cpu/lower.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "graph/state.h"
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

namespace {

/// The places of an attention node's tensors among the values, and what does not change from run to run.
struct AttentionStep {
  int q, k, v, out, rows, bias, sinks, slopes;
  AttentionArgs fixed;  // scale, windows, head sizes
  std::string state;

  void bind(Run& run, AttentionArgs* args) const;
  void bind_keys(Run& run, int64_t tokens, AttentionArgs* args) const;
  void bind_state(Run& run, AttentionArgs* args) const;
};

void AttentionStep::bind(Run& run, AttentionArgs* args) const {
  const Dims &dq = run.dims(q), &dk = run.dims(k);
  *args = fixed;
  args->q = run.f32(q), args->out = run.f32(out);
  args->heads = dq[2], args->kv_heads = dk[2];
  args->q_token_stride = args->heads * args->head_dim, args->q_head_stride = args->head_dim;
  args->out_token_stride = args->heads * args->value_dim, args->out_head_stride = args->value_dim;
  if (bias >= 0) {
    args->bias = run.f32(bias);
    args->bias_head_stride = run.dims(bias)[0] == 1 ? 0 : dq[1] * dq[1];
    args->bias_q_stride = dq[1];
  }
  if (sinks >= 0) args->sinks = run.f32(sinks);
  if (slopes >= 0) args->slopes = run.f32(slopes);
  if (run.state != nullptr && !state.empty()) {
    bind_state(run, args);
  } else {
    bind_keys(run, dq[0] * dq[1], args);
  }
}

/// Keys and values are those of the run.
void AttentionStep::bind_keys(Run& run, int64_t tokens, AttentionArgs* args) const {
  std::vector<int64_t>& lines = run.workspace.segments;
  if (rows >= 0) {
    run.segments(rows, tokens);
  } else {
    lines.clear();
    const Dims& dq = run.dims(q);
    for (int64_t b = 0; b <= dq[0]; ++b) lines.push_back(b * dq[1]);
  }
  args->rows = static_cast<int64_t>(lines.size()) - 1;
  args->q_offsets = args->kv_offsets = lines.data();
  args->k = run.f32(k), args->v = run.f32(v);
  args->k_token_stride = args->kv_heads * args->head_dim, args->k_head_stride = args->head_dim;
  args->v_token_stride = args->kv_heads * args->value_dim, args->v_head_stride = args->value_dim;
}

/// The run's keys and values go behind those of its sequences, and all of them are seen.
void AttentionStep::bind_state(Run& run, AttentionArgs* args) const {
  const PagedKv& kv = run.state->kv(state);
  const std::vector<int64_t>& lines = run.sequence_segments(rows, run.dims(q)[0] * run.dims(q)[1]);
  std::vector<int64_t>& keys = run.workspace.keys;
  std::vector<const float* const*>& pages = run.workspace.pages;
  keys.assign(1, 0), pages.clear();
  const int64_t heads = args->kv_heads, dk = args->head_dim, dv = args->value_dim;
  for (size_t n = 0; n < run.sequences.size(); ++n) {
    const int64_t past = run.state->length(run.sequences[n]), fresh = lines[n + 1] - lines[n];
    run.pool.run_ranges(fresh, 64, [&](int64_t begin, int64_t end) {
      const int64_t line = (lines[n] + begin) * heads;
      run.state->write(kv, run.sequences[n],
                       {.first = past + begin,
                        .count = end - begin,
                        .keys = run.f32(k) + line * dk,
                        .values = run.f32(v) + line * dv});
    });
    keys.push_back(keys.back() + past + fresh);
    pages.push_back(run.state->pages(kv, run.sequences[n]));
  }
  args->rows = static_cast<int64_t>(pages.size());
  args->q_offsets = lines.data(), args->kv_offsets = keys.data();
  args->pages = pages.data();
  args->page_keys = kPageTokens, args->k_page = kv.keys, args->v_page = kv.values;
  args->k_token_stride = dk, args->k_head_stride = kPageTokens * dk;
  args->v_token_stride = dv, args->v_head_stride = kPageTokens * dv;
}

}  // namespace

Step lower_attention(Lowering& lowering, const Node& node) {
  AttentionStep step{node.inputs[0],         node.inputs[1],         node.inputs[2],
                     node.outputs[0],        input_or_none(node, 3), input_or_none(node, 4),
                     input_or_none(node, 5), input_or_none(node, 6), {},
                     state_name(node)};
  for (int value : node.inputs) {
    if (value >= 0) lowering.make_resident(value);
  }
  const int64_t window = node.attributes.i("window");
  step.fixed.scale = static_cast<float>(node.attributes.num("scale"));
  step.fixed.bf16 = lowering.bf16;
  step.fixed.softcap = static_cast<float>(node.attributes.num("softcap"));
  step.fixed.window_right = node.attributes.b("causal") ? 0 : -1;
  step.fixed.window_left = window > 0 ? window - 1 : -1;
  step.fixed.chunk = node.attributes.i("chunk");
  step.fixed.head_dim = *lowering.graph.info(step.q).shape[3].constant();
  step.fixed.value_dim = *lowering.graph.info(step.v).shape[3].constant();
  lowering.need_scratch(
      attention_scratch_bytes(lowering.kernels, step.fixed.head_dim, step.fixed.value_dim, lowering.pool.size()));
  return [step](Run& run) {
    AttentionArgs args;
    step.bind(run, &args);
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
