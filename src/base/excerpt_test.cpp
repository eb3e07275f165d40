#include "base/excerpt.h"

#include <gtest/gtest.h>

namespace gamut {
namespace {

TEST(Excerpt, KeepsShortTexts) {
  EXPECT_EQ(excerpt(""), "");
  EXPECT_EQ(excerpt("short"), "short");
  EXPECT_EQ(excerpt(std::string(100, 'x')), std::string(100, 'x'));
  EXPECT_EQ(excerpt(std::string(101, 'x')), std::string(100, 'x') + "…");
}

TEST(Excerpt, CutsBetweenCharacters) {
  for (size_t most = 2; most < 6; ++most) EXPECT_EQ(excerpt("ab😀c", most), "ab…") << most;
  EXPECT_EQ(excerpt("ab😀c", 6), "ab😀…");
}

TEST(Excerpt, CutsWhatIsNoText) {
  EXPECT_EQ(excerpt(std::string(20, '\x80'), 10), std::string(10, '\x80') + "…");
  EXPECT_EQ(excerpt("\x80\x80\x80", 2), "\x80\x80…");
}

}  // namespace
}  // namespace gamut
