// Steps of wkv, linear_scan and delta_rule.
#include <algorithm>

#include "backend/cpu/lower.h"
#include "backend/cpu/recurrent_blocks.h"
#include "graph/op_schema.h"
#include "graph/state.h"

namespace gamut::cpu {
namespace {

int64_t blocks_of(int64_t count, int64_t block) { return (count + block - 1) / block; }

void make_inputs_resident(Lowering& lowering, const Node& node) {
  for (int value : node.inputs) lowering.make_resident(value);
}

/// A step of a recurrence along each channel. `work`: multiply-adds of a token of one channel; `bind` sets what the
/// operator reads, from the offset of a row on.
template <typename Args, typename Bind>
Step lower_channels(Lowering& lowering, const Node& node, int64_t work, Bind bind,
                    void (*KernelTable::*kernel)(const Args&, int64_t, int64_t) noexcept) {
  make_inputs_resident(lowering, node);
  return [in = node.inputs, out = node.outputs[0], state = state_name(node), work, bind, kernel](Run& run) {
    const int64_t tokens = run.lines(in[0]), channels = run.columns(in[0]);
    const std::vector<RecurrentRow>& rows = run.recurrent_rows(in[1], tokens, state);
    clear_padding(rows, tokens, channels, run.f32(out));
    const int64_t blocks = blocks_of(channels, kRecurrentBlock);
    for_blocks(run, rows, blocks, kRecurrentBlock * work, [&](const RecurrentRow& row, int64_t block, int) {
      const int64_t at = row.start * channels;
      Args args{.tokens = row.length, .channels = channels};
      bind(run, in, at, &args);
      args.y = run.f32(out) + at, args.state = row.state;
      (run.kernels.*kernel)(args, block * kRecurrentBlock, std::min(channels, (block + 1) * kRecurrentBlock));
    });
  };
}

}  // namespace

Step lower_wkv(Lowering& lowering, const Node& node) {
  const auto bind = [](const Run& run, const std::vector<int>& in, int64_t at, WkvArgs* args) {
    args->k = run.f32(in[0]) + at, args->v = run.f32(in[2]) + at;
    args->decay = run.f32(in[3]), args->first = run.f32(in[4]);
  };
  return lower_channels(lowering, node, 64, bind, &KernelTable::wkv);  // four exponentials
}

Step lower_linear_scan(Lowering& lowering, const Node& node) {
  const auto bind = [](const Run& run, const std::vector<int>& in, int64_t at, LinearScanArgs* args) {
    args->a = run.f32(in[0]) + at, args->b = run.f32(in[2]) + at;
  };
  return lower_channels(lowering, node, 1, bind, &KernelTable::linear_scan);
}

namespace {

/// The places of a delta_rule node's tensors among the values.
struct DeltaRuleStep {
  std::vector<int> in;
  int out;
  std::string state;

  void run_all(Run& run) const;
  DeltaRuleArgs bind(Run& run, const RecurrentRow& row) const;
};

DeltaRuleArgs DeltaRuleStep::bind(Run& run, const RecurrentRow& row) const {
  const Dims &k = run.dims(in[2]), &v = run.dims(in[3]);
  DeltaRuleArgs args{
      .tokens = row.length, .heads = v[2], .groups = k[2], .key_dim = k[3], .value_dim = v[3], .state = row.state};
  const int64_t key = row.start * k[2] * k[3], value = row.start * v[2] * v[3], head = row.start * v[2];
  args.q = run.f32(in[0]) + key, args.k = run.f32(in[2]) + key;
  args.v = run.f32(in[3]) + value, args.y = run.f32(out) + value;
  args.decay = run.f32(in[4]) + head, args.rate = run.f32(in[5]) + head;
  return args;
}

/// A task is a row, a head and a block of its value's numbers, which do not depend on each other.
void DeltaRuleStep::run_all(Run& run) const {
  const Dims& v = run.dims(in[3]);
  const int64_t tokens = v[0] * v[1], columns = run.kernels.delta_columns, depth = run.dims(in[2])[3];
  const std::vector<RecurrentRow>& rows = run.recurrent_rows(in[1], tokens, state);
  clear_padding(rows, tokens, v[2] * v[3], run.f32(out));
  const int64_t blocks = blocks_of(v[3], columns), work = 4 * depth * std::min(v[3], columns);
  for_blocks(run, rows, v[2] * blocks, work, [&](const RecurrentRow& row, int64_t task, int worker) {
    const int64_t head = task / blocks, begin = task % blocks * columns;
    float* scratch = static_cast<float*>(run.scratch()) + worker * depth * columns;
    run.kernels.delta_rule(bind(run, row), head, begin, std::min(v[3], begin + columns), scratch);
  });
}

}  // namespace

Step lower_delta_rule(Lowering& lowering, const Node& node) {
  make_inputs_resident(lowering, node);
  const int64_t depth = *lowering.graph.info(node.inputs[2]).shape[3].constant();
  lowering.need_scratch(sizeof(float) * static_cast<size_t>(depth * lowering.kernels.delta_columns) *
                        static_cast<size_t>(lowering.pool.size()));
  const DeltaRuleStep step{node.inputs, node.outputs[0], state_name(node)};
  return [step](Run& run) { step.run_all(run); };
}

}  // namespace gamut::cpu
