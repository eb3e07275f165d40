#include "checkpoint/checkpoint.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <optional>

#include "checkpoint/seeded_weights.h"
#include "checkpoint/test_files.h"

namespace gamut {
namespace {

namespace fs = std::filesystem;
using test::message_of;

constexpr const char* kIndex = "model.safetensors.index.json";

NamedTensors some_tensors(const std::vector<std::string>& names) {
  NamedTensors tensors;
  for (const std::string& name : names) tensors.emplace(name, seeded_tensor(name, {3, 5}, 1, 1.0, 0.0));
  return tensors;
}

std::string index_json(const std::vector<std::pair<std::string, std::string>>& map,
                       const std::string& metadata = "{}") {
  std::string json = "{\"metadata\":" + metadata + ",\"weight_map\":{";
  for (const auto& [name, shard] : map) json += fmt::format("\"{}\":\"{}\",", name, shard);
  if (json.back() == ',') json.pop_back();
  return json + "}}";
}

/// Two shards and an index that fits them.
fs::path sharded_folder() {
  const fs::path dir = test::fresh_folder();
  write_safetensors(dir / "s1.safetensors", some_tensors({"a", "c"}));
  write_safetensors(dir / "s2.safetensors", some_tensors({"b", "d"}));
  test::write_bytes(
      dir / kIndex,
      index_json({{"a", "s1.safetensors"}, {"b", "s2.safetensors"}, {"c", "s1.safetensors"}, {"d", "s2.safetensors"}},
                 "{\"total_size\":240}"));
  return dir;
}

/// What Checkpoint::open says about `dir`, without the folder's name.
std::string refusal(const fs::path& dir, ErrorCode code = ErrorCode::kInvalidFile) {
  std::string message = message_of([&] { Checkpoint::open(dir); }, code);
  for (size_t at; (at = message.find(dir.string())) != std::string::npos;)
    message.replace(at, dir.string().size(), "D");
  return message;
}

std::string index_refusal(const std::string& index) {
  const fs::path dir = sharded_folder();
  test::write_bytes(dir / kIndex, index);
  return refusal(dir);
}

void expect_equal(const Checkpoint& a, const Checkpoint& b) {
  ASSERT_EQ(a.entries().size(), b.entries().size());
  EXPECT_EQ(a.total_bytes(), b.total_bytes());
  for (const TensorEntry& entry : a.entries()) {
    const Tensor x = a.tensor(entry), y = b.tensor(entry.name);
    EXPECT_EQ(x.dims(), y.dims());
    EXPECT_EQ(x.dtype(), y.dtype());
    EXPECT_EQ(std::memcmp(x.data(), y.data(), x.bytes()), 0) << entry.name;
  }
}

TEST(Checkpoint, ShardedEqualsSingleEqualsMemory) {
  const Checkpoint sharded = Checkpoint::open(sharded_folder());
  const NamedTensors tensors = some_tensors({"a", "b", "c", "d"});
  const fs::path dir = test::fresh_folder();
  write_safetensors(dir / "model.safetensors", tensors);
  test::write_bytes(dir / kIndex, "the single file comes first");
  const Checkpoint single = Checkpoint::open(dir);
  const Checkpoint memory = Checkpoint::from_tensors(tensors);
  expect_equal(sharded, single);
  expect_equal(single, memory);
  expect_equal(memory, sharded);
  EXPECT_EQ(sharded.files().size(), 2u);
  EXPECT_EQ(sharded.find("b")->file, 1u);
  EXPECT_TRUE(sharded.warnings().empty());
  EXPECT_EQ(sharded.total_bytes(), 240u);
}

TEST(Checkpoint, FindsTensorsThatOutliveIt) {
  std::optional<Checkpoint> checkpoint = Checkpoint::open(sharded_folder());
  EXPECT_EQ(checkpoint->find("e"), nullptr);
  EXPECT_EQ(checkpoint->find(""), nullptr);
  EXPECT_TRUE(checkpoint->has("d"));
  EXPECT_NE(message_of([&] { checkpoint->tensor("e"); }, ErrorCode::kNotFound).find("no tensor \"e\""),
            std::string::npos);
  const Checkpoint moved = std::move(*checkpoint);
  const Tensor d = moved.tensor("d");
  checkpoint.reset();
  const Tensor again = seeded_tensor("d", {3, 5}, 1, 1.0, 0.0);
  EXPECT_EQ(d.f32()[7], again.f32()[7]);
}

/// Resident pages of this process's file maps, in KiB.
long resident_file_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("RssFile:", 0) == 0) return std::stol(line.substr(8));
  }
  return -1;
}

TEST(Checkpoint, ReleasedTensorsLeaveMemoryAndComeBack) {
  const fs::path dir = test::fresh_folder();
  const Tensor big = seeded_tensor("big", {4 << 20}, 1, 1.0, 0.0);
  write_safetensors(dir / "model.safetensors", {{"big", big}, {"small", Tensor::from({1}, std::vector<float>{1})}});
  const Checkpoint checkpoint = Checkpoint::open(dir);
  const Tensor t = checkpoint.tensor("big");
  EXPECT_EQ(std::memcmp(t.data(), big.data(), t.bytes()), 0);
  const long touched = resident_file_kib();
  checkpoint.release("big");
  const long released = resident_file_kib();
  if (touched > 0) {
    EXPECT_LT(released, touched - 15 * 1024);
  }
  EXPECT_EQ(std::memcmp(t.data(), big.data(), t.bytes()), 0);
  checkpoint.release_all();
  checkpoint.release("no such tensor");
  EXPECT_EQ(t.f32()[12345], big.f32()[12345]);
}

TEST(Checkpoint, NamesWhatItLookedFor) {
  const fs::path dir = test::fresh_folder();
  EXPECT_EQ(refusal(dir / "no", ErrorCode::kNotFound), "D: no such folder");
  test::write_bytes(dir / "weights.safetensors", "never by pattern");
  EXPECT_EQ(refusal(dir, ErrorCode::kNotFound),
            "D: no weights; looked for model.safetensors, model.safetensors.index.json, pytorch_model.bin, "
            "pytorch_model.bin.index.json");
  test::write_bytes(dir / "pytorch_model.bin.index.json", "{}");
  EXPECT_EQ(refusal(dir),
            "D/pytorch_model.bin.index.json: no \"weight_map\", expected an object from tensor names to file names");
  test::write_bytes(dir / "pytorch_model.bin", "PK\x03\x04");
  EXPECT_EQ(refusal(dir),
            "D/pytorch_model.bin: byte 0: a zip archive of 4 bytes, expected at least 22 (truncated file?)");
  test::write_bytes(dir / "model.safetensors", "");
  EXPECT_EQ(refusal(dir), "D/model.safetensors: byte 0: file of 0 bytes, expected 8 bytes of header length");
}

TEST(Checkpoint, RefusesABrokenIndex) {
  const std::string where = "D/model.safetensors.index.json: ";
  EXPECT_NE(index_refusal("[").find(where + "invalid JSON"), std::string::npos);
  const std::string no_map = where + "no \"weight_map\", expected an object from tensor names to file names";
  EXPECT_EQ(index_refusal("[]"), no_map);
  EXPECT_EQ(index_refusal("{}"), no_map);
  EXPECT_EQ(index_refusal(R"({"weight_map":[]})"), no_map);
  EXPECT_EQ(index_refusal(R"({"weight_map":{}})"), where + "\"weight_map\" is empty, expected tensors");
  EXPECT_EQ(index_refusal(R"({"weight_map":{"a":1}})"), where + "weight_map \"a\" is number, expected a file name");
  EXPECT_EQ(index_refusal(R"({"weight_map":{"a":"x","a":"x"}})"), where + "duplicate key \"a\"");
}

TEST(Checkpoint, RefusesNamesThatLeaveTheFolder) {
  for (const char* name : {"../s1.safetensors", "/etc/passwd", "x/../../s1.safetensors", "", ".", "a\\\\b", "%2e%2e/x",
                           "s1.safetensors\\u0000"}) {
    const std::string message = index_refusal(index_json({{"a", name}}));
    EXPECT_NE(message.find("expected a plain relative name inside the model folder"), std::string::npos) << message;
  }
}

TEST(Checkpoint, FollowsOnlyLinksOfTheHubCache) {
  const fs::path root = test::fresh_folder();
  const fs::path dir = root / "models--x" / "snapshots" / "abc";
  fs::create_directories(dir);
  fs::create_directories(root / "models--x" / "blobs");
  fs::create_directories(root / "models--y" / "blobs");
  for (const char* at : {"models--x/blobs/123", "models--y/blobs/123", "secret"}) {
    write_safetensors(root / at, some_tensors({"a"}));
  }
  auto link_to = [&](const fs::path& target) {
    fs::remove(dir / "model.safetensors");
    fs::create_symlink(target, dir / "model.safetensors");
  };
  link_to("../../blobs/123");
  EXPECT_EQ(Checkpoint::open(dir).entries().size(), 1u);
  fs::create_directory_symlink(dir, root / "linked");
  EXPECT_EQ(Checkpoint::open(root / "linked").entries().size(), 1u);
  for (const char* target : {"../../../models--y/blobs/123", "../../../secret", "../../blobs/../../secret"}) {
    link_to(target);
    EXPECT_NE(refusal(dir).find("expected a file inside the model folder"), std::string::npos) << target;
  }
  link_to("../../blobs/456");
  EXPECT_NE(refusal(dir, ErrorCode::kNotFound).find("is a broken link"), std::string::npos);
  link_to("model.safetensors");
  EXPECT_NE(refusal(dir, ErrorCode::kNotFound).find("is a broken link"), std::string::npos);
  fs::create_directory_symlink(root, dir / "out");
  fs::remove(dir / "model.safetensors");
  test::write_bytes(dir / kIndex, index_json({{"a", "out/secret"}}));
  EXPECT_NE(refusal(dir).find("expected a file inside the model folder"), std::string::npos);
}

TEST(Checkpoint, IndexAndShardsAgreeInBothDirections) {
  const std::string where = "D/model.safetensors.index.json: ";
  const std::pair<std::string, std::string> a{"a", "s1.safetensors"}, b{"b", "s2.safetensors"},
      c{"c", "s1.safetensors"}, d{"d", "s2.safetensors"};
  EXPECT_EQ(index_refusal(index_json({a, b, c})), where + "tensor \"d\" of s2.safetensors is not in \"weight_map\"");
  EXPECT_EQ(index_refusal(index_json({a, b, c, d, {"e", "s2.safetensors"}})),
            where + "\"weight_map\" has tensor \"e\" in \"s2.safetensors\", but it is in none of the shards");
  EXPECT_EQ(index_refusal(index_json({{"a", "s2.safetensors"}, b, c, d})),
            where + "\"weight_map\" has tensor \"a\" in \"s2.safetensors\", but it is in s1.safetensors");
  const fs::path dir = sharded_folder();
  fs::remove(dir / "s2.safetensors");
  EXPECT_EQ(refusal(dir, ErrorCode::kNotFound), where + "D/s2.safetensors does not exist or is a broken link");
}

TEST(Checkpoint, RefusesShardsThatAreNoFiles) {
  const fs::path dir = sharded_folder();
  fs::create_directory(dir / "folder");
  const std::vector<std::string> shards{kIndex, "folder", "é", std::string(5000, 'x'), "s1.safetensors/x"};
  for (const std::string& shard : shards) {
    test::write_bytes(dir / kIndex, index_json({{"a", shard}}));
    try {
      Checkpoint::open(dir);
      ADD_FAILURE() << shard;
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::kInternal) << error.message();
      EXPECT_LT(error.message().size(), 2048u);
    }
  }
  test::write_bytes(dir / kIndex, index_json({{"a", "\xff"}}));
  EXPECT_NE(refusal(dir).find("invalid JSON at byte"), std::string::npos);
}

TEST(Checkpoint, RefusesATensorInTwoShards) {
  const fs::path dir = sharded_folder();
  write_safetensors(dir / "s2.safetensors", some_tensors({"a", "b", "d"}));
  EXPECT_EQ(refusal(dir), "D/s2.safetensors: tensor \"a\" is also in D/s1.safetensors, expected it once");
}

TEST(Checkpoint, RefusesABadShard) {
  const fs::path dir = sharded_folder();
  fs::resize_file(dir / "s2.safetensors", fs::file_size(dir / "s2.safetensors") - 1);
  EXPECT_NE(refusal(dir).find("D/s2.safetensors: byte "), std::string::npos);
}

TEST(Checkpoint, EveryTruncationOfAFileIsRefused) {
  const fs::path dir = test::fresh_folder(), file = dir / "model.safetensors";
  write_safetensors(file,
                    {{"a", seeded_tensor("a", {101, 37}, 1, 1.0, 0.0)}, {"b", seeded_tensor("b", {64}, 1, 1.0, 0.0)}});
  const uintmax_t whole = fs::file_size(file), header = Checkpoint::open(dir).entries().front().offset;
  auto refuses = [&](uintmax_t size) {
    fs::resize_file(file, size);
    const std::string message = refusal(dir);
    EXPECT_EQ(message.rfind("D/model.safetensors: byte ", 0), 0u) << size << ": " << message;
    const size_t found = std::string("D/model.safetensors: byte ").size(), expected = message.find(", expected ");
    EXPECT_TRUE(expected != std::string::npos || message.find(", at most ") != std::string::npos) << message;
    EXPECT_GT(std::min(expected, message.find(", at most ")), message.find(": ", found) + 2) << "found: " << message;
  };
  for (uintmax_t place = 1000; place > 0; --place) refuses(header + (whole - 1 - header) * place / 1000);
  for (uintmax_t size = header + 1; size-- > 0;) refuses(size);
}

TEST(Checkpoint, WarnsOfAWrongTotalSize) {
  const fs::path dir = sharded_folder();
  std::string index = test::read_bytes(dir / kIndex);
  index.replace(index.find("240"), 3, "999");
  test::write_bytes(dir / kIndex, index);
  const Checkpoint checkpoint = Checkpoint::open(dir);
  ASSERT_EQ(checkpoint.warnings().size(), 1u);
  EXPECT_NE(checkpoint.warnings()[0].find("metadata.total_size is 999, but the tensors have 240 bytes"),
            std::string::npos);
}

}  // namespace
}  // namespace gamut
