#include "ops/experts.h"

#include "graph/op_case_builder.h"
#include "ops/binary.h"
#include "ops/concat.h"
#include "ops/gated.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/top_k_mask.h"
#include "ops/transpose.h"
#include "ops/unary.h"

namespace gamut {
namespace {

// Inputs of a node: x, shares, the biases or nothing, then the weights.
constexpr size_t kFirstWeight = 4;

bool is_stacked(const Node& node) { return node.attributes.b("stacked"); }

}  // namespace

ExpertsForm experts_form(const Node& node) {
  ExpertsForm form;
  form.activation = activation_kind(node);
  form.transposed = node.attributes.b("transposed"), form.interleaved = node.attributes.b("interleaved");
  form.limit = node.attributes.num("limit"), form.gain = node.attributes.num("gain");
  return form;
}

ExpertMatrices expert_matrices(const Node& node, int64_t expert) {
  const int* const weights = node.inputs.data() + kFirstWeight;
  if (is_stacked(node)) return {weights[0], weights[0], weights[1], true};
  return {weights[3 * expert], weights[3 * expert + 1], weights[3 * expert + 2]};
}

namespace op {
namespace {

void require_matrix(InferContext& c, size_t index, const Shape& expected) {
  c.require_dtype(index, DType::kF32);
  if (c.rank(index) != static_cast<int>(expected.size())) c.fail("a weight has another rank");
  for (size_t i = 0; i < expected.size(); ++i) c.require_equal(c.shape(index)[i], expected[i], "weights of experts");
}

void infer_stacked(InferContext& c, const Extent& experts, const Extent& width) {
  if (c.input_count() != kFirstWeight + 2 || c.rank(4) != 3) c.fail("expected stacked weights [E,..,..]");
  const bool transposed = c.attributes().b("transposed");
  const auto lines = c.shape(4)[transposed ? 2 : 1].constant();
  if (!lines || *lines % 2 != 0) c.fail("gate and up have an even number of outputs together");
  const Extent both = *lines, inner = *lines / 2;
  require_matrix(c, 4, transposed ? Shape{experts, width, both} : Shape{experts, both, width});
  require_matrix(c, 5, transposed ? Shape{experts, inner, width} : Shape{experts, width, inner});
  if (c.has(2)) require_matrix(c, 2, {experts, both});
  if (c.has(3)) require_matrix(c, 3, {experts, width});
}

void infer(InferContext& c) {
  for (size_t i : {0, 1}) {
    c.require_dtype(i, DType::kF32);
    if (c.rank(i) != 3) c.fail("expected x [B,S,D] and shares [B,S,E]");
  }
  for (int axis : {0, 1}) c.require_equal(c.shape(0)[axis], c.shape(1)[axis], "tokens of x and shares");
  const Extent width = c.shape(0)[2], experts = c.shape(1)[2];
  if (!width.constant() || !experts.constant() || *experts.constant() < 1) c.fail("expected at least one expert");
  if (c.attributes().b("stacked")) {
    infer_stacked(c, experts, width);
  } else {
    if (c.has(2) || c.has(3)) c.fail("biases stand with stacked weights");
    const auto count = static_cast<size_t>(*experts.constant());
    if (c.input_count() != kFirstWeight + 3 * count) c.fail("expected three weights of each expert");
    if (c.rank(4) != 2) c.fail("expected weights [I,D]");
    const Extent inner = c.shape(4)[0];
    if (!inner.constant()) c.fail("expected weights of constant extents");
    for (size_t i = 0; i < count; ++i) {
      require_matrix(c, 4 + 3 * i, {inner, width});
      require_matrix(c, 5 + 3 * i, {inner, width});
      require_matrix(c, 6 + 3 * i, {width, inner});
    }
  }
  c.output(DType::kF32, c.shape(0));
}

/// [E,..,..] of matrices, each of its own.
Value stack(const std::vector<Value>& matrices) {
  std::vector<Value> layers;
  for (const Value& matrix : matrices) {
    const Extent lines = matrix.extent(0), columns = matrix.extent(1);
    layers.push_back(reshape(matrix, {1, lines, columns}));
  }
  return concat(layers, 0);
}

/// The weights of a node as stacked ones.
ExpertWeights stacked(const Node& node, std::span<const Value> inputs) {
  if (is_stacked(node)) return {inputs[4], inputs[5], {}, {}, {}, inputs[2], inputs[3]};
  std::vector<Value> parts[3];
  for (size_t i = kFirstWeight; i < inputs.size(); ++i) parts[(i - kFirstWeight) % 3].push_back(inputs[i]);
  const Value gate = stack(parts[0]), up = stack(parts[1]);
  return {concat({gate, up}, 1), stack(parts[2]), {}, {}, {}, {}, {}};
}

/// gate and up [B,E,S,I] apart, and together again.
Value gate_up(const ExpertsForm& form, Value both) {
  Graph& g = *both.graph;
  Shape shape(both.shape().begin(), both.shape().end());
  const Extent inner = floor_div(shape[3], 2);
  auto part = [&](int64_t which) {
    if (!form.interleaved) return slice(both, 3, which * inner, inner);
    Shape half = shape;
    half[3] = inner;
    return reshape(slice(split_heads(both, 2), 4, which, 1), half);
  };
  Value gate = part(0), up = part(1);
  if (form.limit <= 0) return gated(form.activation, gate, up);
  const Value limit = g.scalar(static_cast<float>(form.limit)), least = g.scalar(-static_cast<float>(form.limit));
  gate = binary(BinaryKind::kMin, gate, limit);
  up = binary(BinaryKind::kMax, binary(BinaryKind::kMin, up, limit), least);
  return (up + 1.0f) * (gate * unary(UnaryKind::kSigmoid, gate * static_cast<float>(form.gain)));
}

/// Every expert on all tokens.
Value decompose(Graph&, const Node& node, std::span<const Value> inputs) {
  const ExpertsForm form = experts_form(node);
  const ExpertWeights weights = stacked(node, inputs);
  const Shape shape(inputs[0].shape().begin(), inputs[0].shape().end());
  const Extent count = inputs[1].extent(2);
  auto add_bias = [&](Value y, Value bias) {
    if (!bias) return y;
    const Extent width = bias.extent(1);
    return y + reshape(bias, {1, count, 1, width});
  };
  const Value x = reshape(inputs[0], {shape[0], 1, shape[1], shape[2]});
  const Value both = add_bias(matmul(x, weights.gate_up, !form.transposed), weights.gate_up_bias);
  Value y = add_bias(matmul(gate_up(form, both), weights.down, !form.transposed), weights.down_bias);
  const Value shares = reshape(transpose(inputs[1], {0, 2, 1}), {shape[0], count, shape[1], 1});
  return reshape(reduce(ReduceKind::kSum, y * shares, {1}), shape);
}

struct CaseSize {
  const char* name;
  int64_t tokens, experts, k, width, inner;
  bool stacked = true, biases = false;
  ExpertsForm form = {};
};

const CaseSize kCases[] = {
    {"one", 1, 1, 1, 3, 2},
    {"stacked", 9, 4, 2, 12, 7},
    {"each", 9, 4, 2, 12, 7, false},
    {"each_one", 3, 1, 1, 5, 6, false, false, {.activation = ActivationKind::kGeluTanh}},
    {"unasked", 3, 12, 1, 20, 33, false},
    {"long", 150, 3, 2, 40, 70, true, false, {.activation = ActivationKind::kRelu}},
    {"biases", 21, 5, 3, 18, 16, true, true},
    {"clamped", 21, 5, 3, 18, 11, true, true, {.transposed = true, .interleaved = true, .limit = 1.25, .gain = 1.7}},
    {"interleaved", 6, 3, 2, 8, 19, true, false, {.interleaved = true}},
    {"transposed", 33, 3, 2, 17, 40, true, true, {.transposed = true}},
    {"rare_activation", 4, 2, 1, 8, 6, true, false, {.activation = ActivationKind::kRelu2}},
};

OpCase make_case(const CaseSize& size) {
  CaseBuilder b(std::string("experts_") + size.name);
  const int64_t count = size.experts, d = size.width, i = size.inner;
  const Value x = b.f32("x", {1, size.tokens, d});
  const Value logits = b.f32("logits", {1, size.tokens, count});
  const Value shares = logits * top_k_mask(logits, size.k);
  ExpertWeights weights;
  if (size.stacked) {
    weights.gate_up = b.weight("gate_up", size.form.transposed ? Dims{count, d, 2 * i} : Dims{count, 2 * i, d});
    weights.down = b.weight("down", size.form.transposed ? Dims{count, i, d} : Dims{count, d, i});
  }
  for (int64_t e = 0; e < count && !size.stacked; ++e) {
    weights.gates.push_back(b.weight(fmt::format("gate_{}", e), {i, d}));
    weights.ups.push_back(b.weight(fmt::format("up_{}", e), {i, d}));
    weights.downs.push_back(b.weight(fmt::format("down_{}", e), {d, i}));
  }
  if (size.biases) weights.gate_up_bias = b.weight("gate_up_bias", {count, 2 * i});
  if (size.biases) weights.down_bias = b.weight("down_bias", {count, d});
  return b.finish(experts(x, shares, weights, size.form), 2e-5);
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (const CaseSize& size : kCases) all.push_back(make_case(size));
  CaseBuilder inputs("experts_no_weights");
  ExpertWeights weights{inputs.f32("gate_up", {3, 10, 6}), inputs.f32("down", {3, 6, 5}), {}, {}, {}, {}, {}};
  all.push_back(inputs.finish(experts(inputs.f32("x", {2, 4, 6}), inputs.f32("shares", {2, 4, 3}), weights)));
  return all;
}

}  // namespace

const OpSchema kExperts{.name = "experts",
                        .op_class = OpClass::kComposed,
                        .min_inputs = 2,
                        .max_inputs = -1,
                        .infer = infer,
                        .decompose = decompose,
                        .keeps_tokens = always_keeps_tokens,
                        .cases = cases};

Value experts(Value x, Value shares, const ExpertWeights& weights, const ExpertsForm& form) {
  std::vector<Value> inputs{x, shares, weights.gate_up_bias, weights.down_bias};
  Attributes attributes{{"activation", std::string(activation_name(form.activation))}};
  if (weights.gate_up) {
    attributes.set("stacked", true);
    inputs.push_back(weights.gate_up), inputs.push_back(weights.down);
  }
  for (size_t i = 0; i < weights.gates.size(); ++i) {
    for (const std::vector<Value>* matrices : {&weights.gates, &weights.ups, &weights.downs}) {
      inputs.push_back(matrices->at(i));
    }
  }
  if (form.transposed) attributes.set("transposed", true);
  if (form.interleaved) attributes.set("interleaved", true);
  if (form.limit > 0) attributes.set("limit", form.limit), attributes.set("gain", form.gain);
  return x.graph->add(kExperts, inputs, std::move(attributes));
}

}  // namespace op
}  // namespace gamut
