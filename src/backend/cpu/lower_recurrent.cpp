// Steps of the recurrent operators: rows and blocks of channels are shared out over threads.
#include <algorithm>

#include "backend/cpu/lower.h"
#include "backend/cpu/recurrent_blocks.h"
#include "graph/op_schema.h"
#include "graph/state.h"
#include "ops/ssd_scan.h"

namespace gamut::cpu {
namespace {

/// The places of a scan's tensors among the values, and what does not change from run to run.
struct ScanStep {
  int x, rows, steps, a, b, c, d, out;
  ScanArgs fixed;
  int64_t heads = 1, groups = 1;
  std::string state;
  size_t scratch_bytes = 0;  // of one worker

  void operator()(Run& run) const;
  ScanArgs bind(const Run& run, const RecurrentRow& row, int64_t head) const;
};

ScanArgs ScanStep::bind(const Run& run, const RecurrentRow& row, int64_t head) const {
  ScanArgs args = fixed;
  args.tokens = row.length;
  args.stride = heads * args.width, args.b_stride = groups * args.numbers;
  args.x = run.f32(x) + row.start * args.stride + head * args.width;
  args.y = run.f32(out) + row.start * args.stride + head * args.width;
  const int64_t group = head / (heads / groups);
  args.b = run.f32(b) + row.start * args.b_stride + group * args.numbers;
  args.c = run.f32(c) + row.start * args.b_stride + group * args.numbers;
  args.steps_stride = args.by_lane ? args.width : heads;
  args.steps = run.f32(steps) + row.start * args.steps_stride + head;  // by lane there is one head
  args.a = run.f32(a) + head, args.d = run.f32(d) + head;
  if (row.state != nullptr) args.state = row.state + head * args.numbers * args.width;
  return args;
}

void ScanStep::operator()(Run& run) const {
  const int64_t tokens = run.dims(x)[0] * run.dims(x)[1], width = fixed.width;
  const std::vector<RecurrentRow>& all = run.recurrent_rows(rows, tokens, state);
  clear_padding(all, tokens, heads * width, run.f32(out));
  const int64_t blocks = (width + kRecurrentBlock - 1) / kRecurrentBlock, lanes = std::min(width, kRecurrentBlock);
  // A decay costs about as much as ten multiply-adds.
  const int64_t work = lanes * fixed.numbers * (fixed.by_lane ? 12 : 2);
  for_blocks(run, all, heads * blocks, work, [&](const RecurrentRow& row, int64_t task, int worker) {
    const int64_t block = task % blocks;
    void* scratch = static_cast<char*>(run.scratch()) + scratch_bytes * static_cast<size_t>(worker);
    const ScanArgs args = bind(run, row, task / blocks);
    run.kernels.scan(args, block * kRecurrentBlock, std::min(width, (block + 1) * kRecurrentBlock), scratch);
  });
}

/// What the two scans have in common.
ScanStep make_scan(Lowering& lowering, const Node& node, int64_t numbers) {
  const std::vector<int>& in = node.inputs;
  for (int value : in) lowering.make_resident(value);
  ScanStep step{in[0], in[1], in[2], in[3], in[4], in[5], in[6], node.outputs[0], {}};
  step.fixed.width = *lowering.graph.info(in[0]).shape.back().constant();
  step.fixed.numbers = numbers;
  step.state = state_name(node);
  step.scratch_bytes = (lowering.kernels.scan_scratch(numbers) + 63) / 64 * 64;
  lowering.need_scratch(step.scratch_bytes * static_cast<size_t>(lowering.pool.size()));
  return step;
}

}  // namespace

Step lower_causal_conv1d(Lowering& lowering, const Node& node) {
  const int x = node.inputs[0], table = node.inputs[1], weight = node.inputs[2], bias = input_or_none(node, 3);
  const int out = node.outputs[0];
  for (int value : node.inputs) lowering.make_resident(value);
  return [=, state = state_name(node)](Run& run) {
    const int64_t tokens = run.lines(x), channels = run.columns(x), taps = run.dims(weight)[0];
    const std::vector<RecurrentRow>& rows = run.recurrent_rows(table, tokens, state);
    clear_padding(rows, tokens, channels, run.f32(out));
    const int64_t blocks = (channels + kRecurrentBlock - 1) / kRecurrentBlock;
    for_blocks(run, rows, blocks, kRecurrentBlock * taps, [&](const RecurrentRow& row, int64_t block, int) {
      CausalConv1dArgs args{.tokens = row.length, .channels = channels, .taps = taps};
      args.x = run.f32(x) + row.start * channels, args.y = run.f32(out) + row.start * channels;
      args.weight = run.f32(weight), args.bias = bias >= 0 ? run.f32(bias) : nullptr;
      args.state = row.state;
      run.kernels.causal_conv1d(args, block * kRecurrentBlock, std::min(channels, (block + 1) * kRecurrentBlock));
    });
  };
}

Step lower_selective_scan(Lowering& lowering, const Node& node) {
  ScanStep step = make_scan(lowering, node, *lowering.graph.info(node.inputs[3]).shape[0].constant());
  step.fixed.by_lane = true;
  return step;
}

Step lower_ssd_scan(Lowering& lowering, const Node& node) {
  const Shape &x = lowering.graph.info(node.inputs[0]).shape, &b = lowering.graph.info(node.inputs[4]).shape;
  ScanStep step = make_scan(lowering, node, *b[3].constant());
  step.heads = *x[2].constant(), step.groups = *b[2].constant();
  step.fixed.least_step = static_cast<float>(node.attributes.num("least_step"));
  step.fixed.most_step = static_cast<float>(op::most_step(node));
  return step;
}

}  // namespace gamut::cpu
