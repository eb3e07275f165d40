#include "base/system_text.h"

#include <gtest/gtest.h>

#include "base/fake_root.h"

namespace gamut {
namespace {

TEST(SystemText, ReadsTheBeginningOfRegularFilesOnly) {
  test::FakeRoot root;
  root.file("a", std::string(300, 'a')).file("b/c", "x");
  EXPECT_EQ(read_system_text(root.path() / "a").size(), 300u);
  EXPECT_EQ(read_system_text(root.path() / "a", 7), "aaaaaaa");
  EXPECT_EQ(read_system_text(root.path() / "b"), "");
  EXPECT_EQ(read_system_text(root.path() / "nowhere"), "");
  EXPECT_EQ(read_system_text("/dev/zero"), "");
  EXPECT_EQ(read_system_text("/proc/self/status").substr(0, 5), "Name:") << "a file that says it has 0 bytes";
}

TEST(SystemText, FindsFields) {
  const std::string text = "MemTotal:   8 kB\nMem: 1\n no separator \nkey : a: b \n";
  EXPECT_EQ(field(text, "MemTotal", ':'), "8 kB");
  EXPECT_EQ(field(text, "Mem", ':'), "1");
  EXPECT_EQ(field(text, "key", ':'), "a: b");
  EXPECT_EQ(field(text, "no separator", ':'), "");
  EXPECT_EQ(field("inactive_file 12\nfile 3", "file", ' '), "3");
  EXPECT_EQ(field("", "", ':'), "");
}

TEST(SystemText, ReadsNumbersThatFit) {
  EXPECT_EQ(leading_number(" 42 kB"), 42);
  EXPECT_EQ(leading_number("-1\n"), -1);
  EXPECT_EQ(leading_number("9223372036854775807"), INT64_MAX);
  for (const char* text : {"", "max", "9223372036854775808", "x1", "--1"})
    EXPECT_EQ(leading_number(text), std::nullopt);
}

TEST(SystemText, CountsListsOfProcessors) {
  EXPECT_EQ(count_list("0\n"), 1);
  EXPECT_EQ(count_list("0-3,8,10-11"), 7);
  for (const char* text : {"", "x", "3-1", "-", "0-", "0-99999999999", "-5-1", "0,,1"})
    EXPECT_EQ(count_list(text), 0) << text;
  for (const std::string& text : test::kHostile) {
    EXPECT_GE(count_list(text), 0);
    EXPECT_LE(count_list(text), 1 << 20);
  }
}

TEST(SystemText, MakesOneShortLine) {
  EXPECT_EQ(one_line("  a\tb\nc\x1b[31m \n"), "a b c [31m");
  EXPECT_LE(one_line(std::string(100000, 'x')).size(), 210u);
}

}  // namespace
}  // namespace gamut
