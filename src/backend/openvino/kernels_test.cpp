// Which kernels OpenVINO runs for a layer: that results are right does not show that what belongs together was fused.
#include <cmath>
#include <map>

#include "backend/openvino/testing.h"
#include "graph/op_case_builder.h"
#include "graph/op_schema.h"
#include "ops/dequantize.h"
#include "ops/linear.h"

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

/// A product with a quantised weight [64, 128].
struct Quantised {
  int bits;
  DType dtype;
  int64_t groups;
  bool has_zero_point, has_short_scale;

  std::string name() const {
    return fmt::format("{}{} groups{}{} {}", dtype == DType::kI8 ? "i" : "u", bits, groups,
                       has_zero_point ? " zero point" : "", has_short_scale ? "f16 scale" : "");
  }
  OpCase make() const {
    CaseBuilder b(name());
    Value x = b.f32("x", {2, 5, 128}, -1, 1, {Extent::symbol(kBatch), Extent::symbol(kSequence), 128});
    op::DequantizeOptions options{.bits = bits};
    if (has_zero_point) options.zero_point = b.codes("zero", {64, groups}, dtype, bits);
    Value codes = b.codes("codes", {64, 128 * bits / 8}, dtype, 8);
    Value weight = op::dequantize(codes, b.weight("scale", {64, groups}, 0.001f, 0.01f), options);
    OpCase made = b.finish(op::linear(x, weight, {.bias = b.weight("bias", {64})}));
    if (has_short_scale) {
      Tensor scale = Tensor::allocate(DType::kF16, {64, groups});  // 2^-7 to 2^-6
      for (int64_t i = 0; i < scale.count(); ++i) {
        static_cast<uint16_t*>(scale.mutable_data())[i] = static_cast<uint16_t>(0x2000 + i);
      }
      made.weights["scale"] = scale;
    }
    return made;
  }
};

void expect_one_kernel(const Quantised& quantised, Precision precision) {
  SCOPED_TRACE(quantised.name() + " " + precision_name(precision));
  const OpCase sample = quantised.make();
  const auto checkpoint = std::make_shared<Checkpoint>(Checkpoint::from_tensors(sample.weights));
  const auto executable = test::compile(sample.graph, checkpoint, {.precision = precision, .threads = 2});
  const Tensor actual = executable->run(sample.inputs).at("y");
  const std::vector<Kernel> kernels = kernels_of(executable->model());
  EXPECT_EQ(count(kernels), (Kernels{{"FullyConnected", 1}}));
  // Its precision is that of the weight that it reads.
  const std::string type = (quantised.dtype == DType::kI8 ? "i" : "u") + std::to_string(quantised.bits);
  EXPECT_EQ(find(kernels, "FullyConnected", "linear").precision, type);
  const Tensor expected = find_backend("reference").compile(sample.graph, checkpoint, {})->run(sample.inputs).at("y");
  double largest = 0, difference = 0;
  for (size_t i = 0; i < expected.f32().size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(expected.f32()[i])));
    difference = std::max(difference, std::fabs(static_cast<double>(expected.f32()[i]) - actual.f32()[i]));
  }
  EXPECT_LE(difference, (precision == Precision::kF32 ? 1e-5 : 2e-2) * largest);
}

TEST(Kernels, ReadQuantisedWeightsAsTheyAre) {
  for (Precision precision : test::backend().probe().precisions) {
    if (precision == Precision::kF16) continue;
    for (int bits : {4, 8}) {
      for (DType dtype : {DType::kU8, DType::kI8}) {
        for (int64_t groups : {1, 4}) {
          for (bool has_zero_point : {false, true}) {
            expect_one_kernel({bits, dtype, groups, has_zero_point, false}, precision);
            expect_one_kernel({bits, dtype, groups, has_zero_point, true}, precision);
          }
        }
      }
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
