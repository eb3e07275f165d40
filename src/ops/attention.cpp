#include "ops/attention.h"

#include <cmath>
#include <limits>

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/broadcast.h"
#include "ops/cast.h"
#include "ops/compare.h"
#include "ops/concat.h"
#include "ops/iota.h"
#include "ops/matmul.h"
#include "ops/reshape.h"
#include "ops/row_index.h"
#include "ops/select.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/transpose.h"
#include "ops/unary.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  for (size_t i : {0, 1, 2}) {
    c.require_dtype(i, DType::kF32);
    if (c.rank(i) != 4) c.fail("expected q, k, v as [B,S,heads,head_dim]");
  }
  const Shape &q = c.shape(0), &k = c.shape(1), &v = c.shape(2);
  for (int axis : {0, 1}) {
    c.require_equal(q[axis], k[axis], "tokens of q and k");
    c.require_equal(k[axis], v[axis], "tokens of k and v");
  }
  c.require_equal(q[3], k[3], "head_dim of q and k");
  c.require_equal(k[2], v[2], "heads of k and v");
  const auto heads = q[2].constant(), groups = k[2].constant();
  if (!heads || !groups || *groups == 0 || *heads % *groups != 0) c.fail("heads of q must be a multiple of those of k");
  if (c.has(3)) c.require_dtype(3, DType::kI64);
  if (c.has(4)) {
    c.require_dtype(4, DType::kF32);
    if (c.rank(4) != 3) c.fail("expected bias [H,S,S]");
    if (!(c.shape(4)[0] == Extent(1))) c.require_equal(c.shape(4)[0], q[2], "heads of the bias");
    for (int axis : {1, 2}) c.require_equal(c.shape(4)[axis], q[1], "tokens of the bias");
  }
  for (size_t i : {5, 6}) {
    if (!c.has(i)) continue;
    c.require_dtype(i, DType::kF32);
    if (c.rank(i) != 1) c.fail("expected sinks and slopes [H]");
    c.require_equal(c.shape(i)[0], q[2], "heads of sinks or slopes");
  }
  if (c.has(6) && !c.has(3)) c.fail("slopes need rows");
  c.output(DType::kF32, {q[0], q[1], q[2], v[3]});
}

/// k or v [B,S,G,D] -> [B,H,S,D], each group's head repeated for the H/G heads of q that share it.
Value spread_groups(Value x, int64_t heads) {
  Value y = transpose(x, {0, 2, 1, 3});
  const int64_t groups = *y.extent(1).constant();
  if (groups == heads) return y;
  const Shape shape = y.shape();
  y = reshape(y, {shape[0], groups, 1, shape[2], shape[3]});
  y = broadcast(y, {shape[0], groups, heads / groups, shape[2], shape[3]});
  return reshape(y, {shape[0], heads, shape[2], shape[3]});
}

/// BOOL [B,1,S,S] or [1,1,S,S]: which keys each query sees; absent when it sees all.
Value visible_keys(Graph& g, const Node& node, const Rows* rows, const Extent& sequence) {
  auto as_query = [&](Value x) { return reshape(x, {x.extent(0), 1, sequence, 1}); };
  auto as_key = [&](Value x) { return reshape(x, {x.extent(0), 1, 1, sequence}); };
  Value seen;
  if (rows != nullptr) {
    Value numbers = row_numbers(*rows);
    seen = compare(CompareKind::kEqual, as_query(numbers), as_key(numbers));
  }
  if (!node.attributes.b("causal")) return seen;
  Value positions = rows != nullptr ? row_positions(*rows) : reshape(iota(g, sequence), {1, sequence});
  Value past = compare(CompareKind::kLessEqual, as_key(positions), as_query(positions));
  if (const int64_t window = node.attributes.i("window"); window > 0) {
    Value near = compare(CompareKind::kLess, as_query(positions), as_key(positions) + g.scalar(window));
    past = logical_and(past, near);
  }
  if (const int64_t chunk = node.attributes.i("chunk"); chunk > 0) {
    // Half a token more, so that a backend may multiply by the reciprocal.
    auto number = [&](Value x) {
      return unary(UnaryKind::kFloor, (cast(x, DType::kF32) + 0.5f) / g.scalar(static_cast<float>(chunk)));
    };
    past = logical_and(past, compare(CompareKind::kEqual, number(as_key(positions)), number(as_query(positions))));
  }
  return seen ? logical_and(seen, past) : past;
}

/// F32 [B,H,S,S]: each head's slope times how far behind the query a key stands, as a negative number.
Value distances(const Rows& rows, Value slopes) {
  const Value positions = cast(row_positions(rows), DType::kF32);
  Shape key = positions.shape();
  key = {key[0], 1, 1, key[1]};
  const Shape query{key[0], 1, key[3], 1};
  const Value behind = reshape(positions, key) - reshape(positions, query);
  return behind * reshape(slopes, {1, slopes.extent(0), 1, 1});
}

/// softmax over the keys and one score more per head, which is then dropped.
Value softmax_with_sinks(Value scores, Value sinks) {
  const Shape shape(scores.shape().begin(), scores.shape().end());  // a copy: values move while the graph grows
  Value last = broadcast(reshape(sinks, {1, shape[1], 1, 1}), {shape[0], shape[1], shape[2], 1});
  return slice(softmax(concat({scores, last}, 3)), 3, 0, shape[3]);
}

Value decompose(Graph& g, const Node& node, std::span<const Value> inputs) {
  auto input = [&](size_t i) { return i < inputs.size() ? inputs[i] : Value{}; };
  const int64_t heads = *inputs[0].extent(2).constant();
  Value q = transpose(inputs[0], {0, 2, 1, 3});
  Value k = spread_groups(inputs[1], heads), v = spread_groups(inputs[2], heads);
  Value scores = matmul(q, k, /*transpose_b=*/true) * static_cast<float>(node.attributes.num("scale"));
  if (const auto cap = static_cast<float>(node.attributes.num("softcap")); cap > 0) {
    scores = unary(UnaryKind::kTanh, scores * (1 / cap)) * cap;
  }
  if (input(4)) scores = scores + input(4);
  Rows rows{input(3)};
  if (input(6)) scores = scores + distances(rows, input(6));
  Value seen = visible_keys(g, node, input(3) ? &rows : nullptr, inputs[0].extent(1));
  if (seen) scores = select(seen, scores, g.scalar(std::numeric_limits<float>::lowest()));
  return transpose(matmul(input(5) ? softmax_with_sinks(scores, input(5)) : softmax(scores), v), {0, 2, 1, 3});
}

StateSpec state(const Graph& graph, const Node& node) {
  const Shape &k = graph.info(node.inputs[1]).shape, &v = graph.info(node.inputs[2]).shape;
  StateSpec spec;
  spec.kind = StateKind::kKv;
  spec.heads = *k[2].constant(), spec.key_dim = *k[3].constant(), spec.value_dim = *v[3].constant();
  // A chunk's queries see no more than a window of its size does.
  spec.window = node.attributes.i("window", node.attributes.i("chunk"));
  return spec;
}

/// Only with rows does attention know where a sequence ends; a bias is laid out for one sequence.
bool keeps_tokens(const Graph&, const Node& node) {
  return node.inputs.size() > 3 && node.inputs[3] >= 0 && (node.inputs.size() <= 4 || node.inputs[4] < 0);
}

struct CaseSize {
  const char* name;
  int64_t heads, groups, head_dim, value_dim;
  std::vector<int64_t> lengths;
  bool packed, causal;
  int64_t window, chunk = 0;
  double softcap = 0;
  bool sinks = false, slopes = false;
};

const CaseSize kCases[] = {
    {"one", 1, 1, 1, 1, {1}, true, false, 0},
    {"packed", 3, 3, 16, 16, {5, 1, 9, 2}, true, false, 0},
    {"padded", 3, 3, 16, 16, {5, 1, 9, 2}, false, false, 0},
    {"odd_heads", 2, 2, 7, 7, {33, 4}, true, false, 0},
    {"long", 2, 2, 32, 32, {257, 70}, true, false, 0},
    {"causal", 2, 2, 8, 8, {40, 3}, true, true, 0},
    {"window", 2, 2, 8, 8, {70, 13}, true, true, 5},
    {"groups", 6, 2, 8, 8, {17, 20}, true, true, 0},
    {"value_dim", 2, 1, 8, 5, {12, 65}, true, false, 0},
    {"chunk", 2, 1, 8, 8, {70, 13}, true, true, 0, 9},
    {"softcap", 2, 2, 8, 8, {20, 3}, true, true, 0, 0, 2.5},
    {"sinks", 4, 2, 8, 8, {70, 1}, true, true, 6, 0, 0, true},
    {"slopes", 3, 3, 8, 8, {70, 5}, true, true, 0, 0, 0, false, true},
    {"slopes_padded", 4, 1, 8, 8, {7, 5}, false, true, 0, 0, 0, false, true},
    {"all", 4, 2, 12, 8, {40, 66}, true, true, 7, 0, 3, true, true},
};

/// One case; tokens on padding are not compared, so padded cases compare through a mask of real tokens.
OpCase make_case(const CaseSize& size) {
  const RowTable table = size.packed ? RowTable::packed(size.lengths) : RowTable::padded(size.lengths);
  CaseBuilder b(std::string("attention_") + size.name);
  const Rows rows = b.rows(table);
  Value q = b.tokens("q", table, {size.heads, size.head_dim});
  Value k = b.tokens("k", table, {size.groups, size.head_dim});
  Value v = b.tokens("v", table, {size.groups, size.value_dim});
  AttentionOptions options{.mask = {rows, size.causal, size.window, size.chunk}, .softcap = size.softcap};
  if (size.sinks) options.sinks = b.f32("sinks", {size.heads});
  if (size.slopes) options.slopes = b.f32("slopes", {size.heads}, 0, 1);
  Value y = attention(q, k, v, options);
  Value is_token = compare(CompareKind::kLessEqual, b.graph().scalar(int64_t{0}), row_numbers(rows));
  const Shape grid = is_token.shape();
  is_token = reshape(is_token, {grid[0], grid[1], 1, 1});
  return b.finish(select(is_token, y, b.graph().scalar(0.0f)));
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (const CaseSize& size : kCases) all.push_back(make_case(size));
  CaseBuilder dense("attention_without_rows");
  Value q = dense.f32("q", {2, 9, 3, 8}), k = dense.f32("k", {2, 9, 3, 8}), v = dense.f32("v", {2, 9, 3, 8});
  all.push_back(dense.finish(attention(q, k, v, {.scale = 0.7, .bias = dense.f32("bias", {3, 9, 9})})));
  return all;
}

}  // namespace

const OpSchema kAttention{.name = "attention",
                          .op_class = OpClass::kComposed,
                          .min_inputs = 3,
                          .max_inputs = 7,
                          .infer = infer,
                          .decompose = decompose,
                          .keeps_tokens = keeps_tokens,
                          .cases = cases,
                          .state = state};

Value attention(Value q, Value k, Value v, const AttentionOptions& options) {
  double scale = options.scale;
  if (scale == 0) scale = 1.0 / std::sqrt(static_cast<double>(q.extent(-1).constant().value_or(1)));
  Attributes attributes{{"scale", scale}};
  if (options.mask.causal) attributes.set("causal", true);
  if (options.mask.window > 0) attributes.set("window", options.mask.window);
  if (options.mask.chunk > 0) attributes.set("chunk", options.mask.chunk);
  if (options.softcap > 0) attributes.set("softcap", options.softcap);
  if (!options.state.empty()) attributes.set("state", options.state);
  const Value rows = options.mask.rows ? options.mask.rows->table : Value{};
  std::vector<Value> inputs{q, k, v, rows, options.bias, options.sinks, options.slopes};
  while (!inputs.back()) inputs.pop_back();
  return q.graph->add(kAttention, inputs, std::move(attributes));
}

}  // namespace gamut::op
