// Steps of the recurrent operators: rows and blocks of channels are shared out over threads.
#include <algorithm>

#include "backend/cpu/lower.h"
#include "graph/op_schema.h"
#include "graph/state.h"

namespace gamut::cpu {
namespace {

/// Channels of one task, a multiple of every vector.
constexpr int64_t kBlock = 64;
/// Tasks with fewer multiply-adds than this are not worth waking a thread for.
constexpr int64_t kWorthAThread = 1 << 14;

/// Zeros the lines of y [tokens, width] that no row has.
void clear_padding(const std::vector<RecurrentRow>& rows, int64_t tokens, int64_t width, float* y) {
  int64_t end = 0;
  for (const RecurrentRow& row : rows) {
    std::fill(y + end * width, y + row.start * width, 0.0f);
    end = row.start + row.length;
  }
  std::fill(y + end * width, y + tokens * width, 0.0f);
}

/// Calls fn(row, block) for each row that has tokens and each block; `work`: multiply-adds of one block and token.
template <typename F>
void for_blocks(Run& run, const std::vector<RecurrentRow>& rows, int64_t tokens, int64_t blocks, int64_t work, F fn) {
  const auto count = static_cast<int64_t>(rows.size());
  if (count == 0) return;
  const int64_t each = std::max<int64_t>(1, work * tokens / count);
  run.pool.run_ranges(count * blocks, std::max<int64_t>(1, kWorthAThread / each), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const RecurrentRow& row = rows[static_cast<size_t>(task / blocks)];
      if (row.length > 0) fn(row, task % blocks);
    }
  });
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
    const int64_t blocks = (channels + kBlock - 1) / kBlock;
    for_blocks(run, rows, tokens, blocks, kBlock * taps, [&](const RecurrentRow& row, int64_t block) {
      CausalConv1dArgs args{.tokens = row.length, .channels = channels, .taps = taps};
      args.x = run.f32(x) + row.start * channels, args.y = run.f32(out) + row.start * channels;
      args.weight = run.f32(weight), args.bias = bias >= 0 ? run.f32(bias) : nullptr;
      args.state = row.state;
      run.kernels.causal_conv1d(args, block * kBlock, std::min(channels, (block + 1) * kBlock));
    });
  };
}

}  // namespace gamut::cpu
