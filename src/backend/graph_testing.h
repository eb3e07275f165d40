// For tests: graphs over literal tensors, run on a backend by name.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "gamut/error.h"
#include "graph/rows.h"

namespace gamut::test {

inline Tensor f32(const Dims& dims, const std::vector<float>& values) {
  return Tensor::from(dims, std::span<const float>(values));
}
inline Tensor i64(const Dims& dims, const std::vector<int64_t>& values) {
  return Tensor::from(dims, std::span<const int64_t>(values));
}

/// A graph, the tensors that its inputs and weights have, and how to run it.
struct Sample {
  Graph graph{"sample"};
  NamedTensors inputs, weights;

  /// An input with these values, of the tensor's shape or of `shape`.
  Value in(const Tensor& tensor, Shape shape = {}) {
    const std::string name = "x" + std::to_string(inputs.size());
    inputs[name] = tensor;
    return graph.input(name, tensor.dtype(), shape.empty() ? to_shape(tensor.dims()) : std::move(shape));
  }
  Value weight(const std::string& name, const Tensor& tensor) {
    weights[name] = tensor;
    return graph.weight(name, tensor.dtype(), tensor.dims());
  }
  Rows rows(const RowTable& table) {
    inputs["rows"] = table.to_tensor();
    return Rows::input(graph);
  }
  /// An input [B,S,tail…] over the grid of `table`.
  Value tokens(const RowTable& table, const Dims& tail, const std::vector<float>& values) {
    Dims dims{table.batch, table.sequence};
    Shape shape{Extent::symbol(kBatch), Extent::symbol(kSequence)};
    dims.insert(dims.end(), tail.begin(), tail.end());
    shape.insert(shape.end(), tail.begin(), tail.end());
    return in(f32(dims, values), shape);
  }

  std::unique_ptr<Executable> compile(const std::string& backend, const CompileOptions& options = {}) const {
    auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::from_tensors(weights));
    return find_backend(backend).compile(graph, checkpoint, options);
  }
  /// Runs with `y` as the one result.
  Tensor run(const std::string& backend, Value y) {
    graph.clear_outputs();
    graph.set_output("y", y);
    return compile(backend, {.threads = 2})->run(inputs).at("y");
  }
};

/// Each element within `tolerance` of the literal, relative to 1 or its size; dims equal.
inline void expect_values(const Tensor& actual, const Dims& dims, const std::vector<float>& expected,
                          double tolerance = 1e-6) {
  ASSERT_EQ(actual.dims(), dims);
  ASSERT_EQ(actual.dtype(), DType::kF32);
  ASSERT_EQ(actual.f32().size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const double scale = std::max(1.0, std::abs(static_cast<double>(expected[i])));
    EXPECT_NEAR(actual.f32()[i], expected[i], tolerance * scale) << "at " << i;
  }
}

inline void expect_values(const Tensor& actual, const Dims& dims, const std::vector<int64_t>& expected) {
  ASSERT_EQ(actual.dims(), dims);
  EXPECT_EQ(std::vector<int64_t>(actual.i64().begin(), actual.i64().end()), expected);
}

/// Whether integers of 64 bits are exact; a backend where they are not refuses those that need more than 32.
inline bool has_long_integers(const std::string& backend) { return backend != "openvino"; }

/// The message of the Error with that code that `action` throws.
template <typename Action>
std::string error_of(Action action, ErrorCode code = ErrorCode::kInvalidArgument) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error_code_name(error.code()), error_code_name(code)) << error.message();
    return error.message();
  }
  ADD_FAILURE() << "no error";
  return "";
}

}  // namespace gamut::test
