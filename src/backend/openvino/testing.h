// For tests of the module's own parts: its backend without the module, and a BERT layer to compile.
#pragma once

#include <memory>

#include "backend/graph_testing.h"
#include "backend/module.h"
#include "backend/openvino/executable.h"
#include "checkpoint/seeded_weights.h"
#include "graph/rows.h"
#include "ops/attention.h"
#include "ops/binary.h"
#include "ops/gather_rows.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/reshape.h"

extern "C" const gamut::BackendModule* gamut_backend_module();

namespace gamut::openvino::test {

inline const Backend& backend() { return *gamut_backend_module()->backend; }

inline std::unique_ptr<OpenvinoExecutable> compile(const Graph& graph, std::shared_ptr<const Checkpoint> checkpoint,
                                                   const CompileOptions& options) {
  std::unique_ptr<Executable> made = backend().compile(graph, std::move(checkpoint), options);
  return std::unique_ptr<OpenvinoExecutable>(dynamic_cast<OpenvinoExecutable*>(made.release()));
}

/// `layers` post-norm layers as BERT has them over the input "ids" [B,S] and "rows"; weights made from their names.
struct Bert {
  static constexpr int64_t kWidth = 64, kInner = 128, kHeadDim = 16, kVocabulary = 50;
  Graph graph{"encode"};
  NamedTensors weights;

  explicit Bert(int layers) {
    const Rows rows = Rows::input(graph);
    Value ids = graph.input("ids", DType::kI64, {rows.batch(), rows.sequence()});
    Value x = norm("embeddings.norm", op::gather_rows(weight("embeddings", {kVocabulary, kWidth}), ids), {});
    for (int i = 0; i < layers; ++i) x = layer("layer." + std::to_string(i), x, rows);
    graph.set_output("tokens", x);
  }

  Value weight(const std::string& name, const Dims& dims) {
    weights[name] = seeded_tensor(name, dims, 1, 0.2, 0);
    return graph.weight(name, DType::kF32, dims);
  }
  Value linear(const std::string& name, Value x, int64_t out, ActivationKind activation = ActivationKind::kIdentity) {
    LabelScope label(graph, name);
    const int64_t in = *x.extent(-1).constant();
    return op::linear(x, weight(name + ".weight", {out, in}),
                      {.bias = weight(name + ".bias", {out}), .activation = activation});
  }
  Value norm(const std::string& name, Value x, Value residual) {
    LabelScope label(graph, name);
    Value w = weight(name + ".weight", {kWidth}), b = weight(name + ".bias", {kWidth});
    return op::layer_norm(residual ? x + residual : x, w, b, 1e-12);
  }
  Value layer(const std::string& name, Value x, const Rows& rows) {
    auto heads = [&](const char* part) { return op::split_heads(linear(name + part, x, kWidth), kHeadDim); };
    Value y = op::attention(heads(".query"), heads(".key"), heads(".value"), {.mask = {rows}});
    x = norm(name + ".norm1", linear(name + ".output", op::merge_heads(y), kWidth), x);
    y = linear(name + ".down", linear(name + ".up", x, kInner, ActivationKind::kGelu), kWidth);
    return norm(name + ".norm2", y, x);
  }

  static NamedTensors inputs(const std::vector<int64_t>& lengths) {
    const RowTable table = RowTable::padded(lengths);
    Tensor ids = Tensor::allocate(DType::kI64, {table.batch, table.sequence});
    for (int64_t i = 0; i < ids.count(); ++i) ids.mutable_i64()[static_cast<size_t>(i)] = i * 7 % kVocabulary;
    return {{"rows", table.to_tensor()}, {"ids", ids}};
  }
  std::shared_ptr<const Checkpoint> checkpoint() const {
    return std::make_shared<Checkpoint>(Checkpoint::from_tensors(weights));
  }
};

}  // namespace gamut::openvino::test
