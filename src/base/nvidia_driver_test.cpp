#include "base/nvidia_driver.h"

#include <gtest/gtest.h>

#include "base/fake_root.h"
#include "base/shared_library.h"

namespace gamut {
namespace {

TEST(NvidiaDriver, ReadsTheVersionOfTheKernelModule) {
  test::FakeRoot root;
  EXPECT_EQ(read_nvidia_driver(root.path(), "libno-such-thing.so.1").kernel_version, "");
  const char* closed =
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23 10:11:16 UTC 2025\nGCC version:  12\n";
  root.file("proc/driver/nvidia/version", closed);
  EXPECT_EQ(read_nvidia_driver(root.path(), "libno-such-thing.so.1").kernel_version, "580.95.05");
  root.file("proc/driver/nvidia/version",
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.1  Release Build\n");
  EXPECT_EQ(read_nvidia_driver(root.path(), "libno-such-thing.so.1").kernel_version, "570.1");
  for (const std::string& content : test::kHostile) {
    root.file("proc/driver/nvidia/version", "NVRM version: " + content);
    EXPECT_LE(read_nvidia_driver(root.path(), "libno-such-thing.so.1").kernel_version.size(), 210u);
  }
}

TEST(NvidiaDriver, SaysWhyTheLibraryIsOfNoUse) {
  test::FakeRoot root;
  const NvidiaReport missing = read_nvidia_driver(root.path(), "libno-such-thing.so.1");
  EXPECT_EQ(missing.library, "");
  EXPECT_NE(missing.problem.find("libno-such-thing.so.1"), std::string::npos) << missing.problem;
  root.file("libcuda.so.1", "this is no library");
  const NvidiaReport broken = read_nvidia_driver(root.path(), (root.path() / "libcuda.so.1").string());
  EXPECT_EQ(broken.library, "");
  EXPECT_NE(broken.problem, "");
  const NvidiaReport foreign = read_nvidia_driver(root.path(), "libm.so.6");
  EXPECT_NE(foreign.library, "");
  EXPECT_NE(foreign.problem.find("has no cuDriverGetVersion"), std::string::npos) << foreign.problem;
  EXPECT_TRUE(foreign.devices.empty());
}

/// tests/fake_libcuda.cpp with two GPUs, or with a driver that does not start.
TEST(NvidiaDriver, AsksTheLibrary) {
  test::FakeRoot root;
  const NvidiaReport driver = read_nvidia_driver(root.path(), GAMUT_FAKE_LIBCUDA);
  EXPECT_EQ(driver.problem, "");
  EXPECT_EQ(driver.cuda_version, "13.1");
  ASSERT_EQ(driver.devices.size(), 2u);
  EXPECT_EQ(driver.devices[1].name, "Fake GPU 1");
  EXPECT_EQ(driver.devices[1].memory_bytes, int64_t{80} << 30);
  EXPECT_EQ(driver.devices[1].compute_capability, "9.0");
  ::setenv("GAMUT_FAKE_LIBCUDA_ERROR", "999", 1);
  const NvidiaReport failing = read_nvidia_driver(root.path(), GAMUT_FAKE_LIBCUDA);
  ::unsetenv("GAMUT_FAKE_LIBCUDA_ERROR");
  EXPECT_EQ(failing.problem, "cuInit: CUDA_ERROR_UNKNOWN");
  EXPECT_EQ(failing.cuda_version, "13.1");
  EXPECT_TRUE(failing.devices.empty());
}

TEST(SharedLibrary, FindsItsFile) {
  const SharedLibrary math("libm.so.6");
  ASSERT_TRUE(math.is_open()) << math.problem();
  EXPECT_TRUE(std::filesystem::exists(math.file()));
  double (*cosine)(double) = nullptr;
  math.find("cos", &cosine);
  ASSERT_NE(cosine, nullptr);
  EXPECT_EQ(cosine(0), 1);
  EXPECT_EQ(SharedLibrary("libno-such-thing.so.1").file(), "");
}

}  // namespace
}  // namespace gamut
