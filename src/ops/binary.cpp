#include "ops/binary.h"

#include <algorithm>
#include <cmath>

#include "graph/op_case_builder.h"
#include "ops/cast.h"
#include "ops/kind_of.h"

namespace gamut {
namespace {

constexpr std::string_view kNames[] = {"add", "sub", "mul", "div", "max", "min", "pow"};

void infer(InferContext& c) {
  c.require_dtype(1, c.dtype(0));
  if (c.dtype(0) != DType::kF32 && c.dtype(0) != DType::kI64) c.fail("expected F32 or I64");
  c.output(c.dtype(0), broadcast_shape(c, 0, 1));
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  struct Pair {
    const char* name;
    Dims a, b;
  };
  const Pair pairs[] = {{"same", {4, 37}, {4, 37}},      {"row", {4, 37}, {37}},          {"column", {4, 37}, {4, 1}},
                        {"scalar", {4, 37}, {}},         {"outer", {5, 1, 3}, {1, 4, 3}}, {"left", {37}, {2, 3, 37}},
                        {"middle", {2, 1, 8}, {2, 6, 8}}};
  for (size_t kind = 0; kind < std::size(kNames); ++kind) {
    for (const Pair& pair : pairs) {
      CaseBuilder b("binary_" + std::string(kNames[kind]) + "_" + pair.name);
      const bool positive = kNames[kind] == "div" || kNames[kind] == "pow";
      Value x = b.f32("a", pair.a, positive ? 0.1f : -2.0f, 2);
      Value y = b.f32("b", pair.b, positive ? 0.5f : -2.0f, 2);
      all.push_back(b.finish(op::binary(static_cast<BinaryKind>(kind), x, y)));
    }
  }
  CaseBuilder b("binary_add_i64");
  all.push_back(b.finish(op::cast(b.ids("a", {3, 5}, 100) + b.ids("b", {5}, 100), DType::kF32)));
  return all;
}

}  // namespace

Shape broadcast_shape(InferContext& c, size_t first, size_t second) {
  const Shape &a = c.shape(first), &b = c.shape(second);
  const size_t rank = std::max(a.size(), b.size());
  Shape out(rank);
  for (size_t i = 0; i < rank; ++i) {
    const Extent x = i + a.size() >= rank ? a[i + a.size() - rank] : Extent(1);
    const Extent y = i + b.size() >= rank ? b[i + b.size() - rank] : Extent(1);
    if (x == Extent(1)) out[i] = y;
    else if (y == Extent(1)) out[i] = x;
    else c.require_equal(x, y, "extents that broadcast"), out[i] = x;
  }
  return out;
}

namespace op {

const OpSchema kBinary{.name = "binary",
                       .min_inputs = 2,
                       .max_inputs = 2,
                       .infer = infer,
                       .keeps_tokens = always_keeps_tokens,
                       .cases = cases};

Value binary(BinaryKind kind, Value a, Value b) {
  return a.graph->add(kBinary, {a, b}, {{"kind", std::string(binary_name(kind))}});
}

}  // namespace op

Value operator+(Value a, Value b) { return op::binary(BinaryKind::kAdd, a, b); }
Value operator-(Value a, Value b) { return op::binary(BinaryKind::kSub, a, b); }
Value operator*(Value a, Value b) { return op::binary(BinaryKind::kMul, a, b); }
Value operator/(Value a, Value b) { return op::binary(BinaryKind::kDiv, a, b); }
Value operator+(Value a, float b) { return a + a.graph->scalar(b); }
Value operator*(Value a, float b) { return a * a.graph->scalar(b); }

std::string_view binary_name(BinaryKind kind) { return kNames[static_cast<size_t>(kind)]; }

BinaryKind binary_kind(const Node& node) { return kind_of<BinaryKind>("binary", node, kNames); }

double apply_binary(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::kAdd: return a + b;
    case BinaryKind::kSub: return a - b;
    case BinaryKind::kMul: return a * b;
    case BinaryKind::kDiv: return a / b;
    // A NaN on either side stays, as in PyTorch.
    case BinaryKind::kMax: return std::isnan(a) || a > b ? a : b;
    case BinaryKind::kMin: return std::isnan(a) || a < b ? a : b;
    case BinaryKind::kPow: return std::pow(a, b);
  }
  return a;
}

}  // namespace gamut
