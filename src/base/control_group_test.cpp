#include "base/control_group.h"

#include <gtest/gtest.h>

#include "base/cpu_info.h"
#include "base/fake_root.h"
#include "base/memory_info.h"

namespace gamut {
namespace {

constexpr int64_t kGiB = int64_t{1} << 30;

TEST(ControlGroup, ReadsAQuota) {
  EXPECT_EQ(parse_cpu_max("max 100000\n"), std::nullopt);
  EXPECT_EQ(parse_cpu_max("150000 100000\n"), 1.5);
  EXPECT_EQ(parse_cpu_max("1000 100000"), 0.01);
  for (const char* text : {"", "x", "-1 100000", "5", "5 0", "5 -1", "99999999999999999999 100000"}) {
    EXPECT_EQ(parse_cpu_max(text), std::nullopt) << text;
  }
}

TEST(ControlGroup, HasNoLimitsWhereNothingIsSaid) {
  test::FakeRoot root;
  for (int with_group = 0; with_group < 2; ++with_group) {
    const ControlGroup group = read_control_group(root.path());
    EXPECT_FALSE(group.cpu_quota || group.memory_limit || group.memory_available);
    root.file("proc/self/cgroup", "0::/a/b\n4:memory:/\n").file("sys/fs/cgroup/a/b/memory.max", "max\n");
    root.file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    root.file("sys/fs/cgroup/memory/memory.usage_in_bytes", "5\n");
  }
}

TEST(ControlGroup, TakesTheTightestOfVersionTwo) {
  test::FakeRoot root;
  root.file("proc/self/cgroup", "0::/outer/inner\n");
  root.file("sys/fs/cgroup/outer/inner/cpu.max", "400000 100000").file("sys/fs/cgroup/outer/cpu.max", "250000 100000");
  root.file("sys/fs/cgroup/outer/inner/memory.max", "8589934592")
      .file("sys/fs/cgroup/outer/inner/memory.current", "4294967296");
  root.file("sys/fs/cgroup/memory.max", "17179869184").file("sys/fs/cgroup/memory.current", "16106127360");
  const ControlGroup group = read_control_group(root.path());
  EXPECT_EQ(group.cpu_quota, 2.5);
  EXPECT_EQ(group.memory_limit, 8 * kGiB);
  EXPECT_EQ(group.memory_available, kGiB) << "the outer group is nearly full";
}

TEST(ControlGroup, CountsWhatTheKernelCanTakeBackAsAvailable) {
  test::FakeRoot root;
  root.file("proc/self/cgroup", "0::/\n").file("sys/fs/cgroup/memory.max", "4294967296");
  root.file("sys/fs/cgroup/memory.current", "4294967296");
  root.file("sys/fs/cgroup/memory.stat", "anon 1073741824\nfile 3221225472\ninactive_file 3221225472\n");
  EXPECT_EQ(read_control_group(root.path()).memory_available, 3 * kGiB);
  root.file("sys/fs/cgroup/memory.stat", "inactive_file 99999999999999\n");
  EXPECT_EQ(read_control_group(root.path()).memory_available, 4 * kGiB);
  root.file("sys/fs/cgroup/memory.current", "9999999999999").file("sys/fs/cgroup/memory.stat", "");
  EXPECT_EQ(read_control_group(root.path()).memory_available, 0);
}

TEST(ControlGroup, ReadsVersionOne) {
  test::FakeRoot root;
  root.file("proc/self/cgroup", "4:memory:/job\n2:cpu,cpuacct:/job/step\n1:name=systemd:/\n");
  root.file("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "50000")
      .file("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000");
  root.file("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1").file("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
  root.file("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1073741824");
  root.file("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "1073741824");
  root.file("sys/fs/cgroup/memory/job/memory.stat", "inactive_file 1\ntotal_inactive_file 536870912\n");
  const ControlGroup group = read_control_group(root.path());
  EXPECT_EQ(group.cpu_quota, 0.5);
  EXPECT_EQ(group.memory_limit, kGiB);
  EXPECT_EQ(group.memory_available, kGiB / 2);
}

TEST(ControlGroup, StaysBelowItsRoot) {
  test::FakeRoot root;
  root.file("proc/self/cgroup", "0::/../../outside\n").file("sys/outside/cpu.max", "100000 100000");
  root.file("outside/cpu.max", "100000 100000").file("sys/fs/cgroup/cpu.max", "300000 100000");
  EXPECT_EQ(read_control_group(root.path()).cpu_quota, 3.0);
}

TEST(ControlGroup, SurvivesDeepPaths) {
  test::FakeRoot root;
  std::string path;
  for (int i = 0; i < 20000; ++i) path += "/a";
  root.file("proc/self/cgroup", "0::" + path + "\n").file("sys/fs/cgroup/cpu.max", "300000 100000");
  EXPECT_EQ(read_control_group(root.path()).cpu_quota, 3.0);
}

TEST(ControlGroup, SurvivesHostileContent) {
  for (const std::string& content : test::kHostile) {
    test::FakeRoot root;
    for (const char* file :
         {"proc/self/cgroup", "sys/fs/cgroup/cpu.max", "sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current",
          "sys/fs/cgroup/memory.stat", "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "sys/fs/cgroup/cpu/cpu.cfs_period_us",
          "sys/fs/cgroup/memory/memory.limit_in_bytes", "sys/fs/cgroup/memory/memory.usage_in_bytes", "proc/meminfo",
          "proc/cpuinfo", "sys/devices/system/cpu/online", "sys/kernel/mm/transparent_hugepage/enabled"}) {
      root.file(file, content);
    }
    const ControlGroup group = read_control_group(root.path());
    EXPECT_GT(group.cpu_quota.value_or(1), 0);
    EXPECT_GE(group.memory_limit.value_or(0), 0);
    EXPECT_GE(group.memory_available.value_or(0), 0);
    EXPECT_GE(read_memory_info(root.path()).available, 0);
    EXPECT_GE(detect_cpu(root.path()).cores, 1);
  }
}

TEST(MemoryReport, ReadsTheMachine) {
  test::FakeRoot root;
  root.file("proc/meminfo",
            "MemTotal:       16777216 kB\nMemFree:  1 kB\nMemAvailable:    8388608 kB\n"
            "SwapTotal: 1048576 kB\nSwapFree: 524288 kB\nHugePages_Total:       0\n");
  root.file("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  MemoryReport info = read_memory_info(root.path());
  EXPECT_EQ(info.total, 16 * kGiB);
  EXPECT_EQ(info.available, 8 * kGiB);
  EXPECT_EQ(info.control_group_limit, std::nullopt);
  EXPECT_EQ(info.swap_total, kGiB);
  EXPECT_EQ(info.swap_free, kGiB / 2);
  EXPECT_EQ(info.huge_pages, "madvise");
  root.file("sys/fs/cgroup/memory.max", "4294967296").file("sys/fs/cgroup/memory.current", "1073741824");
  info = read_memory_info(root.path());
  EXPECT_EQ(info.control_group_limit, 4 * kGiB);
  EXPECT_EQ(info.available, 3 * kGiB);
}

TEST(MemoryReport, RefusesSizesThatDoNotFit) {
  test::FakeRoot root;
  root.file("proc/meminfo", "MemTotal: 9223372036854775807 kB\nMemAvailable: -5 kB\nSwapTotal: lots\n");
  const MemoryReport info = read_memory_info(root.path());
  EXPECT_EQ(info.total, 0);
  EXPECT_EQ(info.available, 0);
  EXPECT_EQ(info.swap_total, 0);
}

TEST(MemoryReport, OfThisMachineIsPlausible) {
  const MemoryReport info = read_memory_info();
  EXPECT_GT(info.available, 0);
  EXPECT_GT(info.total, info.available);
}

}  // namespace
}  // namespace gamut
