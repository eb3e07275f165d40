#include "generate/stop_strings.h"

#include <gtest/gtest.h>

#include "gamut/error.h"

namespace gamut {
namespace {

TEST(StopStrings, EndsBeforeTheFirst) {
  StopStrings stops({"###", "\nUser"});
  EXPECT_EQ(stops.push("Hello\nUs"), "Hello");
  EXPECT_FALSE(stops.is_stopped());
  EXPECT_EQ(stops.push("e the ##"), "\nUse the ");
  EXPECT_EQ(stops.push("# rest"), "");
  EXPECT_TRUE(stops.is_stopped());
  EXPECT_EQ(stops.push("more"), "");
  EXPECT_EQ(stops.finish(), "");
}

TEST(StopStrings, GivesBackWhatItHeld) {
  StopStrings stops({"abcab"});
  EXPECT_EQ(stops.push("xabcabc"), "x");
  EXPECT_TRUE(stops.is_stopped());
  StopStrings open({"abc"});
  EXPECT_EQ(open.push("aab"), "a");
  EXPECT_EQ(open.finish(), "ab");
}

TEST(StopStrings, WithoutAnyPassesAllOn) {
  StopStrings none({});
  EXPECT_EQ(none.push("text"), "text");
  EXPECT_EQ(none.finish(), "");
}

TEST(StopStrings, RefusesAnEmptyOne) { EXPECT_THROW(StopStrings({""}), Error); }

}  // namespace
}  // namespace gamut
