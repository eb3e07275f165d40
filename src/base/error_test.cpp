#include "base/error.h"

#include <gtest/gtest.h>

namespace gamut {
namespace {

TEST(Shortened, KeepsBothEndsOfALongMessage) {
  EXPECT_EQ(shortened("short"), "short");
  EXPECT_EQ(shortened(std::string(1900, 'x')), std::string(1900, 'x'));
  const std::string cut = shortened("config.json: head_dim is " + std::string(1 << 20, 'x') + ", expected an integer");
  EXPECT_EQ(cut.size(), 1905u);
  EXPECT_TRUE(cut.starts_with("config.json: head_dim is xx"));
  EXPECT_TRUE(cut.ends_with("xx, expected an integer"));
}

TEST(Shortened, CutsBetweenCharacters) {
  for (size_t shift = 0; shift < 4; ++shift) {
    std::string text(shift, 'x');
    while (text.size() < 5000) text += "\xF0\x9F\x98\x80";
    const std::string cut = shortened(text);
    const size_t middle = cut.find(" … ");
    EXPECT_EQ((middle - shift) % 4, 0u) << shift;
    EXPECT_EQ(cut[middle + 5], '\xF0') << shift;
    EXPECT_LE(cut.size(), 1905u);
  }
}

TEST(Shortened, IsWhatFailThrows) {
  try {
    fail(ErrorCode::kInvalidFile, "{}", std::string(10000, 'x'));
  } catch (const Error& error) {
    EXPECT_EQ(error.message().size(), 1905u);
  }
}

}  // namespace
}  // namespace gamut
