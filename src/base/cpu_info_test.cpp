#include "base/cpu_info.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/fake_root.h"

namespace gamut {
namespace {

TEST(CpuInfo, IsPlausible) {
  const CpuInfo& info = cpu_info();
  EXPECT_GE(info.cores, 1);
  EXPECT_TRUE(has_isa(Isa::kBaseline));
  EXPECT_TRUE(has_isa(info.best_isa));
  EXPECT_TRUE(!info.avx512_bf16 || info.best_isa >= Isa::kAvx512);
  EXPECT_STREQ(isa_name(Isa::kAvx512), "avx512");
}

TEST(CpuInfo, TakesTheSmallerOfAffinityAndQuota) {
  test::FakeRoot root;
  const CpuInfo free = detect_cpu(root.path());
  EXPECT_EQ(free.cores, free.affinity);
  EXPECT_EQ(free.quota, std::nullopt);
  root.file("sys/fs/cgroup/cpu.max", "30000 100000");
  const CpuInfo limited = detect_cpu(root.path());
  EXPECT_EQ(limited.cores, 1);
  EXPECT_EQ(limited.quota, 0.3);
  root.file("sys/fs/cgroup/cpu.max", "9223372036854775807 1");
  EXPECT_EQ(detect_cpu(root.path()).cores, free.affinity);
}

TEST(CpuInfo, KnowsTheModel) {
  test::FakeRoot root;
  root.file("sys/devices/system/cpu/online", "0-7\n");
  root.file("proc/cpuinfo", "processor\t: 0\nmodel name\t: Some(R) Processor\n\nprocessor\t: 1\n");
  EXPECT_EQ(detect_cpu(root.path()).model, "Some(R) Processor");
  EXPECT_EQ(detect_cpu(root.path()).online, 8);
  root.file("proc/cpuinfo", "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd40\n");
  EXPECT_EQ(detect_cpu(root.path()).model, "implementer 0x41 part 0xd40");
}

TEST(CpuInfo, NamesWhatItHas) {
  CpuInfo info;
  EXPECT_TRUE(feature_names(info).empty());
  info.best_isa = Isa::kAvx512, info.avx512_vnni = true;
  EXPECT_EQ(feature_names(info), (std::vector<std::string>{"avx2", "avx512", "avx512_vnni"}));
}

}  // namespace
}  // namespace gamut
