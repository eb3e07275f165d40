#include "layers/weight_names.h"

#include <gtest/gtest.h>

#include "gamut/error.h"
#include "layers/basic.h"
#include "layers/scope.h"

namespace gamut {
namespace {

Checkpoint checkpoint_of(const std::vector<std::string>& names, const Dims& dims = {2, 2}) {
  NamedTensors tensors;
  for (const std::string& name : names) tensors[name] = Tensor::allocate(DType::kF32, dims);
  return Checkpoint::from_tensors(tensors);
}

const WeightNamesOptions kBert{
    .base_prefix = "bert",
    .renames = {{"LayerNorm.gamma", "LayerNorm.weight"}, {"LayerNorm.beta", "LayerNorm.bias"}},
    .ignored_suffixes = {"position_ids"}};

template <typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error_code_name(error.code()), "invalid_file") << error.message();
    return error.message();
  }
  return "";
}

TEST(WeightNames, FindABaseModelSavedWithItsPrefix) {
  const Checkpoint checkpoint = checkpoint_of({"bert.encoder.w", "classifier.w"});
  WeightNames names(checkpoint, kBert);
  ASSERT_NE(names.find("bert.encoder.w"), nullptr);
  EXPECT_EQ(names.find("bert.encoder.w")->name, "bert.encoder.w");
  EXPECT_TRUE(names.has("classifier.w"));
  EXPECT_FALSE(names.has("bert.classifier.w"));
  EXPECT_EQ(names.find("bert.other"), nullptr);
}

TEST(WeightNames, FindABaseModelSavedWithoutIt) {
  const Checkpoint checkpoint = checkpoint_of({"encoder.w", "pooler.w"});
  WeightNames names(checkpoint, kBert);
  EXPECT_EQ(names.require("bert.encoder.w").name, "encoder.w");
  EXPECT_EQ(names.unused(), std::vector<std::string>{"pooler.w"});
}

TEST(WeightNames, APrefixIsWholeAndNotTheBeginningOfAWord) {
  const Checkpoint checkpoint = checkpoint_of({"bertram.w", "encoder.w"});
  WeightNames names(checkpoint, kBert);
  EXPECT_TRUE(names.has("bert.encoder.w"));
}

TEST(WeightNames, MayBeToldOfNamesThatNeedNoUse) {
  for (const std::string& prefix : {"bert.", ""}) {
    const Checkpoint checkpoint = checkpoint_of({prefix + "layer.1.w", prefix + "layer.10.w", prefix + "layer.2.w"});
    WeightNames names(checkpoint, kBert);
    names.ignore("bert.layer.1.");
    EXPECT_EQ(names.unused(), (std::vector<std::string>{prefix + "layer.10.w", prefix + "layer.2.w"}));
  }
}

TEST(WeightNames, KnowOldSpellings) {
  const Checkpoint checkpoint =
      checkpoint_of({"bert.LayerNorm.gamma", "bert.LayerNorm.beta", "bert.x.LayerNorm.weight"});
  WeightNames names(checkpoint, kBert);
  EXPECT_EQ(names.require("bert.LayerNorm.weight").name, "bert.LayerNorm.gamma");
  EXPECT_EQ(names.require("bert.LayerNorm.bias").name, "bert.LayerNorm.beta");
  EXPECT_EQ(names.require("bert.x.LayerNorm.weight").name, "bert.x.LayerNorm.weight");
  EXPECT_TRUE(names.unused().empty());
  const Checkpoint bare = checkpoint_of({"LayerNorm.gamma"});
  WeightNames bare_names(bare, kBert);
  EXPECT_EQ(bare_names.require("bert.LayerNorm.weight").name, "LayerNorm.gamma") << "without the prefix too";
}

TEST(WeightNames, IgnoreWhatTheOptionsName) {
  const Checkpoint checkpoint = checkpoint_of({"mtp.layers.0.w", "model.mtp.w", "x.position_ids", "lm.w"});
  WeightNames names(checkpoint, {.ignored_suffixes = {"position_ids"}, .ignored_prefixes = {"mtp."}});
  EXPECT_EQ(names.unused(), (std::vector<std::string>{"lm.w", "model.mtp.w"}));
}

TEST(WeightNames, RefuseBothSpellingsOfOneTensor) {
  const Checkpoint checkpoint = checkpoint_of({"LayerNorm.gamma", "LayerNorm.weight"});
  const std::string message = error_of([&] { WeightNames(checkpoint, kBert); });
  EXPECT_NE(message.find("LayerNorm.gamma"), std::string::npos);
  EXPECT_NE(message.find("LayerNorm.weight"), std::string::npos);
}

TEST(WeightNames, ListWhatNobodyAskedForSortedAndWithoutTheIgnored) {
  const Checkpoint checkpoint = checkpoint_of({"bert.b", "bert.a", "bert.embeddings.position_ids", "bert.used"});
  WeightNames names(checkpoint, kBert);
  names.find("bert.used");
  EXPECT_TRUE(names.has("bert.a")) << "asking whether it is there is no use";
  EXPECT_EQ(names.unused(), (std::vector<std::string>{"bert.a", "bert.b"}));
}

TEST(WeightNames, AMissingTensorIsNamed) {
  const Checkpoint checkpoint = checkpoint_of({"bert.a"});
  WeightNames names(checkpoint, kBert);
  EXPECT_NE(error_of([&] { names.require("bert.encoder.layer.3.w"); }).find("bert.encoder.layer.3.w"),
            std::string::npos);
  const Checkpoint bare = checkpoint_of({"a"});
  WeightNames bare_names(bare, kBert);
  EXPECT_NE(error_of([&] { bare_names.require("bert.b"); }).find("tensor b is missing"), std::string::npos);
}

TEST(NumberedLayer, IsANumberBetweenDots) {
  for (const char* name : {"encoder.layer.0.w", "0.w", "layers.12", "a.007.b"}) {
    EXPECT_TRUE(is_in_numbered_layer(name)) << name;
  }
  for (const char* name : {"encoder.layer.w", "layer0.w", "conv2d.w", "a.1b.c", "", "a..b", "."}) {
    EXPECT_FALSE(is_in_numbered_layer(name)) << name;
  }
}

TEST(Scope, JoinsPathsAndRecordsWeightsByTheirStoredName) {
  const Checkpoint checkpoint = checkpoint_of({"encoder.layer.0.dense.weight"});
  WeightNames names(checkpoint, kBert);
  Graph graph;
  const Scope root(graph, names), dense = root / "bert" / "encoder.layer" / 0 / "dense";
  EXPECT_EQ(root.path(), "");
  EXPECT_EQ(dense.path(), "bert.encoder.layer.0.dense");
  EXPECT_TRUE(dense.has("weight"));
  EXPECT_FALSE(dense.has("bias"));
  EXPECT_FALSE(dense.weight_if("bias"));
  Value weight = dense.weight("weight");
  EXPECT_EQ(graph.producer(weight.id).attributes.s("name"), "encoder.layer.0.dense.weight");
  EXPECT_NE(error_of([&] { dense.weight("bias"); }).find("dense.bias"), std::string::npos);
}

TEST(Layers, TakeABiasWhenTheCheckpointHasOne) {
  NamedTensors tensors;
  for (const char* name : {"a.weight", "b.weight"}) tensors[name] = Tensor::allocate(DType::kF32, {3, 4});
  tensors["a.bias"] = tensors["norm.weight"] = Tensor::allocate(DType::kF32, {3});
  const Checkpoint checkpoint = Checkpoint::from_tensors(tensors);
  WeightNames names(checkpoint, {});
  Graph graph;
  const Scope root(graph, names);
  Value x = graph.input("x", DType::kF32, {Extent::symbol("B"), 4});
  Value with = layer::linear(root / "a", x), without = layer::linear(root / "b", x);
  EXPECT_EQ(graph.producer(with.id).inputs.size(), 3u);
  EXPECT_EQ(graph.producer(without.id).inputs.size(), 2u);
  EXPECT_EQ(graph.producer(with.id).label, "a");
  EXPECT_EQ(to_string(layer::layer_norm(root / "norm", with, 1e-5).shape()), "[B,3]");
  Value ids = graph.input("ids", DType::kI64, {Extent::symbol("B")});
  EXPECT_EQ(to_string(layer::embedding(root / "a", ids).shape()), "[B,4]");
}

TEST(Layers, AWeightThatDoesNotFitIsNamedByItsPlace) {
  const Checkpoint checkpoint = checkpoint_of({"encoder.dense.weight"}, {3, 5});
  WeightNames names(checkpoint, {});
  Graph graph;
  Value x = graph.input("x", DType::kF32, {Extent::symbol("B"), 4});
  try {
    layer::linear(Scope(graph, names) / "encoder.dense", x);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "encoder.dense: linear: inner extents: 4 and 5 differ; inputs F32[B,4], F32[3,5]");
  }
}

}  // namespace
}  // namespace gamut
