// What is kept on disk, when it is used again and when not, and what a damaged file does.
#include <unistd.h>

#include <fstream>

#include "backend/openvino/compile_cache.h"
#include "backend/openvino/testing.h"
#include "base/file.h"
#include "checkpoint/safetensors.h"

namespace gamut::openvino {
namespace {

namespace fs = std::filesystem;

class Cache : public testing::Test {
 protected:
  Cache() {
    std::string name = (fs::temp_directory_path() / "gamut-cache-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    write_safetensors(weights(), bert_.weights);
  }
  ~Cache() override { fs::remove_all(folder_); }

  fs::path weights() const { return folder_ / "model.safetensors"; }
  CompileOptions options(Precision precision = Precision::kF32) const {
    return {.precision = precision, .threads = 2, .cache_folder = folder_ / "compiled"};
  }
  /// The compiled models that are kept.
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    std::error_code none;
    for (const auto& each : fs::directory_iterator(folder_ / "compiled", none)) found.push_back(each.path());
    return found;
  }
  /// Runs the layer as loaded with the options.
  std::vector<float> run(const CompileOptions& options) const {
    const auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::open(folder_));
    const Tensor tokens =
        test::compile(bert_.graph, checkpoint, options)->run(test::Bert::inputs({6, 2, 4})).at("tokens");
    return {tokens.f32().begin(), tokens.f32().end()};
  }
  /// Whether the model on disk is taken.
  bool is_known(const CompileOptions& options) const {
    const auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::open(folder_));
    const Device device = find_device(options, *checkpoint);
    const auto cache = CompileCache::open(options, bert_.graph, *checkpoint, device);
    return cache && cache->load(device).has_value();
  }

  fs::path folder_;
  test::Bert bert_{1};
};

TEST_F(Cache, GivesTheSameResultsAndHoldsNoWeights) {
  const std::vector<float> plain = run({.precision = Precision::kF32, .threads = 2});
  EXPECT_TRUE(files().empty());
  EXPECT_FALSE(is_known(options()));
  EXPECT_EQ(run(options()), plain);
  ASSERT_EQ(files().size(), 1u);
  EXPECT_TRUE(is_known(options()));
  EXPECT_EQ(run(options()), plain);
  // The bytes of a weight are in the checkpoint alone.
  const std::string content = read_file(files()[0], 1 << 26);
  const Tensor& weight = bert_.weights.at("layer.0.up.weight");
  EXPECT_EQ(content.find(std::string(static_cast<const char*>(weight.data()), 64)), std::string::npos);
}

TEST_F(Cache, TellsPrecisionsApart) {
  const std::vector<Precision> precisions = test::backend().probe().precisions;
  for (Precision precision : precisions) {
    EXPECT_FALSE(is_known(options(precision)));
    run(options(precision));
    EXPECT_TRUE(is_known(options(precision)));
  }
  EXPECT_EQ(files().size(), precisions.size());
}

TEST_F(Cache, ForgetsWhenTheCheckpointChanges) {
  run(options());
  ASSERT_TRUE(is_known(options()));
  const auto time = fs::last_write_time(weights());
  NamedTensors others = bert_.weights;
  others["layer.0.up.weight"] = seeded_tensor("another", others["layer.0.up.weight"].dims(), 2, 0.2, 0);
  write_safetensors(weights(), others);
  fs::last_write_time(weights(), time);  // as an archive restores it: the inode and the time of the change are others
  EXPECT_FALSE(is_known(options()));
  EXPECT_EQ(run(options()), run({.precision = Precision::kF32, .threads = 2}));
}

TEST_F(Cache, ACheckpointThatBecameShorterIsAnErrorBeforeItIsTouched) {
  const auto checkpoint = std::make_shared<const Checkpoint>(Checkpoint::open(folder_));
  const auto executable = test::compile(bert_.graph, checkpoint, options());
  const NamedTensors inputs = test::Bert::inputs({6, 2, 4});
  executable->run(inputs);
  const std::string whole = read_file(weights(), 1 << 26);
  fs::resize_file(weights(), whole.size() / 2);
  const std::string expected = fmt::format("{}: it ends at byte {}, when it was opened it ended at byte {}",
                                           weights().string(), whole.size() / 2, whole.size());
  EXPECT_EQ(gamut::test::error_of([&] { executable->run(inputs); }, ErrorCode::kIo), expected);
  EXPECT_EQ(gamut::test::error_of([&] { test::compile(bert_.graph, checkpoint, options()); }, ErrorCode::kIo),
            expected);
  std::ofstream(weights(), std::ios::binary | std::ios::in | std::ios::out) << whole;
  EXPECT_NO_THROW(executable->run(inputs));
}

/// The same checkpoint in two files and their index.
class ShardedCache : public Cache {
 protected:
  ShardedCache() {
    fs::remove(weights());
    NamedTensors parts[2];
    for (const auto& [name, tensor] : bert_.weights) parts[name.size() % 2][name] = tensor;
    std::string map;
    for (int i = 0; i < 2; ++i) {
      write_safetensors(shard(i), parts[i]);
      for (const auto& [name, tensor] : parts[i]) {
        map += fmt::format("{}\"{}\": \"{}\"", map.empty() ? "" : ", ", name, shard(i).filename().string());
      }
    }
    std::ofstream(folder_ / "model.safetensors.index.json") << "{\"weight_map\": {" << map << "}}";
  }
  fs::path shard(int i) const { return folder_ / fmt::format("part{}.safetensors", i); }
};

TEST_F(ShardedCache, GivesTheSameResults) {
  const std::vector<float> plain = run({.precision = Precision::kF32, .threads = 2});
  EXPECT_FALSE(is_known(options()));
  EXPECT_EQ(run(options()), plain);
  ASSERT_EQ(files().size(), 1u);
  EXPECT_TRUE(is_known(options()));
  EXPECT_EQ(run(options()), plain);
}

TEST_F(ShardedCache, ForgetsWhenAnyShardChanges) {
  for (int i = 0; i < 2; ++i) {
    run(options());
    ASSERT_TRUE(is_known(options())) << i;
    fs::copy_file(shard(i), folder_ / "copy");
    fs::rename(folder_ / "copy", shard(i));  // the same bytes in another file
    EXPECT_FALSE(is_known(options())) << i;
  }
}

TEST_F(ShardedCache, TakesNoDamagedFile) {
  const std::vector<float> plain = run(options());
  const fs::path file = files().at(0);
  const std::string content = read_file(file, 1 << 26);
  for (size_t place : {size_t{5}, content.size() / 3, content.size() / 2, content.size() - 1}) {
    std::string damaged = content;
    damaged[place] = static_cast<char>(damaged[place] ^ 1);
    fs::remove(file);
    std::ofstream(file, std::ios::binary) << damaged;
    EXPECT_FALSE(is_known(options())) << place;
    EXPECT_EQ(run(options()), plain) << place;
    EXPECT_TRUE(is_known(options())) << "written anew";
  }
}

TEST_F(Cache, KeepsNothingForADeviceThatIsChosenAnew) {
  CompileOptions automatic = options();
  automatic.device = "AUTO";
  EXPECT_EQ(run(automatic), run({.precision = Precision::kF32, .threads = 2, .device = "AUTO"}));
  EXPECT_TRUE(files().empty());
}

TEST_F(Cache, TellsThreadsApart) {
  run(options());
  CompileOptions one = options();
  one.threads = 1;
  EXPECT_FALSE(is_known(one));
}

TEST(DeviceIdentity, ChangesWithDriverCompilerAndName) {
  std::map<std::string, std::string> device{{"FULL_DEVICE_NAME", "Accelerator 1"},
                                            {"CACHING_PROPERTIES", "DRIVER_REVISION DEVICE_ARCHITECTURE"},
                                            {"DEVICE_ARCHITECTURE", "a"},
                                            {"OPTIMIZATION_CAPABILITIES", "FP32 FP16"},
                                            {"DRIVER_REVISION", "1"},
                                            {"NPU_COMPILER_VERSION", "7"},
                                            {"DEVICE_THERMAL", "40"}};
  auto identity = [&] {
    std::vector<std::string> names;
    for (const auto& [name, value] : device) names.push_back(name);
    return device_identity(names, [&](const std::string& name) -> std::string {
      const auto found = device.find(name);
      OPENVINO_ASSERT(found != device.end(), "unknown property");
      return found->second;
    });
  };
  const std::string before = identity();
  for (const char* name : {"FULL_DEVICE_NAME", "DEVICE_ARCHITECTURE", "OPTIMIZATION_CAPABILITIES", "DRIVER_REVISION",
                           "NPU_COMPILER_VERSION"}) {
    const std::string value = std::exchange(device[name], device[name] + "1");
    EXPECT_NE(identity(), before) << name;
    device[name] = value;
  }
  device["DEVICE_THERMAL"] = "41";
  device.erase("DEVICE_ARCHITECTURE");
  EXPECT_NE(identity(), before);
  device["DEVICE_ARCHITECTURE"] = "a";
  EXPECT_EQ(identity(), before) << "what changes while it runs does not count";
}

TEST_F(Cache, TakesNoDamagedFile) {
  const std::vector<float> plain = run(options());
  const fs::path file = files().at(0);
  const std::string content = read_file(file, 1 << 26);
  for (size_t place : {size_t{0}, content.size() / 4, content.size() / 2, content.size() - 1}) {
    std::string damaged = content;
    damaged[place] = static_cast<char>(damaged[place] ^ 1);
    std::ofstream(file, std::ios::binary) << damaged;
    EXPECT_FALSE(is_known(options())) << place;
    EXPECT_EQ(run(options()), plain) << place;
    EXPECT_TRUE(is_known(options())) << "written anew";
  }
  std::ofstream(file, std::ios::binary) << content.substr(0, content.size() - 7);
  EXPECT_FALSE(is_known(options()));
  std::ofstream(file, std::ios::binary) << "";
  EXPECT_FALSE(is_known(options()));
}

TEST_F(Cache, AFolderThatCannotBeWrittenIsNoError) {
  std::ofstream(folder_ / "file") << "no folder";
  CompileOptions options = this->options();
  options.cache_folder = folder_ / "file";
  EXPECT_EQ(run(options), run({.precision = Precision::kF32, .threads = 2}));
}

}  // namespace
}  // namespace gamut::openvino
