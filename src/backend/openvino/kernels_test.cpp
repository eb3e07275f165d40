// Which kernels OpenVINO runs for a layer: that results are right does not show that what belongs together was fused.
#include <map>

#include "backend/openvino/testing.h"
#include "graph/op_schema.h"

namespace gamut::openvino {
namespace {

using Kernels = std::map<std::string, int>;

struct Kernel {
  std::string type;
  std::string precision;
  std::string from;  // names of the nodes that became this kernel
};

std::vector<Kernel> kernels_of(const ov::CompiledModel& model) {
  std::vector<Kernel> kernels;
  for (const auto& node : model.get_runtime_model()->get_ordered_ops()) {
    auto info = [&](const char* key) { return node->get_rt_info().at(key).as<std::string>(); };
    kernels.push_back({info("layerType"), info("runtimePrecision"), info("originalLayersNames")});
  }
  return kernels;
}

/// Kernels by type, without the leaves and what only changes a layout.
Kernels count(const std::vector<Kernel>& kernels) {
  Kernels counts;
  for (const Kernel& kernel : kernels) {
    const std::string& type = kernel.type;
    const bool computes = type != "Input" && type != "Output" && type != "Const" && type != "Reorder";
    if (computes && type != "Reshape" && type != "Transpose") ++counts[type == "Eltwise" ? "Subgraph" : type];
  }
  return counts;
}

/// The one kernel of `type` that `part` went into.
const Kernel& find(const std::vector<Kernel>& kernels, const std::string& type, const std::string& part) {
  const Kernel* found = nullptr;
  for (const Kernel& kernel : kernels) {
    if (kernel.type != type || kernel.from.find(part) == std::string::npos) continue;
    EXPECT_EQ(found, nullptr) << part << " is in two kernels of type " << type;
    found = &kernel;
  }
  if (found == nullptr) throw std::runtime_error(part + " is in no kernel of type " + type);
  return *found;
}

std::vector<Kernel> compile_and_list(const test::Bert& bert, Precision precision) {
  auto executable = test::compile(bert.graph, bert.checkpoint(), {.precision = precision, .threads = 2});
  executable->run(test::Bert::inputs({5, 3}));  // kernels are chosen with the first shapes
  return kernels_of(executable->model());
}

TEST(Kernels, OfABertLayerAreFused) {
  for (Precision precision : test::backend().probe().precisions) {
    if (precision == Precision::kF16) continue;
    SCOPED_TRACE(precision_name(precision));
    const std::vector<Kernel> one = compile_and_list(test::Bert(1), precision);
    const std::vector<Kernel> three = compile_and_list(test::Bert(3), precision);
    Kernels of_a_layer = count(three);
    for (const auto& [type, number] : count(one)) of_a_layer[type] -= number;
    // Twice each: six products with their bias, one attention, and for two norms an addition, MVN, scale and shift.
    EXPECT_EQ(of_a_layer,
              (Kernels{{"Convert", 0}, {"FullyConnected", 12}, {"Gather", 0}, {"MVN", 4}, {"Subgraph", 10}}));
  }
}

TEST(Kernels, HaveBiasAndGeluInTheProductAndSoftmaxInTheAttention) {
  for (Precision precision : test::backend().probe().precisions) {
    if (precision == Precision::kF16) continue;
    SCOPED_TRACE(precision_name(precision));
    const std::vector<Kernel> kernels = compile_and_list(test::Bert(1), precision);
    // The name of the last node of each linear: behind its bias, and behind GELU.
    for (const char* name :
         {"query:linear", "key:linear", "value:linear", "output:linear", "up:linear", "down:linear"}) {
      const Kernel& product = find(kernels, "FullyConnected", std::string("layer.0.") + name);
      EXPECT_EQ(product.precision, precision_name(precision)) << name;
    }
    const Kernel& attention = find(kernels, "Subgraph", "ScaledDotProductAttention");
    EXPECT_NE(attention.from.find("Softmax"), std::string::npos) << attention.from;
    EXPECT_EQ(attention.precision, precision_name(precision));
    for (const Kernel& kernel : kernels) {
      EXPECT_NE(kernel.type, "MatMul") << kernel.from;
      EXPECT_NE(kernel.type, "Softmax") << kernel.from;
      EXPECT_NE(kernel.type, "Gelu") << kernel.from;
    }
  }
}

TEST(Precision, IsReadBack) {
  const test::Bert bert(1);
  for (Precision precision : test::backend().probe().precisions) {
    EXPECT_EQ(test::compile(bert.graph, bert.checkpoint(), {.precision = precision})->precision(), precision);
  }
  EXPECT_EQ(test::compile(bert.graph, bert.checkpoint(), {})->precision(), Precision::kF32) << "the checkpoint's own";
}

/// An operator that nobody knows.
const OpSchema kStrange{.name = "strange", .infer = [](InferContext& c) { c.output(DType::kF32, c.shape(0)); }};

TEST(Compile, NamesOperatorNodeAndModelBeforeAnyWork) {
  Graph graph("encode");
  Value x = graph.input("x", DType::kF32, {4});
  LabelScope label(graph, "layer.3.mixer");
  graph.set_output("y", graph.add(kStrange, {x + graph.weight("absent", DType::kF32, {4})}));
  const auto empty = std::make_shared<Checkpoint>(Checkpoint::from_tensors({}));
  // The weight is absent, which would be found first if anything were loaded.
  EXPECT_EQ(gamut::test::error_of([&] { test::compile(graph, empty, {.model = "a/model (BertModel)"}); },
                                  ErrorCode::kUnsupported),
            "a/model (BertModel): node \"layer.3.mixer\": operator strange is not supported by the openvino backend");
}

}  // namespace
}  // namespace gamut::openvino
