#include "graph/op_case_builder.h"

#include <random>

namespace gamut {
namespace {

/// mt19937 is specified to the bit, its distributions are not: values are made from its words by hand.
std::mt19937 generator(const std::string& a, const std::string& b) {
  const std::string text = a + "/" + b;
  std::seed_seq seed(text.begin(), text.end());
  return std::mt19937(seed);
}

}  // namespace

CaseBuilder::CaseBuilder(const std::string& name) : case_{name, Graph(name), {}, {}} {}

Tensor CaseBuilder::random(const std::string& name, const Dims& dims, float low, float high) const {
  Tensor tensor = Tensor::allocate(DType::kF32, dims);
  std::mt19937 words = generator(case_.name, name);
  for (float& value : tensor.mutable_f32()) {
    value = low + (high - low) * static_cast<float>(words() >> 8) / static_cast<float>(1 << 24);
  }
  return tensor;
}

Value CaseBuilder::f32(const std::string& name, const Dims& dims, float low, float high, Shape shape) {
  case_.inputs[name] = random(name, dims, low, high);
  return case_.graph.input(name, DType::kF32, shape.empty() ? to_shape(dims) : std::move(shape));
}

Value CaseBuilder::ids(const std::string& name, const Dims& dims, int64_t limit, Shape shape) {
  Tensor tensor = Tensor::allocate(DType::kI64, dims);
  std::mt19937 words = generator(case_.name, name);
  for (int64_t& value : tensor.mutable_i64()) value = static_cast<int64_t>(words() % static_cast<uint64_t>(limit));
  case_.inputs[name] = tensor;
  return case_.graph.input(name, DType::kI64, shape.empty() ? to_shape(dims) : std::move(shape));
}

Value CaseBuilder::weight(const std::string& name, const Dims& dims, float low, float high) {
  case_.weights[name] = random(name, dims, low, high);
  return case_.graph.weight(name, DType::kF32, dims);
}

Value CaseBuilder::codes(const std::string& name, const Dims& dims, DType dtype, int bits) {
  Tensor tensor = Tensor::allocate(dtype, dims);
  std::mt19937 words = generator(case_.name, name);
  const int lowest = dtype == DType::kI8 ? -(1 << (bits - 1)) : 0;
  for (int64_t i = 0; i < tensor.count(); ++i) {
    const int code = lowest + static_cast<int>(words() >> (32 - bits));
    static_cast<uint8_t*>(tensor.mutable_data())[i] = static_cast<uint8_t>(code);
  }
  case_.weights[name] = tensor;
  return case_.graph.weight(name, dtype, dims);
}

Rows CaseBuilder::rows(const RowTable& table) {
  case_.inputs["rows"] = table.to_tensor();
  return Rows::input(case_.graph);
}

Value CaseBuilder::tokens(const std::string& name, const RowTable& table, const Dims& tail) {
  Dims dims{table.batch, table.sequence};
  Shape shape{Extent::symbol(kBatch), Extent::symbol(kSequence)};
  dims.insert(dims.end(), tail.begin(), tail.end());
  shape.insert(shape.end(), tail.begin(), tail.end());
  return f32(name, dims, -2, 2, shape);
}

OpCase CaseBuilder::finish(Value result, double tolerance) {
  case_.graph.set_output("y", result);
  case_.tolerance = tolerance;
  return std::move(case_);
}

}  // namespace gamut
