#include "checkpoint/safetensors.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/file.h"
#include "checkpoint/test_files.h"

namespace gamut {
namespace {

using test::file_bytes;
using test::message_of;

constexpr DType kAllDTypes[] = {
    DType::kBool,   DType::kU8,     DType::kI8,         DType::kF4,         DType::kF6E2M3, DType::kF6E3M2,
    DType::kF8E5M2, DType::kF8E4M3, DType::kF8E5M2Fnuz, DType::kF8E4M3Fnuz, DType::kF8E8M0, DType::kI16,
    DType::kU16,    DType::kF16,    DType::kBf16,       DType::kI32,        DType::kU32,    DType::kF32,
    DType::kC64,    DType::kF64,    DType::kI64,        DType::kU64,
};

/// Parses bytes of their own allocation, so that a sanitizer sees every read past the end.
std::string refusal(const std::string& bytes, ErrorCode code = ErrorCode::kInvalidFile) {
  const std::vector<char> exact(bytes.begin(), bytes.end());
  return message_of([&] { parse_safetensors({exact.data(), exact.size()}, "f"); }, code);
}

std::string refused_header(const std::string& header, size_t data = 0) { return refusal(file_bytes(header, data)); }

std::string one_tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return fmt::format(R"({{"w":{{"dtype":{},"shape":{},"data_offsets":{}}}}})", dtype, shape, offsets);
}

Tensor filled(DType dtype, Dims dims) {
  Tensor t = Tensor::allocate(dtype, std::move(dims));
  auto* bytes = static_cast<uint8_t*>(t.mutable_data());
  for (size_t i = 0; i < t.bytes(); ++i) bytes[i] = static_cast<uint8_t>(37 * i + 11 + static_cast<size_t>(dtype));
  return t;
}

NamedTensors small_set() {
  NamedTensors tensors;
  for (DType dtype : kAllDTypes) tensors.emplace("t." + std::string(dtype_name(dtype)), filled(dtype, {2, 4}));
  tensors.emplace("scalar", filled(DType::kF32, {}));
  tensors.emplace("none", filled(DType::kF64, {3, 0, 2}));
  tensors.emplace("größe \"quoted\"", filled(DType::kI16, {3}));
  return tensors;
}

std::string small_file() {
  const auto path = test::fresh_folder() / "small.safetensors";
  write_safetensors(path, {{"a", filled(DType::kF32, {2, 3})}, {"b", filled(DType::kI8, {3})}}, {{"format", "pt"}});
  return test::read_bytes(path);
}

TEST(Safetensors, AllDTypesRoundTrip) {
  const auto path = test::fresh_folder() / "all.safetensors";
  const NamedTensors written = small_set();
  write_safetensors(path, written, {{"format", "pt"}, {"quote\"", "\n"}});
  const NamedTensors read = read_safetensors(path);
  ASSERT_EQ(read.size(), written.size());
  for (const auto& [name, t] : written) {
    const Tensor& r = read.at(name);
    EXPECT_EQ(r.dtype(), t.dtype()) << name;
    EXPECT_EQ(r.dims(), t.dims()) << name;
    EXPECT_EQ(std::memcmp(r.data(), t.data(), t.bytes()), 0) << name;
    EXPECT_FALSE(r.empty()) << name;
  }
  const auto file = MappedFile::open(path);
  const SafetensorsHeader header = parse_safetensors(file->text(), "all");
  EXPECT_EQ(header.metadata, (std::map<std::string, std::string>{{"format", "pt"}, {"quote\"", "\n"}}));
  EXPECT_EQ(header.entries.front().offset % 8, 0u);
  for (size_t i = 1; i < header.entries.size(); ++i) {
    EXPECT_LE(header.entries[i - 1].offset, header.entries[i].offset);
    EXPECT_GE(dtype_bits(header.entries[i - 1].dtype), dtype_bits(header.entries[i].dtype));
  }
}

TEST(Safetensors, ReadsFilesWithoutTensors) {
  EXPECT_TRUE(parse_safetensors(file_bytes("{}", 0), "f").entries.empty());
  EXPECT_EQ(parse_safetensors(file_bytes(R"({"__metadata__":{"a":"b"}}  )", 0), "f").metadata.at("a"), "b");
  const auto path = test::fresh_folder() / "none.safetensors";
  write_safetensors(path, {});
  EXPECT_TRUE(read_safetensors(path).empty());
}

TEST(Safetensors, UnalignedTensorsAreCopied) {
  const auto path = test::fresh_folder() / "odd.safetensors";
  std::string bytes = file_bytes(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})",
      9);
  const float values[] = {1.5f, -2.0f};
  std::memcpy(bytes.data() + bytes.size() - 8, values, 8);
  test::write_bytes(path, bytes);
  const NamedTensors tensors = read_safetensors(path);
  const Tensor w = tensors.at("w");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(w.data()) % 4, 0u);
  EXPECT_EQ(w.f32()[0], 1.5f);
  EXPECT_EQ(w.f32()[1], -2.0f);
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string whole = small_file();
  EXPECT_EQ(refusal(whole), "");
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::string message = refusal(whole.substr(0, size));
    EXPECT_EQ(message.rfind("f: byte ", 0), 0u) << size << ": " << message;
  }
  EXPECT_NE(refusal(whole + " ").find("expected it to end with the file"), std::string::npos);
}

TEST(Safetensors, NoHeaderBitFlipCrashes) {
  const std::string whole = small_file();
  const size_t header_end = whole.size() - 27;
  size_t accepted = 0;
  for (size_t bit = 0; bit < header_end * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    try {
      const std::vector<char> exact(flipped.begin(), flipped.end());
      const auto header = parse_safetensors({exact.data(), exact.size()}, "f");
      uint64_t bytes = 0;
      for (const TensorEntry& entry : header.entries) bytes += entry.bytes;
      EXPECT_EQ(bytes, 27u);
      ++accepted;
    } catch (const Error& error) {
      EXPECT_EQ(error.message().rfind("f: byte ", 0), 0u) << error.message();
    }
  }
  // Renamed tensors and metadata, and dtypes of equal size: only a checksum sees these.
  EXPECT_LT(accepted, header_end * 8 / 4);
}

TEST(Safetensors, RefusesBadFrames) {
  EXPECT_EQ(refusal(""), "f: byte 0: file of 0 bytes, expected 8 bytes of header length");
  EXPECT_EQ(refusal(std::string(8, '\0')), "f: byte 0: header length 0, expected a JSON object");
  EXPECT_EQ(refusal(std::string(8, '\xff')),
            "f: byte 0: header length 18446744073709551615, at most 100000000 expected");
  EXPECT_EQ(refusal(file_bytes("{}", 0).substr(0, 9)),
            "f: byte 0: header length 2, expected at most 1, the bytes that follow (truncated file?)");
  EXPECT_EQ(refused_header(" {}"), "f: byte 8: found byte 0x20, expected '{' at the start of the header");
  EXPECT_EQ(refused_header("{}\n"),
            "f: byte 10: found byte 0x0a, expected '}' and then only spaces at the end of the header");
  EXPECT_EQ(refused_header("{}x}"), "f: byte 10: found byte 0x78, expected valid JSON in UTF-8");
  EXPECT_EQ(refused_header(std::string("{}\0}", 4)), "f: byte 10: found byte 0x00, expected JSON text");
  EXPECT_EQ(refused_header("{\"\xff\":{}}"), "f: byte 10: found byte 0xff, expected valid JSON in UTF-8");
  EXPECT_EQ(refused_header("{}", 1),
            "f: byte 10: the last tensor ends here, expected it to end with the file at byte 11");
}

TEST(Safetensors, RefusesBadMetadata) {
  EXPECT_EQ(refused_header(R"({"__metadata__":{"a":1}})"),
            "f: byte 30: __metadata__ \"a\": found 1, expected a string");
  EXPECT_EQ(refused_header(R"({"__metadata__":{"a":{}}})"),
            "f: byte 29: __metadata__ \"a\": found an object, expected a string");
  EXPECT_EQ(refused_header(R"({"__metadata__":null})"), "f: byte 27: __metadata__ is null, expected an object");
  EXPECT_EQ(refused_header(R"({"__metadata__":{"a":"","a":""}})"), "f: byte 34: duplicate key \"a\" in __metadata__");
  EXPECT_EQ(refused_header(R"({"__metadata__":{},"__metadata__":{}})"), "f: byte 40: duplicate key \"__metadata__\"");
}

TEST(Safetensors, RefusesBadEntries) {
  auto entry = [](const std::string& dtype, const std::string& shape, const std::string& offsets, size_t data = 4) {
    return refused_header(one_tensor(dtype, shape, offsets), data);
  };
  EXPECT_EQ(entry("\"F32\"", "[1]", "[0,4]"), "");
  EXPECT_EQ(entry("\"F33\"", "[1]", "[0,4]"),
            "f: byte 26: tensor \"w\": dtype \"F33\", expected one of BOOL, U8 … U64, F4 … F64, C64");
  EXPECT_EQ(entry("1", "[1]", "[0,4]"), "f: byte 23: tensor \"w\": dtype is 1, expected a string");
  EXPECT_EQ(entry("[]", "[1]", "[0,4]"), "f: byte 22: tensor \"w\": dtype is an array, expected a string");
  EXPECT_EQ(entry("\"F32\"", "1", "[0,4]"), "f: byte 37: tensor \"w\": shape is 1, expected an array of integers");
  const std::string shape_rule = ", expected integers from 0 to 2^63-1";
  EXPECT_EQ(entry("\"F32\"", "[-1]", "[0,4]"), "f: byte 39: tensor \"w\": shape holds -1" + shape_rule);
  EXPECT_EQ(entry("\"F32\"", "[-0]", "[0,4]"), "f: byte 39: tensor \"w\": shape holds 0" + shape_rule);
  EXPECT_EQ(entry("\"F32\"", "[1.0]", "[0,4]"), "f: byte 40: tensor \"w\": shape holds 1.0" + shape_rule);
  EXPECT_EQ(entry("\"F32\"", "[true]", "[0,4]"), "f: byte 40: tensor \"w\": shape holds true" + shape_rule);
  EXPECT_EQ(entry("\"F32\"", "[null]", "[0,4]"), "f: byte 40: tensor \"w\": shape holds null" + shape_rule);
  EXPECT_EQ(entry("\"F32\"", "[\"1\"]", "[0,4]"), "f: byte 39: tensor \"w\": shape holds \"1\"" + shape_rule);
  EXPECT_EQ(entry("\"F32\"", "[[1]]", "[0,4]"), "f: byte 37: tensor \"w\": shape holds an array" + shape_rule);
  EXPECT_NE(entry("\"F32\"", "[9223372036854775808]", "[0,4]").find("shape holds 9223372036854775808"),
            std::string::npos);
  EXPECT_NE(entry("\"F32\"", "[99999999999999999999]", "[0,4]").find("shape holds 99999999999999999999"),
            std::string::npos);
  EXPECT_NE(entry("\"F32\"", "[1]", "[0]").find("data_offsets has 1 numbers, expected 2"), std::string::npos);
  EXPECT_NE(entry("\"F32\"", "[1]", "[0,4,4]").find("data_offsets holds 4, expected two"), std::string::npos);
  EXPECT_NE(entry("\"F32\"", "[1]", "[0,-4]").find("data_offsets holds -4, expected two"), std::string::npos);
  EXPECT_NE(entry("\"F32\"", "[1]", "{}").find("data_offsets is an object, expected an array"), std::string::npos);
}

TEST(Safetensors, RefusesBadKeys) {
  EXPECT_EQ(refused_header(R"({"w":1})"), "f: byte 14: \"w\" is 1, expected an object");
  EXPECT_EQ(refused_header(R"({"w":[]})"), "f: byte 13: \"w\" is an array, expected an object");
  EXPECT_EQ(refused_header(R"({"w":{}})"), "f: byte 14: tensor \"w\": no dtype");
  EXPECT_EQ(refused_header(R"({"w":{"dtype":"U8"}})"), "f: byte 26: tensor \"w\": no shape");
  EXPECT_EQ(refused_header(R"({"w":{"dtype":"U8","shape":[0]}})"), "f: byte 38: tensor \"w\": no data_offsets");
  EXPECT_EQ(refused_header(R"({"w":{"dtyp":"U8"}})"),
            "f: byte 19: tensor \"w\": unknown key \"dtyp\", expected dtype, shape, data_offsets");
  EXPECT_EQ(refused_header(R"({"w":{"dtype":"U8","dtype":"U8"}})"),
            "f: byte 33: tensor \"w\": duplicate key \"dtype\"");
  EXPECT_EQ(refused_header(R"({"a\nb":{}})"),
            "f: byte 14: tensor \"a\\x0ab\": the name holds a control character, expected printable text");
  const std::string empty = R"({"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  EXPECT_EQ(refused_header("{\"w\":" + empty + ",\"v\":" + empty + ",\"\\u0077\":" + empty + "}"),
            "f: byte 120: duplicate tensor \"w\", first at byte 11");
}

TEST(Safetensors, RefusesSizesThatDoNotFit) {
  auto entry = [](const std::string& dtype, const std::string& shape, const std::string& offsets, size_t data) {
    const std::string message = refused_header(one_tensor("\"" + dtype + "\"", shape, offsets), data);
    return message.substr(std::min(message.size(), message.find("tensor")));
  };
  EXPECT_EQ(entry("F32", "[2]", "[0,4]", 4), "tensor \"w\": data_offsets [0,4] hold 4 bytes, expected 8 for F32 [2]");
  EXPECT_EQ(
      entry("F32", "[1]", "[4,0]", 4),
      "tensor \"w\": data_offsets [4,0], expected begin <= end <= 4, the bytes after the header (truncated file?)");
  EXPECT_EQ(
      entry("F32", "[2]", "[0,8]", 4),
      "tensor \"w\": data_offsets [0,8], expected begin <= end <= 4, the bytes after the header (truncated file?)");
  EXPECT_EQ(entry("U8", "[1]", "[18446744073709551615,18446744073709551615]", 1).substr(0, 30),
            "tensor \"w\": data_offsets [1844");
  EXPECT_EQ(entry("U8", "[4294967296,4294967296]", "[0,0]", 0),
            "tensor \"w\": shape [4294967296,4294967296] overflows 64 bits");
  EXPECT_EQ(entry("F64", "[4611686018427387904]", "[0,0]", 0),
            "tensor \"w\": shape [4611686018427387904] overflows 64 bits");
  EXPECT_EQ(entry("F4", "[3]", "[0,2]", 2), "tensor \"w\": F4 [3] is 12 bits, expected whole bytes");
  EXPECT_EQ(entry("F6_E2M3", "[4]", "[0,3]", 3), "");
  EXPECT_EQ(entry("F6_E3M2", "[2]", "[0,2]", 2), "tensor \"w\": F6_E3M2 [2] is 12 bits, expected whole bytes");
  EXPECT_EQ(entry("F32", "[0,9223372036854775807]", "[0,0]", 0), "");
}

TEST(Safetensors, RefusesHolesAndOverlaps) {
  auto two = [](const std::string& first, const std::string& second, size_t data) {
    const std::string message = refused_header(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first +
                                                   R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}",
                                               data);
    return message.substr(std::min(message.size(), message.find(": byte") + 2));
  };
  EXPECT_EQ(two("[0,4]", "[4,8]", 8), "");
  EXPECT_EQ(two("[4,8]", "[0,4]", 8), "");
  EXPECT_EQ(two("[0,4]", "[5,9]", 9), "byte 118: tensor \"b\" begins here, expected byte 117 (a hole)");
  EXPECT_EQ(two("[0,4]", "[3,7]", 7),
            "byte 116: tensor \"b\" begins here, expected byte 117 (it overlaps the one before)");
  EXPECT_EQ(two("[0,4]", "[0,4]", 4),
            "byte 113: tensor \"b\" begins here, expected byte 117 (it overlaps the one before)");
  EXPECT_EQ(two("[1,5]", "[5,9]", 9), "byte 114: tensor \"a\" begins here, expected byte 113 (a hole)");
  EXPECT_EQ(two("[0,4]", "[4,8]", 9),
            "byte 121: the last tensor ends here, expected it to end with the file at byte 122");
}

TEST(Safetensors, HoldsItsLimits) {
  const std::string many = R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"U8","shape":[0,1,2],)"
                           R"("data_offsets":[0,0]}})";
  auto limited = [&](const SafetensorsLimits& limits, ErrorCode code) {
    return message_of([&] { parse_safetensors(file_bytes(many, 0), "f", limits); }, code);
  };
  EXPECT_EQ(limited({.max_tensors = 1}, ErrorCode::kResourceLimit), "f: byte 63: more than 1 tensors");
  EXPECT_EQ(limited({.max_rank = 2}, ErrorCode::kResourceLimit), "f: byte 93: tensor \"b\" has more than 2 dimensions");
  EXPECT_EQ(limited({.max_header_bytes = 99}, ErrorCode::kInvalidFile),
            "f: byte 0: header length 109, at most 99 expected");
  const std::string keys = file_bytes(R"({"__metadata__":{"a":"","b":""}})", 0);
  EXPECT_EQ(message_of([&] { parse_safetensors(keys, "f", {.max_metadata = 1}); }, ErrorCode::kResourceLimit),
            "f: byte 34: more than 1 keys in __metadata__");
  EXPECT_EQ(limited({.max_tensors = 2, .max_rank = 3}, ErrorCode::kInvalidFile), "");
}

TEST(Safetensors, DeepNestingIsRefusedAtOnce) {
  EXPECT_EQ(refused_header("{\"w\":" + std::string(1 << 20, '[') + "}"),
            "f: byte 13: \"w\" is an array, expected an object");
}

TEST(Safetensors, LongNamesAreCutInMessages) {
  std::string name(199, 'x');
  const std::string message = refused_header("{\"" + name + "é" + std::string(5000, 'y') + "\":1}");
  EXPECT_NE(message.find("\"" + name + "…\" is 1"), std::string::npos) << message;
}

TEST(Safetensors, WriterRefusesWhatTheFormatCannotHold) {
  const auto folder = test::fresh_folder();
  const Tensor t = Tensor::from({1}, std::vector<float>{1});
  auto refused = [&](const NamedTensors& tensors, const std::map<std::string, std::string>& metadata = {}) {
    return message_of([&] { write_safetensors(folder / "x", tensors, metadata); }, ErrorCode::kInvalidArgument);
  };
  EXPECT_NE(refused({{"__metadata__", t}}), "");
  EXPECT_NE(refused({{"a\tb", t}}), "");
  EXPECT_NE(refused({{"\xff", t}}), "");
  EXPECT_NE(refused({{"a", t}}, {{"k", "\xff"}}), "");
  EXPECT_NE(refused({{"a", Tensor()}}), "");
  EXPECT_NE(refused({{"a", Tensor::allocate(DType::kF4, {3})}}), "");
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  EXPECT_NE(message_of([&] { write_safetensors(folder / "no" / "x", {{"a", t}}); }, ErrorCode::kIo), "");
  EXPECT_NE(message_of([&] { write_safetensors(folder, {{"a", t}}); }, ErrorCode::kIo), "");
}

TEST(Safetensors, WriterReplacesAFileThatIsInUse) {
  const auto path = test::fresh_folder() / "x.safetensors";
  write_safetensors(path, {{"a", Tensor::from({2}, std::vector<float>{1, 2})}});
  const NamedTensors before = read_safetensors(path);
  write_safetensors(path, {{"a", Tensor::from({1}, std::vector<float>{3})}});
  EXPECT_EQ(before.at("a").f32()[1], 2.0f);
  EXPECT_EQ(read_safetensors(path).at("a").f32()[0], 3.0f);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path.parent_path()), {}), 1);
}

}  // namespace
}  // namespace gamut
