#include "backend/openvino/fill.h"

#include <algorithm>
#include <array>

#include "backend/host_ops.h"
#include "backend/paged_state.h"
#include "base/error.h"
#include "graph/op_schema.h"
#include "graph/rows.h"
#include "ops/row_index.h"

namespace gamut::openvino {
namespace {

/// What is added to the score of a key that is not seen. Every query sees some key, if only itself, so that no softmax
/// runs over nothing and no NaN spreads from padding.
constexpr float kUnseen = -1e30f;

/// Row numbers or positions of the rows table, [B,S].
Tensor row_index(const Tensor& rows, const char* kind, const SymbolValues& symbols) {
  Node node;
  node.op = &op::kRowIndex;
  node.attributes = {{"kind", std::string(kind)}};
  Tensor result = Tensor::allocate(DType::kI64, {symbols.at(kBatch), symbols.at(kSequence)});
  const std::array inputs{HostTensor{rows.dtype(), &rows.dims(), const_cast<void*>(rows.data())}};
  run_core_op(node, inputs, {result.dtype(), &result.dims(), result.mutable_data()}, symbols);
  return result;
}

/// Tokens of earlier runs that stand before the fresh ones of a grid line: `count` of row `row`, from `first` on.
struct Past {
  int64_t row, first, count;
};

/// The past tokens of each line, and how long the longest is.
struct Pasts {
  std::vector<std::vector<Past>> lines;
  int64_t longest = 0;
};

/// `window`: see ModelInput::past.
Pasts find_pasts(const Tensor& rows, int64_t window, const FillRun& run) {
  const int64_t batch = run.symbols.at(kBatch), length = run.symbols.at(kSequence);
  Pasts pasts{.lines = std::vector<std::vector<Past>>(static_cast<size_t>(batch))};
  if (run.states.state == nullptr) return pasts;
  if (rows.dim(0) != static_cast<int64_t>(run.states.sequences.size())) {
    fail(ErrorCode::kInternal, "a run with states needs one sequence for each row");
  }
  std::vector<int64_t> lengths(pasts.lines.size());
  for (int64_t n = 0; n < rows.dim(0); ++n) {
    const RowPlace row = row_place(rows, n, batch * length);
    if (row.length == 0) continue;
    const int64_t past = run.states.state->length(run.states.sequences[static_cast<size_t>(n)]);
    const int64_t first = window > 0 ? std::max<int64_t>(0, past - window + 1) : 0;
    const auto line = static_cast<size_t>(row.start / length);
    pasts.lines[line].push_back({n, first, past - first});
    pasts.longest = std::max(pasts.longest, lengths[line] += past - first);
  }
  return pasts;
}

/// The tokens of one line, by row (-1 on padding) and position in the row.
struct Line {
  std::vector<int64_t> rows, positions;

  void add(int64_t row, int64_t position) {
    rows.push_back(row);
    positions.push_back(position);
  }
};

/// Queries and keys of a grid line: the fresh tokens are both, past ones keys before them.
struct LineTokens {
  Line queries, keys;

  bool sees(size_t query, size_t key, const ModelInput& mask) const {
    if (queries.rows[query] != keys.rows[key]) return false;
    if (!mask.causal) return true;
    const int64_t q = queries.positions[query], k = keys.positions[key];
    return k <= q && (mask.window == 0 || q < k + mask.window) && (mask.chunk == 0 || q / mask.chunk == k / mask.chunk);
  }
};

std::vector<LineTokens> find_tokens(const ModelInput& input, const FillRun& run) {
  const bool has_rows = !input.name.empty();
  const int64_t batch = has_rows ? run.symbols.at(kBatch) : 1, length = run.symbols.at(kSequence);
  Tensor numbers, positions;
  Pasts pasts{.lines = std::vector<std::vector<Past>>(static_cast<size_t>(batch))};
  if (has_rows) {
    const Tensor& rows = run.bound.at(input.name);
    numbers = row_index(rows, "row", run.symbols), positions = row_index(rows, "position", run.symbols);
    if (input.has_past) pasts = find_pasts(rows, input.past, run);
  }
  std::vector<LineTokens> lines(static_cast<size_t>(batch));
  for (size_t line = 0; line < lines.size(); ++line) {
    LineTokens& tokens = lines[line];
    for (const Past& past : pasts.lines[line]) {
      for (int64_t i = 0; i < past.count; ++i) tokens.keys.add(past.row, past.first + i);
    }
    while (static_cast<int64_t>(tokens.keys.rows.size()) < pasts.longest) tokens.keys.add(-2, 0);
    for (int64_t i = 0; i < length; ++i) {
      const size_t place = line * static_cast<size_t>(length) + static_cast<size_t>(i);
      const int64_t row = has_rows ? numbers.i64()[place] : 0;
      int64_t position = has_rows ? positions.i64()[place] : i;
      if (row >= 0 && input.has_past && run.states.state != nullptr) {
        position += run.states.state->length(run.states.sequences[static_cast<size_t>(row)]);
      }
      tokens.queries.add(row, position);
      tokens.keys.add(row, position);
    }
  }
  return lines;
}

/// True when every line has tokens of one row at most: then a key is seen by all queries of its line or by none.
bool has_one_row_per_line(const std::vector<LineTokens>& lines) {
  return std::ranges::all_of(lines, [](const LineTokens& line) {
    const std::vector<int64_t>& rows = line.queries.rows;
    const auto first = std::ranges::find_if(rows, [](int64_t row) { return row >= 0; });
    return std::all_of(first, rows.end(), [&](int64_t row) { return row < 0 || row == *first; });
  });
}

/// F32 [B,1,1,S]: one line of keys serves all queries. A line of padding alone sees itself.
Tensor key_mask(const std::vector<LineTokens>& lines) {
  const auto length = static_cast<int64_t>(lines.front().keys.rows.size());
  Tensor mask = Tensor::allocate(DType::kF32, {static_cast<int64_t>(lines.size()), 1, 1, length});
  float* to = mask.mutable_f32().data();
  for (const LineTokens& line : lines) {
    const bool is_padding = std::ranges::all_of(line.keys.rows, [](int64_t row) { return row < 0; });
    for (int64_t row : line.keys.rows) *to++ = row >= 0 || is_padding ? 0 : kUnseen;
  }
  return mask;
}

Tensor make_mask(const ModelInput& input, const FillRun& run) {
  const std::vector<LineTokens> lines = find_tokens(input, run);
  if (!lines.empty() && !input.name.empty() && !input.causal && has_one_row_per_line(lines)) return key_mask(lines);
  const int64_t length = run.symbols.at(kSequence);
  const auto keys = static_cast<int64_t>(lines.empty() ? 0 : lines.front().keys.rows.size());
  Tensor mask = Tensor::allocate(DType::kF32, {static_cast<int64_t>(lines.size()), 1, length, keys});
  float* to = mask.mutable_f32().data();
  for (const LineTokens& line : lines) {
    for (size_t q = 0; q < line.queries.rows.size(); ++q) {
      for (size_t k = 0; k < line.keys.rows.size(); ++k) *to++ = line.sees(q, k, input) ? 0 : kUnseen;
    }
  }
  return mask;
}

Tensor make_distances(const ModelInput& input, const FillRun& run) {
  const std::vector<LineTokens> lines = find_tokens(input, run);
  const int64_t length = run.symbols.at(kSequence);
  const auto keys = static_cast<int64_t>(lines.empty() ? 0 : lines.front().keys.rows.size());
  Tensor distances = Tensor::allocate(DType::kF32, {static_cast<int64_t>(lines.size()), 1, length, keys});
  float* to = distances.mutable_f32().data();
  for (const LineTokens& line : lines) {
    for (int64_t query : line.queries.positions) {
      for (int64_t key : line.keys.positions) *to++ = static_cast<float>(key - query);
    }
  }
  return distances;
}

/// Keys or values that the rows' sequences have from earlier runs; zeros where a line has fewer than the longest.
Tensor make_past(const ModelInput& input, const FillRun& run) {
  const auto spec = std::ranges::find(run.specs, input.state, &StateSpec::name);
  const int64_t width = input.fill == Fill::kPastKeys ? spec->key_dim : spec->value_dim;
  const Pasts pasts = find_pasts(run.bound.at(input.name), spec->window, run);
  Tensor tensor =
      Tensor::allocate(DType::kF32, {static_cast<int64_t>(pasts.lines.size()), spec->heads, pasts.longest, width});
  std::ranges::fill(tensor.mutable_f32(), 0.0f);
  if (pasts.longest == 0) return tensor;
  const auto& state = static_cast<const PagedState&>(*run.states.state);
  const PagedKv& kv = state.kv(input.state);
  float* line = tensor.mutable_f32().data();
  for (const std::vector<Past>& rows : pasts.lines) {
    float* to = line;
    for (const Past& past : rows) {
      const PagedState::Copy copy{past.first, past.count, pasts.longest};
      const int64_t sequence = run.states.sequences[static_cast<size_t>(past.row)];
      if (input.fill == Fill::kPastKeys) {
        state.read_keys(kv, sequence, copy, to);
      } else {
        state.read_values(kv, sequence, copy, to);
      }
      to += past.count * width;
    }
    line += spec->heads * pasts.longest * width;
  }
  return tensor;
}

Tensor make_state(const ModelInput& input, const FillRun& run) {
  const auto spec = std::ranges::find(run.specs, input.state, &StateSpec::name);
  const Tensor& rows = run.bound.at(input.name);
  Dims dims = spec->dims;
  dims.insert(dims.begin(), rows.dim(0));
  Tensor tensor = Tensor::allocate(DType::kF32, dims);
  std::ranges::fill(tensor.mutable_f32(), 0.0f);
  if (run.states.state == nullptr || rows.dim(0) == 0) return tensor;
  if (rows.dim(0) != static_cast<int64_t>(run.states.sequences.size())) {
    fail(ErrorCode::kInternal, "a run with states needs one sequence for each row");
  }
  const auto& state = static_cast<const PagedState&>(*run.states.state);
  const size_t count = tensor.f32().size() / static_cast<size_t>(rows.dim(0));
  float* to = tensor.mutable_f32().data();
  for (int64_t sequence : run.states.sequences) to = std::copy_n(state.recurrent(spec->name, sequence), count, to);
  return tensor;
}

/// I64 [N]. Outside the grid OpenVINO's gather finds zeros.
Tensor row_ends(const Tensor& rows, bool wants_last, const SymbolValues& symbols) {
  const int64_t tokens = symbols.at(kBatch) * symbols.at(kSequence);
  Tensor places = Tensor::allocate(DType::kI64, {rows.dim(0)});
  for (int64_t n = 0; n < rows.dim(0); ++n) {
    const RowPlace row = row_place(rows, n, tokens);
    places.mutable_i64()[n] = row.length == 0 ? tokens : wants_last ? row.start + row.length - 1 : row.start;
  }
  return places;
}

/// I64 [N,L], L being the longest row and at least 1, or its inverse [B,S].
Tensor row_tokens(const Tensor& rows, bool wants_inverse, const SymbolValues& symbols) {
  const Dims grid{symbols.at(kBatch), symbols.at(kSequence)};
  const int64_t tokens = grid[0] * grid[1], count = rows.dim(0);
  int64_t longest = 1;
  for (int64_t n = 0; n < count; ++n) longest = std::max(longest, row_place(rows, n, tokens).length);
  Tensor places = Tensor::allocate(DType::kI64, wants_inverse ? grid : Dims{count, longest});
  const auto to = places.mutable_i64();
  std::ranges::fill(to, wants_inverse ? count * longest : tokens);
  for (int64_t n = 0; n < count; ++n) {
    const RowPlace row = row_place(rows, n, tokens);
    for (int64_t i = 0; i < row.length; ++i) {
      const int64_t token = row.start + i, place = n * longest + i;
      to[static_cast<size_t>(wants_inverse ? token : place)] = wants_inverse ? place : token;
    }
  }
  return places;
}

}  // namespace

RowPlace row_place(const Tensor& rows, int64_t n, int64_t tokens) {
  const int64_t start = rows.i64()[static_cast<size_t>(2 * n)], length = rows.i64()[static_cast<size_t>(2 * n + 1)];
  if (start < 0 || length < 0 || start > tokens || length > tokens - start) {
    fail(ErrorCode::kInvalidArgument, "rows: row {} [{}, {}+{}) is outside {} tokens", n, start, start, length, tokens);
  }
  return {start, length};
}

Tensor make_input(const ModelInput& input, const FillRun& run) {
  switch (input.fill) {
    case Fill::kBound: return run.bound.at(input.name);
    case Fill::kRowNumbers: return row_index(run.bound.at(input.name), "row", run.symbols);
    case Fill::kRowPositions: return row_index(run.bound.at(input.name), "position", run.symbols);
    case Fill::kFirstTokens: return row_ends(run.bound.at(input.name), /*wants_last=*/false, run.symbols);
    case Fill::kLastTokens: return row_ends(run.bound.at(input.name), /*wants_last=*/true, run.symbols);
    case Fill::kRowTokens: return row_tokens(run.bound.at(input.name), /*wants_inverse=*/false, run.symbols);
    case Fill::kTokenLines: return row_tokens(run.bound.at(input.name), /*wants_inverse=*/true, run.symbols);
    case Fill::kMask: return make_mask(input, run);
    case Fill::kDistances: return make_distances(input, run);
    case Fill::kPastKeys:
    case Fill::kPastValues: return make_past(input, run);
    case Fill::kState: return make_state(input, run);
  }
  return {};
}

}  // namespace gamut::openvino
