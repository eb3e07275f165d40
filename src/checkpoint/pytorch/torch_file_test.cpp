#include "checkpoint/pytorch/torch_file.h"

#include <algorithm>
#include <cstring>

#include "checkpoint/checkpoint.h"
#include "checkpoint/pytorch/torch_testing.h"
#include "checkpoint/test_files.h"

namespace gamut {
namespace {

namespace fs = std::filesystem;
using test::call;
using test::dict;
using test::integer;
using test::make_zip;
using test::number;
using test::numbers;
using test::program;
using test::storage;
using test::tar_member;
using test::tensor;
using test::text;
using test::tuple;
using test::ZipMember;

TorchFile read(const std::string& file) { return read_torch_file(FileRange(file, "f")); }
void refuses(const std::string& file, const std::string& part, const std::string& begin = "f: ") {
  SCOPED_TRACE(part);
  test::expect_refusal([&] { read(file); }, part, begin);
}

const std::string kData(24, '\1');
std::string one(const std::string& name = "w") {
  return dict({text(name), tensor(storage("FloatStorage", "0", 6), 0, {2, 3}, {3, 1})});
}

/// A file of torch.save with that pickle, one storage of six floats, and more members.
std::string zip_of(const std::string& body, const std::vector<ZipMember>& more = {}) {
  std::vector<ZipMember> members{{"a/data.pkl", program(body)}, {"a/data/0", kData}};
  members.insert(members.end(), more.begin(), more.end());
  return make_zip(members);
}

const std::string kMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
const std::string kProtocol = program("M\xe9\x03"), kSystem = program("}"), kKeys = program("](" + text("0") + "e");
const std::string kStorage = number(6, 8) + kData;

std::string raw_of(const std::string& body, const std::string& rest = kKeys + kStorage) {
  return kMagic + kProtocol + kSystem + program(body) + rest;
}

std::vector<fs::path> fixtures() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(GAMUT_TORCH_FIXTURES)) {
    if (entry.path().extension() == ".bin") found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

TEST(TorchFile, EqualsWhatPyTorchReads) {
  EXPECT_GE(fixtures().size(), 15u);
  for (const fs::path& path : fixtures()) {
    SCOPED_TRACE(path.filename().string());
    const Checkpoint found = Checkpoint::open_file(path);
    const Checkpoint expected = Checkpoint::open_file(fs::path(path).replace_extension(".safetensors"));
    found.verify();
    ASSERT_EQ(found.entries().size(), expected.entries().size());
    for (const TensorEntry& entry : expected.entries()) {
      SCOPED_TRACE(entry.name);
      ASSERT_TRUE(found.has(entry.name));
      const Tensor right = expected.tensor(entry), mapped = found.tensor(entry.name),
                   copied = found.stored(entry.name).load();
      for (const Tensor& tensor : {mapped, copied}) {
        EXPECT_EQ(tensor.dtype(), right.dtype());
        EXPECT_EQ(tensor.dims(), right.dims());
        EXPECT_EQ(std::memcmp(tensor.data(), right.data(), right.bytes()), 0);
      }
    }
  }
}

TEST(TorchFile, EveryTruncationIsRefused) {
  for (const fs::path& path : fixtures()) {
    SCOPED_TRACE(path.filename().string());
    const std::string whole = test::read_bytes(path);
    for (size_t size = 0; size < whole.size(); ++size) {
      // Tar archives end in as many blocks of zeros as the writer likes, two at least.
      const bool is_padding = std::ranges::all_of(whole.substr(size), [](char c) { return c == 0; });
      const bool ends_in_zeros =
          size >= 1024 && std::ranges::all_of(whole.substr(size - 1024, 1024), [](char c) { return c == 0; });
      if (size % 512 == 0 && is_padding && ends_in_zeros) continue;
      const std::string cut = whole.substr(0, size);
      test::expect_refusal([&] { read_torch_file(FileRange(cut, "f")); }, "expected");
      if (HasFailure()) return;
    }
  }
}

TEST(TorchFile, BitFlipsAreReadOrRefused) {
  size_t accepted = 0, flips = 0;
  for (const fs::path& path : fixtures()) {
    std::string bytes = test::read_bytes(path);
    for (size_t bit = 0; bit < bytes.size() * 8; bit += 3, ++flips) {
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      try {
        const TorchFile file = read(bytes);
        for (const TensorEntry& entry : file.entries) {
          const uint64_t end = entry.strides.empty() ? entry.offset + entry.bytes : entry.offset;
          ASSERT_LE(end, bytes.size());
        }
        ++accepted;
      } catch (const Error& error) {
        ASSERT_NE(error.code(), ErrorCode::kInternal) << error.message();
        ASSERT_EQ(error.message().rfind("f: ", 0), 0u) << error.message();
        ASSERT_NE(error.message().find("byte "), std::string::npos) << error.message();
      }
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    }
  }
  EXPECT_GT(flips, 10'000u);
  EXPECT_LT(accepted, flips * 3 / 4);  // names, values, times and versions may be anything
}

TEST(TorchFile, TellsTheFormsByTheirFirstBytes) {
  EXPECT_TRUE(is_torch_file("PK\x03\x04"));
  EXPECT_TRUE(is_torch_file("PK\x05\x06"));
  EXPECT_TRUE(is_torch_file("\x80\x02"));
  EXPECT_FALSE(is_torch_file("\x80"));
  EXPECT_FALSE(is_torch_file(std::string("\x80\x00", 2)));
  EXPECT_FALSE(is_torch_file("\x80\x06"));
  EXPECT_TRUE(is_torch_file(std::string(257, 'x') + "ustar"));
  EXPECT_FALSE(is_torch_file(""));
  EXPECT_FALSE(is_torch_file(std::string(257, 'x') + "usta"));
  EXPECT_FALSE(is_torch_file(test::file_bytes("{}", 0)));
  EXPECT_FALSE(is_torch_file(std::string(300, 'x')));
  EXPECT_TRUE(is_torch_file("PK\x03\x04xxxx{"));
  EXPECT_FALSE(is_torch_file(std::string("PK\x03\x04\0\0\0\0{", 9)));
  EXPECT_FALSE(is_torch_file(std::string("\x80\0\0\0\0\0\0\0{", 9)));
  refuses("ustar", "expected a tar header");
}

TEST(TorchZip, RefusesWhatTorchDoesNotWrite) {
  EXPECT_EQ(read(zip_of(one(), {{"a/byteorder", "little"}})).entries.size(), 1u);
  refuses(make_zip({}), "a zip archive without members");
  refuses(make_zip({{"a/x", "x"}}), "a zip archive without \"a/data.pkl\"");
  refuses(make_zip({{"data.pkl", program(one())}}), "outside of the folder \"\"");
  refuses(zip_of(one(), {{"b/x", "x"}}), "member \"b/x\": outside of the folder \"a/\"");
  refuses(zip_of(one(), {{"a/constants.pkl", "x"}}), "a TorchScript program");
  const std::string order = "f: member \"a/byteorder\": byte 0: ";
  refuses(zip_of(one(), {{"a/byteorder", "big"}}), "byte order \"big\", expected \"little\"", order);
  refuses(zip_of(one(), {{"a/byteorder", std::string(1000, 'x')}}), "expected \"little\"", order);
  refuses(zip_of(one(), {{.name = "a/byteorder", .data = "little", .crc = 1}}), "its bytes have the CRC");
  refuses(make_zip({{.name = "a/data.pkl", .data = program(one()), .crc = 1}}),
          "member \"a/data.pkl\": its bytes have the CRC");
}

TEST(TorchZip, NamesMemberByteAndReason) {
  const std::string pickle = "f: member \"a/data.pkl\": byte ";
  refuses(zip_of(test::global("os", "system") + text("x") + "\x85R"), "2: global \"os.system\"", pickle);
  refuses(zip_of(one() + "0"), "opcode POP (0x30)", pickle);
  refuses(make_zip({{"a/data.pkl", program(one()) + "x"}, {"a/data/0", kData}}), "the pickle ends here", pickle);
  refuses(make_zip({{"a/data.pkl", program(one())}}), "storage \"0\": no member \"a/data/0\"", pickle);
  refuses(make_zip({{"a/data.pkl", program(one())}, {"a/data/0", kData + "1234"}}),
          "but member \"a/data/0\" has 28 bytes", pickle);
  refuses(make_zip({{"a/data.pkl", program(one())}, {"a/data/0", kData.substr(1)}}),
          "but member \"a/data/0\" has 23 bytes", pickle);
  EXPECT_EQ(read(make_zip({{"a/data.pkl", program(one())}, {"a/data/0", kData + "123"}})).entries.size(), 1u);
  const std::string key = dict({text("w"), tensor(storage("FloatStorage", "../data.pkl", 6), 0, {1}, {1})});
  refuses(zip_of(key), "storage \"../data.pkl\": no member", pickle);
}

TEST(TorchPickle, ChecksItsParts) {
  EXPECT_EQ(read(raw_of(one())).entries.at(0).bytes, 24u);
  refuses(program("N") + kProtocol, "without the magic number of torch.save");
  refuses(std::string("\x80\x02\x8a\x0a") + "0123456789." + kProtocol, "without the magic number of torch.save");
  refuses(kMagic + program("M\xe8\x03"), "protocol 1000 of torch.save, expected 1001");
  refuses(kMagic + program("N"), "of torch.save, expected 1001");
  refuses(kMagic + kProtocol + program("N"), "None, expected a dict");
  const std::string big = program(dict({"N", "N", text("protocol"), "N", text("little_endian"), "\x89"}));
  refuses(kMagic + kProtocol + big + program(one()), "written on a big-endian machine");
  EXPECT_EQ(
      read(kMagic + kProtocol + program(dict({text("little_endian"), "\x88"})) + program(one()) + kKeys + kStorage)
          .entries.size(),
      1u);
  refuses(kMagic + kProtocol + program(dict({text("little_endian"), "N"})), "written on a big-endian machine");
  refuses(raw_of(one(), program("N") + kStorage), "expected the list of the storages' keys");
  refuses(raw_of(one(), program("](" + text("1") + "e") + kStorage), "storage \"1\" of the list is not in the pickle");
  refuses(raw_of(one(), program("](K\1e") + kStorage), "storage \"\" of the list is not in the pickle");
  refuses(raw_of(one(), program("](" + text("0") + text("0") + "e") + kStorage + kStorage),
          "storage \"0\" is in the list twice");
  refuses(raw_of(one(), program("]")), "storage \"0\" is not in the list behind the pickle");
  refuses(raw_of(one(), kKeys + number(5, 8) + kData), "5 elements, but the pickle at byte");
  refuses(raw_of(one(), kKeys + number(6, 8)), "24 bytes, but 0 are left");
  refuses(raw_of(one(), kKeys + "x"), "the file ends here, expected storage \"0\"");
  refuses(raw_of(one()) + "x", "the last storage ends here");
}

TEST(TorchFile, RefusesWhatIsNoStateDict) {
  refuses(raw_of("N", program("]")), "the pickle is None, expected a dict");
  refuses(raw_of("}", program("]")), "a pickle without tensors");
  refuses(raw_of(dict({text("a"), "K\1"}), program("]")), "a pickle without tensors");
  const std::string t = tensor(storage("FloatStorage", "0", 6), 0, {2}, {1});
  refuses(raw_of(dict({text("a"), t, text("a"), t})), "tensor \"a\" is there twice, first at byte");
  refuses(raw_of(dict({text("a.b"), t, text("a"), dict({text("b"), t})})), "tensor \"a.b\" is there twice");
  refuses(raw_of(dict({"N", t})), "a dict with None as a key");
  refuses(raw_of(dict({text(""), t})), "the name is empty");
  refuses(raw_of(dict({text("a\nb"), t})), "holds a control character");
  refuses(raw_of(dict({text("\xff"), t})), "tensor \"\\xff\": the name is empty, not UTF-8");
  refuses(raw_of(dict({text(std::string(5000, 'x')), t})), "a name of 5000 bytes");
  refuses(raw_of(dict({text(std::string(5000, 'x')), dict({text("a"), t})})), "a name of 5000 bytes");
  refuses(raw_of(dict({text("a"), test::global("torch", "FloatTensor") + ")\x81"}), program("]")),
          "was made and never given its data");
  refuses(
      raw_of(dict({text("a"), tensor(storage("QInt8Storage", "0", 6), 0, {2}, {1})}), kKeys + number(6, 8) + "123456"),
      "tensor \"a\": dtype qint8");
  refuses(raw_of(dict({text("state_dict"), "}", text("model"), "}"}), program("]")),
          "a training checkpoint with \"state_dict\" and \"model\"");
  std::string deep = t;
  for (int i = 0; i < 17; ++i) deep = dict({text("a"), deep});
  refuses(raw_of(deep), "more than 16 dicts inside each other");
  refuses(raw_of("}q\1(" + text("a") + "h\1u", program("]")), "more than 16 dicts inside each other");
}

TEST(TorchFile, KeepsItsLimits) {
  const std::string wide = tensor(storage("FloatStorage", "0", 6), 0, {1 << 25}, {0});
  refuses(raw_of(dict({text("a"), wide})), "tensor \"a\" of [33554432]: the tensors are more than 671");
  const std::string half = tensor(storage("FloatStorage", "0", 6), 0, {1 << 23}, {0});
  EXPECT_EQ(read(raw_of(dict({text("a"), half, text("b"), half}))).entries.size(), 2u);
  refuses(raw_of(dict({text("a"), half, text("b"), half, text("c"), half})), "tensor \"c\"");
}

TEST(TorchFile, CountsDictsThatAreShared) {
  // Each dict holds the one before four times: few values, and a name for each of 4^14 ways through them.
  std::string dicts = "}q\1";
  for (char depth = 1; depth < 14; ++depth) {
    dicts += "}(";
    for (const char* key : {"0", "1", "2", "3"}) dicts += text(key) + "h" + std::string(1, depth);
    dicts += "uq" + std::string(1, static_cast<char>(depth + 1));
  }
  refuses(raw_of(dict({text("all"), "(" + dicts + "t", text("a"), "h\x0e"}), program("]")),
          "a state dict of more than 2097152 values");
}

TEST(TorchFile, NamesTensorsByTheirKeys) {
  const std::string t = tensor(storage("FloatStorage", "0", 6), 0, {2}, {1});
  const std::string bytes = call(test::global("_codecs", "encode"), {text("key"), text("latin1")});
  EXPECT_EQ(read(raw_of(dict({bytes, t}))).entries.at(0).name, "key");
  const TorchFile file = read(raw_of(dict({text("a"), t, text(std::string(5000, 'x')), "N"})));
  EXPECT_NE(file.warnings.at(0).find("the first is \"?\""), std::string::npos);
  // Each dict of a long name holds the one before; every tensor's name is made of all of them.
  std::string body = dict({text("t"), t});
  for (int i = 0; i < 10; ++i) body = dict({text(std::string(370, 'x')), body});
  std::string many = "}(" + text("0") + body + "q\x01";
  for (int i = 1; i < 4000; ++i) many += text(std::to_string(i)) + "h\x01";
  refuses(raw_of(many + "u"), "names of more than 67108864 bytes");
}

TEST(TorchFile, TakesTheWeightsOfATrainingCheckpoint) {
  const std::string t = tensor(storage("FloatStorage", "0", 6), 0, {2}, {1});
  const TorchFile wrapped =
      read(raw_of(dict({text("model"), dict({text("a"), t, text("n"), "N"}), text("epoch"), "K\1"})));
  ASSERT_EQ(wrapped.entries.size(), 1u);
  EXPECT_EQ(wrapped.entries[0].name, "a");
  ASSERT_EQ(wrapped.warnings.size(), 2u);
  EXPECT_EQ(wrapped.warnings[0], "1 values of the state dict are no tensors and were left out, the first is \"n\"");
  EXPECT_EQ(wrapped.warnings[1], "a training checkpoint: the weights are its \"model\", 1 other values were left out");
  EXPECT_TRUE(read(raw_of(dict({text("model"), dict({text("a"), t})}))).warnings.empty());
  EXPECT_EQ(read(raw_of(dict({text("model"), dict({text("a"), t}), text("b"), t}))).entries[1].name, "model.a");
  EXPECT_EQ(read(raw_of(dict({"K\5", dict({text("a"), t})}))).entries[0].name, "5.a");
  EXPECT_EQ(read(raw_of(dict({text("a"), t, "K\1", "N"}))).warnings.size(), 1u);
}

std::string tar_storages(const std::string& views = program("]"), int64_t count = 6) {
  return program("K\1") + program(tuple({"K\1", text("cpu"), test::global("torch", "FloatStorage")})) +
         number(static_cast<uint64_t>(count), 8) + kData + views;
}
std::string tar_tensor(const std::string& root, const std::string& kind, const std::vector<int64_t>& size,
                       const std::vector<int64_t>& stride, uint32_t rank = 0xff) {
  std::string out = program(tuple({"K\x0a", root, test::global("torch", kind)}));
  out += number(rank == 0xff ? size.size() : rank, 4) + number(0, 4);
  for (const int64_t n : size) out += number(static_cast<uint64_t>(n), 8);
  for (const int64_t n : stride) out += number(static_cast<uint64_t>(n), 8);
  return out + number(0, 8);
}
const std::string kTarPickle = program(dict({text("w"), text("10") + "Q"}));
std::string tar_of(const std::string& storages, const std::string& tensors, const std::string& pickle = kTarPickle) {
  return tar_member("storages", storages) + tar_member("tensors", tensors) + tar_member("pickle", pickle) +
         test::kTarEnd;
}
std::string tensors_of(const std::string& tensor) { return program("K\1") + tensor; }

TEST(TorchTar, ChecksItsParts) {
  const std::string good = tensors_of(tar_tensor("K\1", "FloatTensor", {6}, {1}));
  EXPECT_EQ(read(tar_of(tar_storages(), good)).entries.at(0).bytes, 24u);
  EXPECT_EQ(read(tar_of(tar_storages(), good, program(dict({text("w"), "K\x0aQ"})))).entries.size(), 1u);
  const std::string by_name = program("K\1") +
                              program(tuple({text("1"), text("cpu"), test::global("torch", "FloatStorage")})) +
                              number(6, 8) + kData + program("]");
  EXPECT_EQ(read(tar_of(by_name, tensors_of(tar_tensor(text("1"), "FloatTensor", {6}, {1})))).entries.size(), 1u);
  const std::string direct = tensor(text("1") + "Q", 0, {2}, {1});
  EXPECT_EQ(read(tar_of(tar_storages(), good, program(dict({text("w"), direct})))).entries.at(0).bytes, 8u);
  refuses(tar_member("storages", "") + test::kTarEnd, "the pickle ends here", "f: member \"storages\": byte 0");
  refuses(tar_member("x", "") + test::kTarEnd, "a tar archive without member \"storages\"");
  refuses(tar_of(tar_storages(), good, kTarPickle + "x"), "the pickle ends here, expected it to end");
  refuses(tar_of(tar_storages(), good, program(dict({text("w"), text("11") + "Q"}))),
          "a persistent id \"11\", which no member has");
  refuses(tar_of(tar_storages(), good, program(dict({text("w"), "NQ"}))), "a persistent id that is None");
  const std::string in_storages = "f: member \"storages\": byte ";
  refuses(tar_of(program("N"), good), "0 storages, expected a number up to", in_storages);
  refuses(tar_of(program(integer(-1)), good), "-1 storages", in_storages);
  refuses(tar_of(program(integer(1 << 20)), good), "1048576 storages", in_storages);
  refuses(tar_of(program("K\1") + program("N"), good), "expected a tuple of 3", in_storages);
  refuses(tar_of(program("K\1") + program(tuple({"N", "N", "N"})), good), "None, expected an integer", in_storages);
  refuses(tar_of(program("K\1") + program(tuple({"K\1", "N", "N"})), good), "None, expected the class of a storage",
          in_storages);
  refuses(tar_of(program("K\1") + program(tuple({"K\1", "N", test::global("torch", "FloatTensor")})), good),
          "expected the class of a storage", in_storages);
  refuses(tar_of(tar_storages(program("]"), -1), good), "a storage of -1 elements", in_storages);
  refuses(tar_of(tar_storages(program("]"), 60), good), "expected 240 more bytes", in_storages);
  refuses(tar_of(tar_storages() + "x", good), "data behind the last value", in_storages);
  const std::string entry = tar_storages("").substr(program("K\1").size());
  refuses(tar_of(program("K\2") + entry + entry, good), "storage \"1\" is there twice", in_storages);
}

TEST(TorchTar, ChecksViewsAndTensors) {
  const std::string good = tensors_of(tar_tensor("K\1", "FloatTensor", {6}, {1}));
  const std::string in_storages = "f: member \"storages\": byte ", in_tensors = "f: member \"tensors\": byte ";
  auto view = [](const std::vector<int64_t>& values) { return tar_storages(program("](" + numbers(values) + "e")); };
  const TorchFile file = read(tar_of(view({3, 1, 2, 4}), tensors_of(tar_tensor("K\3", "FloatTensor", {4}, {1}))));
  EXPECT_EQ(file.entries.at(0).bytes, 16u);
  EXPECT_EQ(read(tar_of(view({3, 1, 2, 4}), good)).entries.size(), 1u);
  refuses(tar_of(view({3, 1, 2, 4}), tensors_of(tar_tensor("K\3", "FloatTensor", {5}, {1}))), "has 4 elements");
  refuses(tar_of(tar_storages(program("N")), good), "None, expected a list of views", in_storages);
  refuses(tar_of(view({3, 1, 2}), good), "expected a tuple of 4", in_storages);
  refuses(tar_of(view({3, 2, 2, 1}), good), "a view of storage \"2\", which is not there", in_storages);
  refuses(tar_of(view({1, 1, 0, 1}), good), "storage \"1\" is there twice", in_storages);
  refuses(tar_of(tar_storages(program("](" + numbers({3, 1, 0, 1}) + numbers({3, 1, 0, 1}) + "e")), good),
          "storage \"3\" is there twice", in_storages);
  for (const auto& [offset, count] : {std::pair<int64_t, int64_t>{-1, 1}, {0, -1}, {7, 0}, {6, 1}}) {
    refuses(tar_of(view({3, 1, offset, count}), good), "of a storage of 6", in_storages);
  }
  auto tensor = [&](const std::string& of, const std::string& part) {
    refuses(tar_of(tar_storages(), tensors_of(of)), part, in_tensors);
  };
  tensor(tar_tensor("K\2", "FloatTensor", {6}, {1}), "storage \"2\" is not there");
  tensor(tar_tensor("K\1", "HalfTensor", {6}, {1}), "a class that is not its storage's");
  tensor(tar_tensor("K\1", "FloatStorage", {6}, {1}), "expected the class of a tensor");
  tensor(tar_tensor("K\1", "FloatTensor", {}, {}, 17), "17 dimensions, at most 16 expected");
  tensor(tar_tensor("K\1", "FloatTensor", {}, {}, 0xffffffff), "-1 dimensions");
  tensor(tar_tensor("K\1", "FloatTensor", {-6}, {1}), "tensor \"10\" of [-6]");
  tensor(tar_tensor("K\1", "FloatTensor", {6}, {-1}), "with strides [-1]");
  tensor(tar_tensor("K\1", "FloatTensor", {6}, {1}) + "x", "data behind the last value");
  tensor("", "the pickle ends here");
  const std::string twice = tar_tensor("K\1", "FloatTensor", {6}, {1});
  refuses(tar_of(tar_storages(), program("K\2") + twice + twice), "tensor \"10\" is there twice", in_tensors);
  refuses(tar_of(tar_storages(), tensors_of(tar_tensor("K\1", "FloatTensor", {7}, {1}))), "has 6 elements",
          "f: member \"pickle\": byte ");
}

TEST(TorchCheckpoint, IsLookedForBehindSafetensors) {
  const fs::path dir = test::fresh_folder();
  test::write_bytes(dir / "pytorch_model.bin.index.json",
                    R"({"weight_map": {"w": "pytorch_model-1.bin", "v": "pytorch_model-2.bin"}})");
  test::write_bytes(dir / "pytorch_model-1.bin", raw_of(one("w")));
  test::write_bytes(dir / "pytorch_model-2.bin", zip_of(one("v")));
  EXPECT_EQ(Checkpoint::open(dir).entries().size(), 2u);
  test::write_bytes(dir / "pytorch_model.bin", raw_of(one("single")));
  EXPECT_TRUE(Checkpoint::open(dir).has("single"));
  write_safetensors(dir / "model.safetensors", {{"first", Tensor::from({1}, std::vector<float>{1})}});
  EXPECT_TRUE(Checkpoint::open(dir).has("first"));
}

TEST(TorchCheckpoint, VerifiesItsStorages) {
  const fs::path dir = test::fresh_folder();
  std::string file = zip_of(one());
  test::write_bytes(dir / "pytorch_model.bin", file);
  Checkpoint::open(dir).verify();
  file[file.find(kData)] ^= 1;
  test::write_bytes(dir / "pytorch_model.bin", file);
  const Checkpoint checkpoint = Checkpoint::open(dir);
  EXPECT_NE(test::message_of([&] { checkpoint.verify(); }).find("member \"a/data/0\": its bytes have the CRC"),
            std::string::npos);
}

}  // namespace
}  // namespace gamut
