#include "gamut/convert.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "checkpoint/checkpoint.h"
#include "checkpoint/test_files.h"

namespace gamut {
namespace {

namespace fs = std::filesystem;

class Convert : public testing::Test {
 protected:
  void SetUp() override {
    root_ = test::fresh_folder();
    in_ = root_ / "in";
    out_ = root_ / "out";
    fs::create_directories(in_ / "1_Pooling");
    test::write_bytes(in_ / "config.json", "{}");
    test::write_bytes(in_ / "1_Pooling" / "config.json", "{\"a\":1}");
    test::write_bytes(in_ / ".hidden", "x");
    test::write_bytes(in_ / "tf_model.h5", "x");
    write_safetensors(in_ / "model.safetensors", tensors_);
  }
  /// The entries of a folder, without those of folders in it.
  static size_t count(const fs::path& folder) {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  }
  void expect_same(const fs::path& folder) const {
    const Checkpoint found = Checkpoint::open(folder);
    ASSERT_EQ(found.entries().size(), tensors_.size());
    for (const auto& [name, tensor] : tensors_) {
      const Tensor other = found.tensor(name);
      EXPECT_EQ(other.dims(), tensor.dims());
      EXPECT_EQ(std::memcmp(other.data(), tensor.data(), tensor.bytes()), 0) << name;
    }
  }

  const NamedTensors tensors_{{"a", Tensor::from({3}, std::vector<float>{1, 2, 3})},
                              {"b", Tensor::from({2}, std::vector<int64_t>{4, 5})},
                              {"c", Tensor::from({1, 2}, std::vector<float>{6, 7})}};
  fs::path root_, in_, out_;
};

TEST_F(Convert, WritesOneFileAndCopiesTheRest) {
  const Converted converted = convert(in_, out_);
  EXPECT_EQ(converted.files, std::vector<std::string>{"model.safetensors"});
  EXPECT_EQ(converted.copied, (std::vector<std::string>{"1_Pooling/config.json", "config.json"}));
  EXPECT_EQ(converted.tensors, 3u);
  EXPECT_EQ(converted.bytes, 36u);
  expect_same(out_);
  EXPECT_EQ(test::read_bytes(out_ / "1_Pooling" / "config.json"), "{\"a\":1}");
  EXPECT_EQ(count(out_), 3u);
  EXPECT_EQ(count(root_), 2u);
  EXPECT_EQ(parse_safetensors(test::read_bytes(out_ / "model.safetensors"), "f").metadata.at("format"), "pt");
}

TEST_F(Convert, WritesShardsAndTheirIndex) {
  const Converted converted = convert(in_, out_ / "", {.shard_bytes = 20});
  EXPECT_EQ(converted.files,
            (std::vector<std::string>{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                                      "model.safetensors.index.json"}));
  expect_same(out_);
  EXPECT_TRUE(Checkpoint::open(out_).warnings().empty());
  EXPECT_EQ(convert(in_, root_ / "small", {.shard_bytes = 1}).files.size(), 4u);
  expect_same(root_ / "small");
  const Converted again = convert(out_, in_, {.force = true});
  EXPECT_EQ(again.files.size(), 1u);
  expect_same(in_);
}

TEST_F(Convert, RefusesAFolderThatExists) {
  fs::create_directory(out_);
  EXPECT_NE(test::message_of([&] { convert(in_, out_); }, ErrorCode::kInvalidArgument).find("out: exists already"),
            std::string::npos);
  EXPECT_EQ(count(out_), 0u);
  test::write_bytes(out_ / "model.safetensors.index.json", "old");
  test::write_bytes(out_ / "mine.txt", "mine");
  convert(in_, out_, {.force = true});
  expect_same(out_);
  EXPECT_FALSE(fs::exists(out_ / "model.safetensors.index.json"));
  EXPECT_EQ(test::read_bytes(out_ / "mine.txt"), "mine");
  test::write_bytes(root_ / "file", "x");
  EXPECT_FALSE(test::message_of([&] { convert(in_, root_ / "file", {.force = true}); }, ErrorCode::kIo).empty());
}

TEST_F(Convert, WritesBesideTheWeightsItReads) {
  fs::copy_file(fs::path(GAMUT_TORCH_FIXTURES) / "zip_views.bin", in_ / "pytorch_model.bin");
  fs::remove(in_ / "model.safetensors");
  const Converted converted = convert(in_, in_, {.force = true});
  EXPECT_TRUE(converted.copied.empty());
  EXPECT_TRUE(fs::exists(in_ / "pytorch_model.bin"));
  EXPECT_EQ(Checkpoint::open(in_).entries().size(), 17u);
  EXPECT_EQ(Checkpoint::open(in_).files().at(0).filename(), "model.safetensors");
}

TEST_F(Convert, LeavesNothingBehindWhenItFails) {
  test::write_bytes(in_ / "model.safetensors", "damaged");
  EXPECT_FALSE(test::message_of([&] { convert(in_, out_); }).empty());
  EXPECT_EQ(count(root_), 1u);
  write_safetensors(in_ / "model.safetensors", tensors_);
  test::write_bytes(root_ / "secret", "x");
  fs::create_symlink(root_ / "secret", in_ / "link.json");
  EXPECT_NE(test::message_of([&] { convert(in_, out_); }).find("expected a file inside the model folder"),
            std::string::npos);
  EXPECT_EQ(count(root_), 2u);
  EXPECT_FALSE(test::message_of([&] { convert(in_, out_, {.shard_bytes = 0}); }, ErrorCode::kInvalidArgument).empty());
  EXPECT_FALSE(test::message_of([&] { convert(root_ / "no", out_); }, ErrorCode::kNotFound).empty());
  EXPECT_FALSE(test::message_of([&] { convert(in_, root_ / "no" / "out"); }, ErrorCode::kIo).empty());
}

TEST_F(Convert, CopiesOutOfTheHubCache) {
  const fs::path snapshot = root_ / "models--x" / "snapshots" / "abc", blobs = root_ / "models--x" / "blobs";
  fs::create_directories(snapshot);
  fs::create_directories(blobs);
  fs::copy_file(in_ / "model.safetensors", blobs / "1");
  fs::copy_file(in_ / "config.json", blobs / "2");
  fs::create_symlink("../../blobs/1", snapshot / "model.safetensors");
  fs::create_symlink("../../blobs/2", snapshot / "config.json");
  EXPECT_EQ(convert(snapshot, out_).copied, std::vector<std::string>{"config.json"});
  EXPECT_FALSE(fs::is_symlink(out_ / "config.json"));
  expect_same(out_);
}

}  // namespace
}  // namespace gamut
