// Steps of the recurrent operators: rows and blocks of channels are shared out over threads.
#include <algorithm>

#include "backend/cpu/lower.h"
#include "backend/cpu/recurrent_blocks.h"
#include "graph/op_schema.h"
#include "graph/state.h"

namespace gamut::cpu {
Step lower_causal_conv1d(Lowering& lowering, const Node& node) {
  const int x = node.inputs[0], table = node.inputs[1], weight = node.inputs[2], bias = input_or_none(node, 3);
  const int out = node.outputs[0];
  for (int value : node.inputs) lowering.make_resident(value);
  return [=, state = state_name(node)](Run& run) {
    const int64_t tokens = run.lines(x), channels = run.columns(x), taps = run.dims(weight)[0];
    const std::vector<RecurrentRow>& rows = run.recurrent_rows(table, tokens, state);
    clear_padding(rows, tokens, channels, run.f32(out));
    const int64_t blocks = (channels + kRecurrentBlock - 1) / kRecurrentBlock;
    for_blocks(run, rows, tokens, blocks, kRecurrentBlock * taps, [&](const RecurrentRow& row, int64_t block) {
      CausalConv1dArgs args{.tokens = row.length, .channels = channels, .taps = taps};
      args.x = run.f32(x) + row.start * channels, args.y = run.f32(out) + row.start * channels;
      args.weight = run.f32(weight), args.bias = bias >= 0 ? run.f32(bias) : nullptr;
      args.state = row.state;
      run.kernels.causal_conv1d(args, block * kRecurrentBlock, std::min(channels, (block + 1) * kRecurrentBlock));
    });
  };
}

}  // namespace gamut::cpu
