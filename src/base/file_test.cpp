#include "base/file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"

namespace gamut {
namespace {

TEST(JoinInside, RefusesWhateverLeavesTheFolder) {
  for (const char* name : {"", "..", "../x", "a/../b", "/etc/passwd", "a\\b", "./a", "a/", "%2e%2e/x", "a\nb"}) {
    EXPECT_THROW(join_inside("/model", name, "index"), Error) << name;
  }
  EXPECT_THROW(join_inside("/model", std::string_view("a\0b", 3), "index"), Error);
  EXPECT_EQ(join_inside("/model", "sub/a.safetensors", "index"), "/model/sub/a.safetensors");
}

TEST(MappedFile, MapsAndReleases) {
  auto path = std::filesystem::path(testing::TempDir()) / "mapped_file_test";
  std::ofstream(path) << std::string(10000, 'x');
  auto file = MappedFile::open(path);
  ASSERT_EQ(file->size(), 10000u);
  file->release(0, 10000);
  EXPECT_EQ(file->text()[5000], 'x');
  EXPECT_THROW(MappedFile::open(path / "no"), Error);
  EXPECT_THROW(MappedFile::open(testing::TempDir()), Error);
}

}  // namespace
}  // namespace gamut
