// What the tests of this folder share: temporary folders, handmade safetensors files, messages of errors.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gamut/error.h"

namespace gamut::test {

/// An empty folder of the running test.
inline std::filesystem::path fresh_folder() {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  auto path = std::filesystem::path(testing::TempDir()) / (std::string(info->test_suite_name()) + "." + info->name());
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The bytes of a safetensors file with this header and `data` zero bytes behind it.
inline std::string file_bytes(const std::string& header, size_t data) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(header.size() >> (8 * i));
  return out + header + std::string(data, '\0');
}

/// The message of the Error that `action` throws, or "" when it throws none.
template <typename Action>
std::string message_of(Action action, ErrorCode code = ErrorCode::kInvalidFile) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.message();
    return error.message();
  }
  return "";
}

}  // namespace gamut::test
